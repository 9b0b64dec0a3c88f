import type { EpochRecord } from "./epoch.ts";
import type { LeaseTerms, SiteName } from "./estate.ts";
import { seconds, type Seconds } from "./units.ts";

/**
 * What one guard knows of its site's right to write. Every time is on its own monotonic clock, in seconds: no two clocks are ever compared, so what a wall clock
 * says anywhere does not matter. `epoch` is the highest that it was told of; 0 before the first answer.
 */
export type Lease =
    /** Nobody has said yet who is active. */
    | { readonly state: "unproven"; readonly epoch: number }
    /** The epoch was proven to be this site's: good until `until`, and no longer. */
    | { readonly state: "proven"; readonly epoch: number; readonly until: Seconds }
    /** The epoch is another site's. */
    | { readonly state: "ceded"; readonly epoch: number; readonly active: SiteName };

export const noLease: Lease = { state: "unproven", epoch: 0 };

/** The part of an epoch record that decides. */
export type Claim = Pick<EpochRecord, "epoch" | "active">;

/** What a guard begins with: the highest claim that the guards before it were told of takes the right to write away, and never gives it. */
export function leaseAfter(before: Claim | undefined, site: SiteName): Lease {
    if (!before) return noLease;
    const { epoch, active } = before;
    return active === site ? { state: "unproven", epoch } : { state: "ceded", epoch, active };
}

/**
 * What a guard knows after a record (the epoch record in the standby, or the witness's copy of it) was read to the end.
 *
 * The proof counts from the start of the request, not from its answer: the record said so at some moment after the start, so whoever raised both records did it later
 * than `askedAt`, and has to wait the lease's duration from then (`fenceWait`). A copy that is behind proves nothing and takes nothing away.
 * @param askedAt when the request was begun, on the guard's clock
 */
export function heard(lease: Lease, site: SiteName, { epoch, active }: Claim, askedAt: Seconds, { duration }: LeaseTerms): Lease {
    if (epoch < lease.epoch) return lease;
    if (active !== site) return { state: "ceded", epoch, active };
    // Two records of one epoch that name two sites: one of them is damaged, and nobody writes by it.
    if (lease.state === "ceded" && epoch === lease.epoch) return lease;
    const before = lease.state === "proven" ? lease.until : -Infinity;
    return { state: "proven", epoch, until: seconds(Math.max(before, askedAt + duration)) };
}

/** Whether the site's servers may acknowledge a write at this instant. */
export const mayWrite = (lease: Lease, now: Seconds): boolean => lease.state === "proven" && now < lease.until;

/** For clocks whose seconds are not quite alike: two that differ by a thousandth drift 0.06 s apart in a lease of a minute. */
export const fenceMargin = seconds(1);

/**
 * How long an activation waits, after both records carry its epoch, until no guard of the other site can hold a proof any more.
 * @param durations of the leases that guards may hold: what the estate declares, and what guards of an older release say that theirs is
 */
export const fenceWait = (durations: readonly Seconds[]): Seconds => seconds(Math.max(...durations) + fenceMargin);

/**
 * How a store's server stands. `read-only`: nobody but the superuser can write. `half-open`: on its way between closed and writable, where a guard that died left it, or a replica that takes writes,
 * as nobody should have made it.
 */
export const serverRoles = ["writable", "half-open", "read-only", "replica"] as const;
export type ServerRole = (typeof serverRoles)[number];

export type GuardAction = "open" | "close" | "leave";

/** What a guard does to its server. A replica is the activation's to promote: the guard alone never does. */
export function actionFor(writable: boolean, role: ServerRole): GuardAction {
    switch (role) {
        case "replica":
            return "leave";
        case "read-only":
            return writable ? "open" : "leave";
        case "half-open":
            return writable ? "open" : "close";
        case "writable":
            return writable ? "leave" : "close";
    }
}
