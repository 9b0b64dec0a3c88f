/** A key that the gate has no value for and does not know to be absent. */
export const unknownKey = Symbol("unknown condition key");

/** Value of a condition key: its values; undefined when the request does not have it; `unknownKey` when the gate cannot tell. */
export type ConditionContext = (key: string) => readonly string[] | undefined | typeof unknownKey;

/** Statement.Condition as policies write it. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, ConditionValue | readonly ConditionValue[]>>>>;
type ConditionValue = string | boolean | number;

export interface ConditionOutcome {
    readonly matches: boolean;
    /** Operators and keys that the gate does not know: it cannot tell whether the condition matches. */
    readonly unknown: readonly string[];
}

/** Does a text match a pattern in which `*` stands for any characters and `?` for one? */
export function like(pattern: string, text: string): boolean {
    // Two pointers with one point to come back to: linear in practice, where a regular expression may blow up.
    let p = 0;
    let t = 0;
    let star = -1;
    let resume = 0;
    while (t < text.length) {
        if (p < pattern.length && pattern[p] === "*") {
            star = p++;
            resume = t;
        } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
            p++;
            t++;
        } else if (star >= 0) {
            p = star + 1;
            t = ++resume;
        } else return false;
    }
    while (pattern[p] === "*") p++;
    return p === pattern.length;
}

/** "Each of the six colon-delimited components of the ARN is checked separately and each can include multi-character match wildcards". */
export function arnLike(pattern: string, arn: string): boolean {
    const split = (text: string) => {
        const parts = text.split(":");
        return [...parts.slice(0, 5), parts.slice(5).join(":")];
    };
    const [patterns, parts] = [split(pattern), split(arn)];
    return patterns.every((each, index) => like(each, parts[index] ?? ""));
}

type Test = (expected: string, actual: string) => boolean;
const numeric =
    (compare: (actual: number, expected: number) => boolean): Test =>
    (expected, actual) =>
        compare(Number(actual), Number(expected));
const tests: Readonly<Record<string, Test>> = {
    StringEquals: (expected, actual) => expected === actual,
    StringEqualsIgnoreCase: (expected, actual) => expected.toLowerCase() === actual.toLowerCase(),
    StringLike: like,
    ArnEquals: arnLike,
    ArnLike: arnLike,
    Bool: (expected, actual) => expected.toLowerCase() === actual.toLowerCase(),
    NumericEquals: numeric((actual, expected) => actual === expected),
    NumericLessThan: numeric((actual, expected) => actual < expected),
    NumericLessThanEquals: numeric((actual, expected) => actual <= expected),
    NumericGreaterThan: numeric((actual, expected) => actual > expected),
    NumericGreaterThanEquals: numeric((actual, expected) => actual >= expected),
};
const negated: Readonly<Record<string, string>> = {
    StringNotEquals: "StringEquals",
    StringNotEqualsIgnoreCase: "StringEqualsIgnoreCase",
    StringNotLike: "StringLike",
    ArnNotEquals: "ArnEquals",
    ArnNotLike: "ArnLike",
    NumericNotEquals: "NumericEquals",
};

/**
 * Evaluates a condition block: all operators and all keys must match, any one value of a key does.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html; an absent key fails a positive operator, satisfies a negated one
 * and one with IfExists. Operators on dates, addresses and binary values, and policy variables, are unknown to the gate.
 */
export function evaluateConditions(conditions: Conditions | undefined, context: ConditionContext): ConditionOutcome {
    const unknown: string[] = [];
    let matches = true;
    for (const [operator, keys] of Object.entries(conditions ?? {}))
        for (const [key, wanted] of Object.entries(keys)) {
            const expected = (Array.isArray(wanted) ? (wanted as readonly ConditionValue[]) : [wanted as ConditionValue]).map(String);
            const outcome = evaluateOne(operator, key, expected, context);
            if (outcome === undefined) unknown.push(`${operator} ${key}`);
            else if (!outcome) matches = false;
        }
    return { matches, unknown };
}

/** @returns undefined when the gate cannot tell */
function evaluateOne(operator: string, key: string, expected: readonly string[], context: ConditionContext): boolean | undefined {
    const [, quantifier, name = "", ifExists] = /^(ForAnyValue:|ForAllValues:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
    const values = context(key);
    if (values === unknownKey || expected.some((each) => each.includes("${"))) return undefined;
    if (name === "Null") return expected.some((each) => (each.toLowerCase() === "true") === (values === undefined));
    const negative = Object.hasOwn(negated, name);
    const base = negative ? negated[name]! : name;
    const test = Object.hasOwn(tests, base) ? tests[base]! : undefined;
    if (!test) return undefined;
    const one = (actual: string) => expected.some((each) => test(each, actual)) !== negative;
    if (quantifier === "ForAllValues:") return (values ?? []).every(one);
    if (quantifier === "ForAnyValue:") return (values ?? []).some(one);
    if (values === undefined) return negative || ifExists !== undefined;
    return negative ? values.every(one) : values.some(one);
}
