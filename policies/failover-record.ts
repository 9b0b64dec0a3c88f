import { at, broken, cannotTell, holds, ofType, unknown, type Resource, type Rule, type Verdict } from "./stack.ts";

/** Seconds that a resolver may go on leading users to what is gone. */
export const longestTtl = 60;

function judge(record: Resource): Verdict {
    const { healthCheckId, ttl, aliases } = record.props;
    // An id that a health check of this stack will get is as good as there.
    const checked = (record.from["healthCheckId"] ?? []).some((urn) => urn.includes("aws:route53/healthCheck:HealthCheck::"));
    if (!checked) {
        if (healthCheckId === unknown) return cannotTell(record, "its health check is known only after the update");
        if (healthCheckId === undefined || healthCheckId === null || healthCheckId === "")
            return broken(record, "has no health check: nothing would ever lead users elsewhere");
    }
    if (at(aliases, 0) !== undefined) return holds(record, "an alias has the TTL of its target, and a health check");
    if (ttl === unknown) return cannotTell(record, "its TTL is known only after the update");
    return Number(ttl) <= longestTtl
        ? holds(record)
        : broken(record, `has a TTL of ${String(ttl)} s: users would be led to a dead site for so long; ${longestTtl} s at most`);
}

export const failoverRecord: Rule = {
    name: "failover-record",
    description: `A failover record has a health check, and a TTL of ${longestTtl} s at most.`,
    judge: (stack) =>
        ofType(stack, "aws:route53/record:Record").flatMap((record) => {
            const policies = record.props["failoverRoutingPolicies"];
            if (policies === unknown) return [cannotTell(record, "whether it fails over is known only after the update")];
            return Array.isArray(policies) && policies.length > 0 ? [judge(record)] : [];
        }),
};
