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
    const of = (who: string) => (by[who] ??= { total: 0, deadRegion: 0, globalControlPlane: 0 });
    for (const { at, who, region, globalWrite } of audit) {
        const time = Date.parse(at);
        if (time < from || time > to) continue;
        const mine = of(who);
        mine.total++;
        if (region === lost.region) mine.deadRegion++;
        if (region === "global" || globalWrite === true) mine.globalControlPlane++;
    }
    const prefix = `10.${siteAddresses(lost.site).number}.`;
    for (const { who, destination } of attempts) {
        if (!destination.startsWith(prefix)) continue;
        const mine = of(who);
        mine.total++;
        mine.deadRegion++;
    }
    return by;
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
