import { z } from "zod";
import { siteAddresses } from "../addresses.ts";
import type { SiteName } from "../../model/estate.ts";

/** Calls of somebody, from the loss to the first good answer. */
export const calls = z.strictObject({
    total: z.int(),
    /** To the lost region: AWS calls, and connections to any of its addresses. */
    deadRegion: z.int(),
    /** To control planes that are global: IAM, Route 53 and global STS, reads too; and what they carry out for others, as the making of a bucket. */
    globalControlPlane: z.int(),
});
export type Calls = z.output<typeof calls>;

/** What the rehearsal reads of a line of the gate's audit. */
export const auditLine = z.looseObject({
    at: z.string(),
    who: z.string(),
    region: z.string(),
    service: z.string(),
    action: z.string(),
    globalWrite: z.boolean().optional(),
});
export type AuditLine = z.output<typeof auditLine>;

/** Somebody's packets to the lost region: one entry for each address and port, however many packets were tried. */
export const attempt = z.strictObject({
    source: z.string(),
    who: z.string(),
    destination: z.string(),
    port: z.number(),
    packets: z.number(),
});
export type Attempt = z.output<typeof attempt>;

/**
 * Counts who called what. AWS calls are counted in the gate's audit; packets that were dropped on the way to the lost region never reached the gate, and are counted
 * once for each address and port that somebody tried (connections that never stood are not AWS calls yet).
 * @param from,to wall time, milliseconds since 1970; `attempts` holds what was dropped between the two
 */
export function countCalls(
    audit: readonly AuditLine[],
    attempts: readonly Attempt[],
    lost: { site: SiteName; region: string },
    from: number,
    to: number,
): Record<string, Calls> {
    const by: Record<string, Calls> = {};
    for (const { who, region, globalControlPlane } of callsBetween(audit, attempts, lost, from, to)) {
        const mine = (by[who] ??= { total: 0, deadRegion: 0, globalControlPlane: 0 });
        mine.total++;
        if (region === lost.region) mine.deadRegion++;
        if (globalControlPlane) mine.globalControlPlane++;
    }
    return by;
}

/** The same calls by who called and by region; "global" is the endpoint of a global service. Arguments as of {@link countCalls}. */
export function countByRegion(...of: Parameters<typeof countCalls>): Record<string, Record<string, number>> {
    const by: Record<string, Record<string, number>> = {};
    for (const { who, region } of callsBetween(...of)) {
        const mine = (by[who] ??= {});
        mine[region] = (mine[region] ?? 0) + 1;
    }
    return by;
}

function callsBetween(...[audit, attempts, lost, from, to]: Parameters<typeof countCalls>) {
    const within = audit.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) <= to);
    const prefix = `10.${siteAddresses(lost.site).number}.`;
    return [
        ...within.map(({ who, region, globalWrite }) => ({
            who,
            region,
            globalControlPlane: region === "global" || globalWrite === true,
        })),
        ...attempts
            .filter(({ destination }) => destination.startsWith(prefix))
            .map(({ who }) => ({ who, region: lost.region, globalControlPlane: false })),
    ];
}

/** The activation's own, and everybody else's, together and each. */
export function separate(by: Readonly<Record<string, Calls>>): { calls: Calls; otherCalls: Calls & { by: Record<string, Calls> } } {
    const { activation = { total: 0, deadRegion: 0, globalControlPlane: 0 }, ...others } = by;
    const add = (pick: (each: Calls) => number) => Object.values(others).reduce((sum, each) => sum + pick(each), 0);
    return {
        calls: activation,
        otherCalls: {
            total: add((each) => each.total),
            deadRegion: add((each) => each.deadRegion),
            globalControlPlane: add((each) => each.globalControlPlane),
            by: others,
        },
    };
}
