import type { UndoableEffect } from "../activation.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import { readEpoch } from "../epoch.ts";

/**
 * The fence of this release is the epoch: guards ask it, and a server that starts asks it. It has no lease, so a primary that lives and
 * cannot ask goes on writing; the journal and the report say so.
 */
export function fenceStep(bucket: CoordinationBucket): UndoableEffect {
    return {
        async apply({ note }) {
            const { record } = await readEpoch(bucket);
            note("a live primary that cannot read the epoch is not fenced: there is no lease yet");
            return { epoch: record.epoch, lease: false, livePrimaryIsFenced: false };
        },
        // The epoch is the claim's to take back.
        undo: () => Promise.resolve({ nothing: "was changed" }),
    };
}
