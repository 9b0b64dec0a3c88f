import { at, broken, cannotTell, holds, ofType, unknown, type Plain, type Resource, type Rule, type Stack, type Verdict } from "./stack.ts";

/** Seconds that a resolver may go on leading users to what is gone. */
export const longestTtl = 60;

const checkType = "aws:route53/healthCheck:HealthCheck";

/** A check that was switched off calls whatever it is of healthy. https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html (Disabled) */
function switchedOff(stack: Stack, record: Resource): Plain {
    const { healthCheckId } = record.props;
    const own = ofType(stack, checkType).find(
        ({ urn, props }) =>
            record.from["healthCheckId"]?.includes(urn) === true ||
            (healthCheckId !== unknown && props["id"] === healthCheckId && healthCheckId !== undefined),
    );
    return own?.props["disabled"];
}

function judge(stack: Stack, record: Resource): Verdict {
    const { healthCheckId, ttl, aliases } = record.props;
    const alias = at(aliases, 0);
    // An alias follows the health of its target, where it is told to.
    const follows = at(alias, "evaluateTargetHealth");
    // An id that a health check of this stack will get is as good as there.
    const checked = (record.from["healthCheckId"] ?? []).some((urn) => urn.includes(`${checkType}::`));
    const off = switchedOff(stack, record);
    if (off === unknown) return cannotTell(record, "whether its health check is switched off is known only after the update");
    if (off === true) return broken(record, "has a health check that is switched off (disabled), which calls everything healthy");
    if (!checked && follows !== true) {
        if (healthCheckId === unknown || follows === unknown) return cannotTell(record, "its health check is known only after the update");
        if (healthCheckId === undefined || healthCheckId === null || healthCheckId === "")
            return broken(record, "has no health check: nothing would ever lead users elsewhere");
    }
    if (alias !== undefined) return holds(record, "an alias has the TTL of its target, and its health is known");
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
            return Array.isArray(policies) && policies.length > 0 ? [judge(stack, record)] : [];
        }),
};
