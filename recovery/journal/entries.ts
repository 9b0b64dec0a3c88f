import { z } from "zod";
import { epochRecord } from "../../model/epoch.ts";
import { runner } from "../runner.ts";

/** Ids of activations sort by the time of their start: `YYYYMMDDTHHMMSSZ-xxxx`. */
export const activationId = z.string().regex(/^\d{8}T\d{6}Z-[0-9a-f]{4}$/);

const result = z.record(z.string(), z.unknown());
const step = z.string();
const seconds = z.number().min(0);

/** What can happen to an activation. Each stands in the journal before the next thing is done. */
export const event = z.discriminatedUnion("kind", [
    /** The first entry, and only that: what is to be done, and from which epoch. */
    z.strictObject({
        kind: z.literal("opened"),
        estate: z.string(),
        account: z.string(),
        scenario: z.enum(["region-loss", "failback"]),
        from: epochRecord,
        reason: z.string(),
        /** The steps that an activation of this plan executes, in order: a run with another plan may not go on with it. */
        steps: z.array(step),
    }),
    /** Another process goes on from here; whoever ran it before may not write any more. */
    z.strictObject({ kind: z.literal("resumed") }),
    /** The runner lives. */
    z.strictObject({ kind: z.literal("heartbeat") }),
    /** The step's effect may have taken place from here on. */
    z.strictObject({ kind: z.literal("begun"), step, attempt: z.int().min(1) }),
    z.strictObject({ kind: z.literal("done"), step, seconds, result }),
    z.strictObject({ kind: z.literal("failed"), step, seconds, why: z.string() }),
    /** A person gave it up before the point of no return: it only goes back from here, whoever resumes it. */
    z.strictObject({ kind: z.literal("aborted"), reason: z.string() }),
    z.strictObject({ kind: z.literal("undoing"), step }),
    z.strictObject({ kind: z.literal("undone"), step, seconds, result }),
    z.strictObject({ kind: z.literal("undo failed"), step, seconds, why: z.string() }),
    /** The runner stopped in good order; anybody may resume at once. */
    z.strictObject({ kind: z.literal("left"), why: z.string() }),
    /** The last entry. "active": the site is that was to be. "undone": as before, but for the epoch's number. "undone in part": read the journal. */
    z.strictObject({ kind: z.literal("closed"), outcome: z.enum(["active", "undone", "undone in part"]) }),
]);
export type Event = z.output<typeof event>;
export type Opened = Extract<Event, { kind: "opened" }>;
export type Outcome = Extract<Event, { kind: "closed" }>["outcome"];

/** One object of a journal: `journal/ACTIVATION/NNNNNN.json`. */
export const entry = z.strictObject({
    version: z.literal(1),
    activation: activationId,
    number: z.int().min(0),
    /** SHA-256 of the entry before, as it is stored; null in the first: an entry that was lost, changed or put in between shows. */
    previous: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullable(),
    at: z.iso.datetime(),
    runner,
    event,
});
export type Entry = z.output<typeof entry>;
