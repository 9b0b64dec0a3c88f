import { fault } from "./health-checks.ts";
import { at, broken, cannotTell, holds, ofType, unknown, type Plain, type Resource, type Rule, type Stack, type Verdict } from "./stack.ts";

/** Seconds that a resolver may go on leading users to what is gone. */
export const longestTtl = 60;

/** What a record says, in whichever resource it is declared. */
interface Said {
    readonly healthCheckId: Plain;
    readonly ttl: Plain;
    readonly alias: Plain;
    /** URNs that the id of its health check came from. */
    readonly from: readonly string[];
}

function judge(stack: Stack, record: Resource, { healthCheckId, ttl, alias, from }: Said): Verdict {
    // An alias follows the health of its target, where it is told to.
    const follows = at(alias, "evaluateTargetHealth");
    const { found, because } = fault(stack, healthCheckId, from);
    if (because === unknown) return cannotTell(record, "whether its health check is switched off is known only after the update");
    if (because !== undefined) return broken(record, `has a health check that ${because}`);
    // An id that a health check of this stack will get is as good as there.
    if (!found && follows !== true) {
        if (healthCheckId === unknown || follows === unknown) return cannotTell(record, "its health check is known only after the update");
        if (healthCheckId === undefined || healthCheckId === null || healthCheckId === "")
            return broken(record, "has no health check: nothing would ever lead users elsewhere");
    }
    if (alias !== undefined && alias !== null) return holds(record, "an alias has the TTL of its target, and its health is known");
    if (ttl === unknown) return cannotTell(record, "its TTL is known only after the update");
    return Number(ttl ?? NaN) <= longestTtl
        ? holds(record)
        : broken(record, `has a TTL of ${String(ttl)} s: users would be led to a dead site for so long; ${longestTtl} s at most`);
}

const undecided = (record: Resource) => cannotTell(record, "whether it fails over is known only after the update");

function ofRecord(stack: Stack, record: Resource): Verdict[] {
    const { failoverRoutingPolicies: policies, healthCheckId, ttl, aliases } = record.props;
    if (policies === unknown) return [undecided(record)];
    if (!Array.isArray(policies) || policies.length === 0) return [];
    return [judge(stack, record, { healthCheckId, ttl, alias: at(aliases, 0), from: record.from["healthCheckId"] ?? [] })];
}

/** All records of a name in one resource. It is as good as the worst of them. */
function ofRecordSets(stack: Stack, record: Resource): Verdict[] {
    const sets = record.props["resourceRecordSets"];
    if (sets === unknown) return [undecided(record)];
    const verdicts = (Array.isArray(sets) ? (sets as readonly Plain[]) : []).flatMap((set) => {
        const failover = at(set, "failover");
        if (failover === unknown) return [undecided(record)];
        if (typeof failover !== "string" || failover === "") return [];
        const healthCheckId = at(set, "healthCheckId");
        // The engine ties the whole list to its sources, so only an id that is not there yet can be said to come from them.
        const from = healthCheckId === unknown ? (record.from["resourceRecordSets"] ?? []) : [];
        return [judge(stack, record, { healthCheckId, ttl: at(set, "ttl"), alias: at(set, "aliasTarget"), from })];
    });
    const worst = verdicts.find(({ answer }) => answer === "broken") ?? verdicts.find(({ answer }) => answer === "cannot tell yet");
    return worst ? [worst] : verdicts.slice(0, 1);
}

export const failoverRecord: Rule = {
    name: "failover-record",
    description: `A failover record has a health check, and a TTL of ${longestTtl} s at most.`,
    judge: (stack) => [
        ...ofType(stack, "aws:route53/record:Record").flatMap((record) => ofRecord(stack, record)),
        ...ofType(stack, "aws:route53/recordsExclusive:RecordsExclusive").flatMap((record) => ofRecordSets(stack, record)),
    ],
};
