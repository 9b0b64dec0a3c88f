import { epochRecord, latchRecord, type EpochRecord, type LatchRecord } from "../../model/epoch.ts";
import { coordination, witness } from "../../model/names.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";

/** Writes the first epoch record (the primary is active) where there is none. True where it was written. */
export function ensureEpoch(bucket: CoordinationBucket, by: string, at: string): Promise<boolean> {
    const first: EpochRecord = epochRecord.parse({ epoch: 1, active: "primary", at, by, reason: "bootstrap" });
    return ensure(bucket, coordination.epoch, first);
}

/** Gives the witness its first copy of the epoch record where it has none. True where it was written. */
export const ensureFence = (bucket: CoordinationBucket, epoch: EpochRecord): Promise<boolean> => ensure(bucket, witness.fence, epoch);

/** Writes the first latch record (not thrown) where there is none. True where it was written. */
export function ensureLatch(bucket: CoordinationBucket, at: string): Promise<boolean> {
    const first: LatchRecord = latchRecord.parse({ thrown: false, epoch: 1, at });
    return ensure(bucket, coordination.latch, first);
}

async function ensure(bucket: CoordinationBucket, key: string, record: object): Promise<boolean> {
    if ((await bucket.get(key)) !== undefined) return false;
    return bucket.create(key, JSON.stringify(record));
}
