import type { Estate } from "../../model/estate.ts";
import type { Effect } from "../activation.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import type { LatchRecord } from "../../model/epoch.ts";
import { setLatch } from "../latch.ts";

/** Throws the latch for the claimed epoch, so that users may be answered by the standby, or releases it, so that the primary answers once it is healthy. */
export function latchStep(estate: Estate, bucket: CoordinationBucket, wanted: Omit<LatchRecord, "at">): Effect {
    return {
        async apply() {
            const { at } = await setLatch(estate, bucket, { ...wanted, at: new Date().toISOString() });
            return { ...wanted, at };
        },
    };
}
