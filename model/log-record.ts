import { z } from "zod";
import { siteNames } from "./estate.ts";

const instant = z.iso.datetime();

/** What the verifier has seen of one history of a store's log (coordination bucket, `logs/STORE/HISTORY.json`): written over by the verifier alone. */
export const logRecord = z.strictObject({
    version: z.literal(1),
    store: z.string(),
    history: z.string(),
    /** Site whose server wrote it. */
    site: z.enum(siteNames),
    /** When it was looked at, and in whose vault. */
    at: instant,
    read: z.enum(siteNames),
    /** Where the unbroken log begins that was looked at. */
    from: z.string(),
    /** Every piece up to here was opened and is what the engine wrote. */
    good: z.strictObject({ file: z.string(), bytes: z.int(), position: z.string().optional(), committedAt: instant.optional() }).optional(),
    /** Something behind it is not there, though newer pieces are; since when. Short ones are replication, which keeps no order. */
    gap: z.strictObject({ why: z.string(), since: instant }).optional(),
    /** The piece behind it is not what was put there. */
    damaged: z.strictObject({ why: z.string(), since: instant }).optional(),
});
export type LogRecord = z.output<typeof logRecord>;
