import { z } from "zod";
import type { Sandbox } from "../sandbox.ts";

/** A health check as the sandbox's checkers see it. */
const check = z.looseObject({
    id: z.string(),
    type: z.string(),
    healthy: z.boolean(),
    changes: z.array(z.looseObject({ at: z.string(), healthy: z.boolean() })),
});
export type Check = z.output<typeof check>;

export async function healthChecks(sandbox: Sandbox): Promise<Check[]> {
    return z.array(check).parse(await sandbox.control("dns", "GET", "/health"));
}

/** Checks of endpoints, as against those of metrics and of other checks. */
export const endpoints = (checks: readonly Check[]): Check[] => checks.filter(({ type }) => type === "HTTPS");

/** When the last of the endpoints was called unhealthy after an instant (milliseconds since 1970); undefined while one is healthy. */
export function endpointsLostAt(checks: readonly Check[], after: number): number | undefined {
    const own = endpoints(checks);
    if (own.length === 0 || own.some(({ healthy }) => healthy)) return undefined;
    return Math.max(
        ...own.map(({ changes }) => Math.max(after, ...changes.filter((change) => !change.healthy).map(({ at }) => Date.parse(at)))),
    );
}

/** When a check of the latch's metric last changed after an instant; undefined when none did. */
export function latchSeenAt(checks: readonly Check[], after: number): number | undefined {
    const changes = checks
        .filter(({ type }) => type === "CLOUDWATCH_METRIC")
        .flatMap(({ changes }) => changes.map(({ at }) => Date.parse(at)))
        .filter((at) => at >= after);
    return changes.length === 0 ? undefined : Math.max(...changes);
}
