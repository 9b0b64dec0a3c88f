import type { HealthCheckDeclaration } from "./zone-data.ts";

/** What a checker has seen of one endpoint. */
export interface EndpointState {
    readonly healthy: boolean;
    /** Observations in a row that say the opposite. */
    readonly against: number;
}

/**
 * "A new health check is considered to be healthy until there's enough data to determine the actual status."
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
 */
export const newEndpoint: EndpointState = { healthy: true, against: 0 };

/**
 * Takes one more observation: the status changes after `threshold` in a row that say the opposite, in either direction.
 * https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html (FailureThreshold)
 */
export function observe(state: EndpointState, passed: boolean, threshold: number): EndpointState {
    if (passed === state.healthy) return { healthy: state.healthy, against: 0 };
    const against = state.against + 1;
    return against >= threshold ? { healthy: passed, against: 0 } : { healthy: state.healthy, against };
}

/** How an alarm compares. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
const comparisons: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
    GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
    GreaterThanThreshold: (value, threshold) => value > threshold,
    LessThanThreshold: (value, threshold) => value < threshold,
    LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

export interface AlarmDefinition {
    readonly comparison: string;
    readonly threshold: number;
    /** "missing" (default), "breaching", "notBreaching" or "ignore". */
    readonly treatMissingData: string;
}

export type MetricVerdict = "healthy" | "unhealthy" | "insufficient" | "as before";

/**
 * What a metric says of an alarm's health check, from the newest datum in the alarm's window. Route 53 reads the metric's own data, never the alarm's state.
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html#dns-failover-determining-health-of-endpoints-cloudwatch
 * @param newest undefined: there is none in the window
 * @throws RangeError for a comparison that health checks do not know
 */
export function metricVerdict(newest: number | undefined, alarm: AlarmDefinition): MetricVerdict {
    if (newest === undefined)
        return alarm.treatMissingData === "breaching"
            ? "unhealthy"
            : alarm.treatMissingData === "notBreaching"
              ? "healthy"
              : alarm.treatMissingData === "ignore"
                ? "as before"
                : "insufficient";
    const compare = Object.hasOwn(comparisons, alarm.comparison) ? comparisons[alarm.comparison]! : undefined;
    if (!compare) throw new RangeError(`a health check cannot compare by ${alarm.comparison}`);
    return compare(newest, alarm.threshold) ? "unhealthy" : "healthy";
}

/**
 * Status of a metric's check before inversion. `LastKnownStatus` of a check that never knew one is healthy.
 * https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html (InsufficientDataHealthStatus)
 */
export function metricHealth(verdict: MetricVerdict, last: boolean, insufficient: "Healthy" | "Unhealthy" | "LastKnownStatus"): boolean {
    if (verdict === "healthy" || verdict === "unhealthy") return verdict === "healthy";
    if (verdict === "as before" || insufficient === "LastKnownStatus") return last;
    return insufficient === "Healthy";
}

/**
 * Status of a check as records and other checks see it.
 * Calculated: healthy while at least `healthThreshold` children are (0: always). Disabled: "Route 53 considers the status always to be healthy". Inverted comes last.
 * https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
 * @param own status of the endpoint or metric
 * @param child status of a child; undefined when it does not exist, or is calculated itself, which Route 53 does not allow: it counts as unhealthy
 */
export function statusOf(check: HealthCheckDeclaration, own: boolean, child: (id: string) => boolean | undefined): boolean {
    const calculated = () => (check.children ?? []).filter((id) => child(id) === true).length >= (check.healthThreshold ?? 0);
    const healthy = check.disabled || (check.type === "CALCULATED" ? calculated() : own);
    return healthy !== check.inverted;
}
