import { z } from "zod";
import { siteNames } from "../../model/estate.ts";
import { attempt, calls } from "./calls.ts";
import { span } from "./clock.ts";
import { ownDataEvidence } from "./own-data/comparison.ts";
import { series } from "./series.ts";

export const verdict = z.enum(["PASS", "FAIL"]);
export type Verdict = z.output<typeof verdict>;

/** An objective beside what was found. Seconds; `totalSeconds` is the sum of the four kinds, null when the end never came. */
export const judgement = z.strictObject({
    objectiveSeconds: z.number(),
    measuredSeconds: z.number(),
    scaledSeconds: z.number(),
    modelledSeconds: z.number(),
    declaredSeconds: z.number(),
    totalSeconds: z.number().nullable(),
    /** The worst case by the model's arithmetic; null where no model gives one. Evidence from before null was kept has 0 there: see worst-case.ts. */
    boundSeconds: z.number().nullable(),
    verdict,
});
export type Judgement = z.output<typeof judgement>;

/** A store's newest recovery point at the moment of the loss, held against the store's own objective. */
export const pointEvidence = z.strictObject({
    store: z.string(),
    /** Null when the catalog had none. */
    point: z.string().nullable(),
    /** Stored, compressed and encrypted. */
    bytes: z.int().nullable(),
    /** Of the dump before compression, and seconds from the start of its snapshot to its last stored byte. Absent in evidence before this was kept. */
    dumpBytes: z.int().nullable().optional(),
    backupSeconds: z.number().nullable().optional(),
    /** The standby's verifier says so, in the catalog. */
    verified: z.boolean(),
    /** Restored beside the live database after the loss, and every order that it must have was there. */
    restored: z.boolean(),
    objectiveSeconds: z.number(),
    /** From the start of the newest verified point's snapshot to the loss: what the store would lose without its log. */
    ageSeconds: z.number().nullable(),
    boundSeconds: z.number(),
    /** From the last acknowledged order that the restore brought back, by the copy and its log, to the loss. Absent in evidence before this was kept; null where it cannot be said. */
    lostSeconds: z.number().nullable().optional(),
    restoreSeconds: z.number().nullable(),
    restoredOrders: z.int().nullable(),
    /** Orders acknowledged before the point's snapshot began: all of them must be in it. */
    promisedOrders: z.int().nullable(),
    verdict,
    reasons: z.array(z.string()),
});
export type PointEvidence = z.output<typeof pointEvidence>;

/** Whether there was ever more than one writer, where the old site lived on; see writers.ts for what each figure means. */
export const writersEvidence = z.strictObject({
    tenures: z.array(z.strictObject({ site: z.enum(siteNames), epoch: z.int(), from: z.iso.datetime().nullable() })),
    acknowledged: z.record(z.enum(siteNames), z.int()),
    unlawful: z.int(),
    late: z.strictObject({ count: z.int(), longestMs: z.number() }),
    turns: z.int(),
    /** From the old site's last acknowledgement to the new one's first, seconds; null when one of them never came. */
    silenceSeconds: z.number().nullable(),
    /** What the old site went on to acknowledge after it was cut off: the new history does not have it. No objective promises it; its span is bounded by the lease. */
    alone: z.strictObject({ acknowledged: z.int(), lost: z.int(), spanSeconds: z.number(), lostNumbers: z.array(z.int()) }),
    verdict,
});
export type WritersEvidence = z.output<typeof writersEvidence>;

/** Something else that a scenario demands, and what was seen of it. */
export const check = z.strictObject({ what: z.string(), holds: z.boolean(), saw: z.string() });
export type Check = z.output<typeof check>;

/** The way back to the primary: `lifeboat failback`, and what customers had of it. Wall seconds of this machine. */
export const failbackEvidence = z.strictObject({
    /** Of the whole command, and of each of its steps. */
    seconds: z.number(),
    steps: z.array(z.strictObject({ name: z.string(), seconds: z.number(), result: z.record(z.string(), z.unknown()) })),
    /** From the standby's last acknowledgement to the primary's first: nobody was served in between. */
    switchSeconds: z.number().nullable(),
    /** The longest that any customer waited for an acknowledgement in all of it, as it passed on this machine. */
    longestWaitSeconds: z.number(),
    /** What is added to it: the DNS TTL that `--fast` divided, multiplied back, and what only a cloud can show. */
    scaledSeconds: z.number(),
    modelledSeconds: z.number(),
    /** The three together, beside what the plan expects at most. */
    totalSeconds: z.number(),
    boundSeconds: z.number(),
    acknowledged: z.strictObject({ standby: z.int(), primary: z.int() }),
    /** Acknowledged after the primary's loss, and not in every database of both sites at the end. */
    lost: z.int(),
    /** What the old primary held alone, by store: saved before it was wiped. */
    aside: z.array(z.strictObject({ store: z.string(), rows: z.int(), key: z.string().nullable() })),
    verdict,
});
export type FailbackEvidence = z.output<typeof failbackEvidence>;

/** What a rehearsal measured, beside its objectives. */
export const evidence = z.strictObject({
    version: z.literal(1),
    scenario: z.string(),
    service: z.string(),
    seed: z.int(),
    /** Divisor of the sandbox's own clocks; 1 is real time. */
    fast: z.number(),
    startedAt: z.iso.datetime(),
    lossAt: z.iso.datetime().nullable(),
    verdict,
    /** Why it failed, one line each; empty when it passed. */
    reasons: z.array(z.string()),
    /** From the loss until every customer had been answered well again (the first good answer of the customer who was served last). */
    rto: judgement,
    /** From the oldest lost acknowledgment to the loss. What was acknowledged after the loss is no part of it, whoever acknowledged it. */
    rpo: judgement,
    orders: z.strictObject({
        acknowledged: z.int(),
        survived: z.int(),
        lost: z.int(),
        /** Of the lost: in one database and not in the other. */
        torn: z.int(),
        /** Of the lost: acknowledged after the loss by the other site, the one that lived. It is a fault of its own, and never what a cut-off site acknowledged. */
        lostAfterTheLoss: z.int(),
        /**
         * Of the lost: acknowledged after the loss by the lost site itself, as one that is cut off does until its lease ends. Neither the RPO nor `lostAfterTheLoss`
         * counts it, and no objective promises it. Absent in evidence before this was kept; that of a partition has the same figure in `writers.alone.lost`.
         */
        lostAlone: z.int().optional(),
        /** In a database, and ordered by nobody. */
        unknown: z.int(),
        /** The first hundred of the lost. */
        lostNumbers: z.array(z.int()),
        /** Rows read in each database of the standby. */
        rows: z.record(z.string(), z.int()),
    }),
    clock: z.record(z.string(), span),
    /** Loss to the first good answer that anybody got; wall seconds, as they passed on this machine. */
    firstCustomerWallSeconds: z.number().nullable(),
    calls,
    otherCalls: calls.extend({ by: z.record(z.string(), calls) }),
    /** The same calls by who called and by region (or "global"). Absent in evidence before this was kept. */
    callsByRegion: z.record(z.string(), z.record(z.string(), z.int())).optional(),
    /** What was dropped on its way to the lost region, by address. */
    attempts: z.array(attempt),
    recoveryPoints: z.array(pointEvidence),
    /** Absent when nothing was loaded (`--load`). */
    ownData: ownDataEvidence.optional(),
    /** Of scenarios in which the old site lives on. */
    writers: writersEvidence.optional(),
    checks: z.array(check).optional(),
    /** Of a rehearsal that goes back (`--failback`). */
    failback: failbackEvidence.optional(),
    /** What was not measured, in words. */
    modelled: z.array(z.string()),
    /** Wall seconds of the rehearsal's own phases. */
    phases: z.record(z.string(), z.number()),
    /** Absent in evidence before this was kept. */
    series: series.optional(),
});
export type Evidence = z.output<typeof evidence>;
