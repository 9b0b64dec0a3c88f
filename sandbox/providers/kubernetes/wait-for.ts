import { isRecord, list, record, text, type Props, type Value } from "../values.ts";

/**
 * One expression of the annotation `pulumi.com/waitFor`, which takes the place of the kind's own await: `jsonpath={.a.b[0].c}`, with `=VALUE` for a value, or
 * `condition=TYPE`, with `=STATUS` for another than True. Several stand in a JSON list and must all hold.
 * Source: https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/#pulumi_waitfor
 */
type Condition = { path: readonly string[]; value?: string } | { condition: string; status: string };

function parseOne(expression: string): Condition {
    const [, condition, status] = /^condition=([^=]+)(?:=(.+))?$/.exec(expression) ?? [];
    if (condition !== undefined) return { condition, status: status ?? "True" };
    const [, inner, value] = /^jsonpath=\{((?:\.[\w-]+(?:\[(?:\d+|\*)\])*)+)\}(?:=(.+))?$/.exec(expression) ?? [];
    if (inner === undefined)
        throw new Error(
            `"${expression}" is not understood here: take jsonpath={.a.b[0].c}, jsonpath={...}=VALUE, condition=TYPE or condition=TYPE=STATUS`,
        );
    const path = [...inner.matchAll(/\.([\w-]+)|\[(\d+|\*)\]/g)].map(([, name, index]) => name ?? index!);
    return { path, ...(value !== undefined && { value }) };
}

/** @throws Error naming the expression that is not understood */
export function parseWaitFor(annotation: string): readonly Condition[] {
    const several: unknown = annotation.trimStart().startsWith("[") ? JSON.parse(annotation) : [annotation];
    if (!Array.isArray(several) || several.length === 0) throw new Error(`"${annotation}" is no list of expressions`);
    return several.map((one) => parseOne(String(one)));
}

function* at(value: Value, path: readonly string[]): Generator<Value> {
    const [step, ...rest] = path;
    if (step === undefined) {
        if (value !== undefined && value !== null) yield value;
    } else if (Array.isArray(value)) {
        for (const inner of step === "*" ? value : [value[Number(step)]]) yield* at(inner, rest);
    } else if (isRecord(value)) yield* at(value[step], rest);
}

const holds = (condition: Condition, live: Props): boolean => {
    if ("condition" in condition) {
        const all = list(record(live["status"])["conditions"]).map(record);
        return all.some(
            (one) =>
                text(one["type"]).toLowerCase() === condition.condition.toLowerCase() &&
                text(one["status"]).toLowerCase() === condition.status.toLowerCase(),
        );
    }
    const found = [...at(live, condition.path)];
    return found.length > 0 && (condition.value === undefined || found.every((value) => text(value) === condition.value));
};

/** Why the object is not ready; nothing when all that the annotation names holds. */
export function waitingFor(annotation: string, live: Props): string | undefined {
    return parseWaitFor(annotation).every((condition) => holds(condition, live)) ? undefined : `waiting for ${annotation}`;
}
