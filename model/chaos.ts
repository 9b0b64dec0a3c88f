import { z } from "zod";
import { siteNames, type Estate } from "./estate.ts";
import type { Readiness } from "./readiness.ts";
import { seconds, type Seconds } from "./units.ts";

/** What is done to a running site on purpose: a pod dies, answers come late, connections run out. */
export const experiments = ["pod", "latency", "connections"] as const;
export type Experiment = (typeof experiments)[number];

/** How long a fault may last: it ends by itself then, whoever lives. */
export const faultSpans = { usual: seconds(60), longest: seconds(600) } as const;
/** So long after its end a fault's last trace is gone, even where everything that could clean up is dead. */
export const faultSlack = seconds(30);

/** The one experiment that is under way, or the last one. Written on a condition: there is never a second one. */
export const chaosRecord = z.strictObject({
    version: z.literal(1),
    id: z.string().regex(/^[a-z0-9-]+$/),
    experiment: z.enum(experiments),
    site: z.enum(siteNames),
    target: z.string(),
    by: z.string(),
    reason: z.string(),
    /** RFC 3339, UTC. */
    at: z.iso.datetime(),
    /** When the fault has ended by itself at the latest. */
    until: z.iso.datetime(),
    /** When it was seen to be over and cleaned up; null until then. */
    over: z.iso.datetime().nullable(),
});
export type ChaosRecord = z.output<typeof chaosRecord>;

/** So long a run waits, after a fault's end, for each of: users are served, replicas have caught up. */
export const recoveryLimit = seconds(300);

/**
 * Whether a new experiment may begin after the last one: "free"; "under way", also while it waits for the recovery; or "left", where its fault has ended and
 * its run is dead.
 * @param alive whether the process that runs it lives, as far as that can be told from here
 * @param now ms since 1970
 */
export function standing(record: ChaosRecord | undefined, alive: "yes" | "no" | "cannot tell", now: number): "free" | "under way" | "left" {
    if (record === undefined || record.over !== null) return "free";
    if (alive === "yes") return "under way";
    // Of a run on another machine nobody knows: it may still be waiting.
    const patience = faultSlack + (alive === "no" ? 0 : 2 * recoveryLimit);
    return now > Date.parse(record.until) + patience * 1000 ? "left" : "under way";
}

/** Why nothing may be broken now: there would be nothing to fall back on. Empty where it may. */
export const reasonsAgainst = ({ active, obstacles, unprotected, failover }: Readiness): string[] => [
    ...(active === null ? ["nobody can say which site is active"] : []),
    ...obstacles.map(({ what }) => `the standby could not take over: ${what}`),
    ...unprotected.map(({ store, why }) => `${store} is unprotected: ${why}`),
    ...(failover === "over the promise" ? ["a failover now would lose more than was promised"] : []),
];

/** What an experiment may be aimed at. Connections are those of a store. */
export const targetsOf = (estate: Estate, experiment: Experiment): string[] => [
    ...(experiment === "connections" ? [] : Object.keys(estate.services)),
    ...Object.keys(estate.stores),
];

/** One look at a service: when, and what it answered. */
export interface Look {
    /** ms since 1970 */
    at: number;
    ok: boolean;
    /** Until the answer, or until it was given up. */
    ms: number;
}

/** What users met while it lasted. */
export interface Felt {
    asked: number;
    unanswered: number;
    slowestMs: number;
    /** Longest stretch without a good answer: from the last good one to the next. */
    longestAway: Seconds;
}

/** Sums up looks, oldest first. */
export function feltIn(looks: readonly Look[]): Felt {
    let longest = 0;
    let lastGood = looks[0]?.at ?? 0;
    let away = false;
    for (const { at, ok, ms } of looks) {
        if (!ok) away = true;
        // It was away at least until this look began, or still is.
        if (away) longest = Math.max(longest, (ok ? at : at + ms) - lastGood);
        if (ok) {
            away = false;
            lastGood = at;
        }
    }
    return {
        asked: looks.length,
        unanswered: looks.filter(({ ok }) => !ok).length,
        slowestMs: Math.max(0, ...looks.map(({ ms }) => Math.round(ms))),
        longestAway: seconds(longest / 1000),
    };
}
