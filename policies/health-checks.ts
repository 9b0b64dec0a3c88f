import { ofType, unknown, type Plain, type Resource, type Stack } from "./stack.ts";

export interface Fault {
    /** Whether the health check is one of this stack. */
    readonly found: boolean;
    /** Why it can never fail, as "which …"; `unknown` while that cannot be said, undefined where nothing is wrong. */
    readonly because: string | typeof unknown | undefined;
}

const type = "aws:route53/healthCheck:HealthCheck";

/**
 * Why a health check, given by its id or by what the id came from, can never fail. One that was switched off calls whatever it is of healthy, and so does a calculated one that wants no healthy child.
 * https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html (Disabled, HealthThreshold)
 */
export function fault(stack: Stack, id: Plain, from: readonly string[], seen: readonly Resource[] = []): Fault {
    const checks = ofType(stack, type).filter(
        ({ urn, props }) => from.includes(urn) || (typeof id === "string" && id !== "" && props["id"] === id),
    );
    const fresh = checks.filter((check) => !seen.includes(check));
    return {
        found: checks.length > 0 || from.some((urn) => urn.includes(`${type}::`)),
        because: first(fresh.flatMap((check) => [...ownFaults(check), ...faultsBelow(stack, check, [...seen, ...fresh])])),
    };
}

/** What is surely wrong goes before what cannot be said. */
const first = (faults: readonly Fault["because"][]): Fault["because"] =>
    faults.find((each) => typeof each === "string") ?? faults.find((each) => each === unknown);

function ownFaults({ props: { disabled, childHealthThreshold: threshold } }: Resource): Fault["because"][] {
    const faults: Fault["because"][] = [];
    if (disabled === true) faults.push("is switched off (disabled), which calls everything healthy");
    if (disabled === unknown || threshold === unknown) faults.push(unknown);
    if (threshold === 0) faults.push("wants no healthy child (childHealthThreshold 0), which calls everything healthy");
    return faults;
}

/** Those of the checks that a calculated one counts on. */
function faultsBelow(stack: Stack, { props, from }: Resource, seen: readonly Resource[]): Fault["because"][] {
    const children = props["childHealthchecks"];
    const ids = Array.isArray(children) ? (children as readonly Plain[]) : [undefined];
    const found = ids.map((id) => fault(stack, id, from["childHealthchecks"] ?? [], seen).because);
    return found.map((because) => (typeof because === "string" ? `counts on one that ${because}` : because));
}
