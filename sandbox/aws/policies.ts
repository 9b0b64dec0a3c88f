import { evaluateConditions, like, type ConditionContext, type Conditions } from "./conditions.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html, as far as the gate reads it. */
export interface PolicyDocument {
    readonly Statement: Statement | readonly Statement[];
}
export interface Statement {
    readonly Sid?: string;
    readonly Effect: "Allow" | "Deny";
    readonly Principal?: "*" | Readonly<Record<string, string | readonly string[]>>;
    readonly NotPrincipal?: unknown;
    readonly Action?: string | readonly string[];
    readonly NotAction?: string | readonly string[];
    readonly Resource?: string | readonly string[];
    readonly NotResource?: string | readonly string[];
    readonly Condition?: Conditions;
}

/** Who asks. */
export interface Principal {
    /** Of the user or the role, as in aws:PrincipalArn. */
    readonly arn: string;
    readonly account: string;
    /** `arn:aws:sts::…:assumed-role/ROLE/SESSION` of a role's session. */
    readonly session?: string;
    /** ARN of the identity provider, while a token is being exchanged for a role. */
    readonly federated?: string;
    /** Service that assumes a role for itself, as in "s3.amazonaws.com". */
    readonly service?: string;
}

export interface AccessRequest {
    readonly principal: Principal;
    readonly action: string;
    readonly resource: string;
    readonly context: ConditionContext;
}

export interface Policies {
    readonly identity: readonly PolicyDocument[];
    /** The bucket's, key's or role's own policy. */
    readonly resource?: PolicyDocument | undefined;
    /** A key or a role answers only to whom its own policy lets in. @default false: same-account identity policies suffice, as for a bucket */
    readonly resourceMustAllow?: boolean;
}

export interface Decision {
    readonly allowed: boolean;
    /** In the words of AWS's own messages. */
    readonly reason: string;
    /** What the gate did not know and took for the worst: an Allow does not count, a Deny does. */
    readonly unknown: readonly string[];
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
    value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
const statements = (policy: PolicyDocument | undefined) =>
    list<Statement>(policy?.Statement as Statement | readonly Statement[] | undefined);

/**
 * Decides as IAM does within one account: an explicit Deny anywhere wins; else something must allow; else it is denied.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-req-eval.html. Key policies:
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html (naming the account lets identity policies decide).
 * Permission boundaries, session policies and organization policies are not there: the sandbox has none.
 */
export function evaluate(request: AccessRequest, policies: Policies): Decision {
    const unknown: string[] = [];
    const matching = (effect: "Allow" | "Deny", policy: PolicyDocument | undefined, resourceBased: boolean): ("direct" | "account")[] =>
        statements(policy).flatMap((statement) => {
            if (statement.Effect !== effect || !covers(statement, request)) return [];
            const who = resourceBased ? principalMatch(statement, request.principal, effect) : "direct";
            if (who === undefined) return [];
            const outcome = evaluateConditions(statement.Condition, request.context);
            if (outcome.unknown.length > 0) unknown.push(...outcome.unknown.map((each) => `${each} (${statement.Sid ?? effect})`));
            const counts = outcome.matches && (outcome.unknown.length === 0 || effect === "Deny");
            return counts ? [who] : [];
        });
    const denied = (reason: string): Decision => ({ allowed: false, reason, unknown });
    if (policies.identity.some((policy) => matching("Deny", policy, false).length > 0))
        return denied("with an explicit deny in an identity-based policy");
    if (matching("Deny", policies.resource, true).length > 0) return denied("with an explicit deny in a resource-based policy");
    const own = policies.identity.some((policy) => matching("Allow", policy, false).length > 0);
    const theirs = matching("Allow", policies.resource, true);
    const allowed = theirs.includes("direct") || (own && (!policies.resourceMustAllow || theirs.includes("account")));
    if (allowed) return { allowed, reason: "", unknown };
    return denied(
        policies.resourceMustAllow && own ? "no resource-based policy allows the action" : "no identity-based policy allows the action",
    );
}

/** Action and resource; actions have no case. */
function covers(statement: Statement, request: AccessRequest): boolean {
    const action = (patterns: string | readonly string[]) =>
        list(patterns).some((each) => like(each.toLowerCase(), request.action.toLowerCase()));
    const resource = (patterns: string | readonly string[]) => list(patterns).some((each) => like(each, request.resource));
    const actions =
        statement.Action !== undefined ? action(statement.Action) : statement.NotAction !== undefined && !action(statement.NotAction);
    if (!actions) return false;
    if (statement.Resource !== undefined) return resource(statement.Resource);
    // A role's trust policy names no resource: it is about the role.
    return statement.NotResource === undefined || !resource(statement.NotResource);
}

/** "direct": names the caller (or everybody). "account": names the account, which lets its identity policies decide. */
function principalMatch(statement: Statement, principal: Principal, effect: "Allow" | "Deny"): "direct" | "account" | undefined {
    if (statement.NotPrincipal !== undefined) return effect === "Deny" ? "direct" : undefined;
    if (statement.Principal === "*") return "direct";
    const named = statement.Principal ?? {};
    if (principal.federated !== undefined) return list(named["Federated"]).includes(principal.federated) ? "direct" : undefined;
    if (principal.service !== undefined) return list(named["Service"]).includes(principal.service) ? "direct" : undefined;
    const aws = list(named["AWS"]);
    if (aws.some((each) => each === "*" || each === principal.arn || each === principal.session)) return "direct";
    if (!aws.some((each) => each === principal.account || each === `arn:aws:iam::${principal.account}:root`)) return undefined;
    // A Deny for the account is a Deny for all of it.
    return effect === "Deny" ? "direct" : "account";
}
