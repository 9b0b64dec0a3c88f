import type { SiteName } from "../../model/estate.ts";
import { defineEstate } from "../../stores/estate.ts";
import type { Answer, DatabaseFacts, Facts } from "../../model/readiness.ts";
import { declaration } from "./declaration.ts";

export const estate = defineEstate(declaration());
export const at = "2026-11-21T15:44:00.000Z";
export const none = (what: string) => ({ none: what, next: "mend it" });
export const value = <T>(known: T): Answer<T> => ({ value: known });
export const replica = (lagSeconds: number | null, problem?: string): Answer<DatabaseFacts> =>
    value({ role: "replica", lagSeconds, problem });
export const server = (role: "writable" | "read-only", problem?: string): Answer<DatabaseFacts> =>
    value({ role, lagSeconds: null, problem });
export const both = <T>(of: T) => ({ ledger: of, people: of });
export const minutesAgo = (minutes: number, copies = 2, logTrouble?: string) =>
    value({ point: "p", startedAt: new Date(Date.parse(at) - minutes * 60_000).toISOString(), copies, logTrouble });
export const epoch = (active: SiteName) => value({ epoch: active === "primary" ? 1 : 2, active, at, by: "anna@laptop", reason: "test" });

/** A calm day: nothing is wrong. */
export const calm: Facts = {
    at,
    epoch: epoch("primary"),
    latch: value({ thrown: false, epoch: 1, at }),
    witness: epoch("primary"),
    unfinished: value(undefined),
    built: { primary: value(true), standby: value(true) },
    databases: { primary: both(server("writable")), standby: both(replica(0.2)) },
    services: { primary: { till: value(200) }, standby: { till: none("refused") } },
    points: both(minutesAgo(4)),
};
