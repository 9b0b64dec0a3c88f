import type { Estate } from "../../model/estate.ts";
import type { Effect } from "../activation.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import { throwLatch } from "../latch.ts";

/** Throws the latch for the claimed epoch: users may be answered by the standby from here on. */
export function latchStep(estate: Estate, bucket: CoordinationBucket, epoch: number): Effect {
    return {
        async apply() {
            const { at } = await throwLatch(estate, bucket, epoch, new Date().toISOString());
            return { thrown: true, epoch, at };
        },
    };
}
