import { z } from "zod";
import { siteNames } from "./estate.ts";

/** The one truth about who is active. `epoch` only grows; whoever is named in the highest one may write. */
export const epochRecord = z.strictObject({
    epoch: z.int().min(1),
    active: z.enum(siteNames),
    /** RFC 3339, UTC. */
    at: z.iso.datetime(),
    /** Who raised it, and why. */
    by: z.string(),
    reason: z.string(),
    /** The activation that raised it, so that its resumed run knows its own claim. Absent in the record of bootstrap. */
    activation: z.string().optional(),
});
export type EpochRecord = z.output<typeof epochRecord>;

/** Whether the standby may be answered for users. Kept apart from the epoch: nothing moves before the standby can write. */
export const latchRecord = z.strictObject({ thrown: z.boolean(), epoch: z.int().min(1), at: z.iso.datetime() });
export type LatchRecord = z.output<typeof latchRecord>;
