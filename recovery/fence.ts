import { z } from "zod";
import type { EpochRecord } from "../model/epoch.ts";
import { siteNames } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import { witness } from "../model/names.ts";
import { seconds } from "../model/units.ts";
import type { CoordinationBucket } from "./conditional-bucket.ts";
import { parseEpoch } from "./epoch.ts";

/** Who holds the lease of a store, as its guard last said. For people to see, and for an activation to learn how long leases are. */
export const leaseRecord = z.strictObject({
    store: z.string(),
    site: z.enum(siteNames),
    epoch: z.int().min(1),
    /** The guard's pod. */
    holder: z.string(),
    /** RFC 3339, UTC, by the guard's own clock: no decision is made by it. */
    at: z.iso.datetime(),
    /** How long a proof is good for. */
    seconds: z.number().positive().transform(seconds),
});
export type LeaseRecord = z.output<typeof leaseRecord>;

/** The witness's copy of the epoch record. @throws Failure where there is none, or it is damaged */
export async function readFence(bucket: CoordinationBucket, signal?: AbortSignal): Promise<{ record: EpochRecord; etag: string }> {
    const stored = await bucket.get(witness.fence, signal);
    if (!stored)
        throw new Failure(
            "prerequisite",
            "the witness was never told the epoch",
            "run `lifeboat bootstrap`: it gives the witness its first copy",
        );
    return { record: parseEpoch(stored.text, witness.fence), etag: stored.etag };
}

/**
 * Tells the witness of an epoch record. It only ever goes up; a copy that is there already is success, whoever wrote it.
 * @returns true where this call wrote it. @throws Failure("refused") where the witness knows a higher epoch, or another record of the same one
 */
export async function raiseFence(bucket: CoordinationBucket, record: EpochRecord): Promise<boolean> {
    // A write that lost is followed by a look at what won; more than a few writers at once there are not.
    for (let round = 0; ; round++) {
        const { record: known, etag } = await readFence(bucket);
        if (known.epoch === record.epoch && known.active === record.active) return false;
        if (known.epoch >= record.epoch || round > 3)
            throw new Failure(
                "refused",
                `the witness knows epoch ${known.epoch} (${known.active} active since ${known.at}, by ${known.by}), and was to be told ${record.epoch}`,
                "run `lifeboat epoch` to see who is active, and speak with whoever raised it",
            );
        if (await bucket.replace(witness.fence, JSON.stringify(record), etag)) return true;
    }
}

/** What guards have said of their leases. A record that cannot be read is left out, and told. */
export async function readLeases(bucket: CoordinationBucket, note: (line: string) => void): Promise<LeaseRecord[]> {
    const found = await Promise.all(
        (await bucket.list(witness.leases)).map(async (key) => {
            const stored = await bucket.get(key);
            try {
                return [leaseRecord.parse(JSON.parse(stored?.text ?? "null"))];
            } catch (error) {
                note(`${key} is no lease record: ${(error as Error).message}`);
                return [];
            }
        }),
    );
    return found.flat();
}
