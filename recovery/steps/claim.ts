import type { EpochRecord } from "../../model/epoch.ts";
import type { UndoableEffect } from "../activation.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import { claimEpoch, readEpoch } from "../epoch.ts";

export interface ClaimOptions {
    bucket: CoordinationBucket;
    activation: string;
    /** The record that the activation was decided on. */
    from: EpochRecord;
    by: string;
    reason: string;
}

/** Raises the epoch by one and makes the standby the active site. Undone by raising it once more, for the site that was active. */
export function claimStep({ bucket, activation, from, by, reason }: ClaimOptions): UndoableEffect {
    const at = () => new Date().toISOString();
    return {
        async apply() {
            const { epoch, active } = await claimEpoch(bucket, from.epoch, { active: "standby", at: at(), by, reason, activation });
            return { epoch, active };
        },
        async undo() {
            const { record } = await readEpoch(bucket);
            const claimed = record.activation === activation && record.epoch === from.epoch + 1;
            const givenBack = record.activation === activation && record.epoch === from.epoch + 2;
            // Neither: the claim never took place, and whoever moved the epoch since is right.
            if (!claimed && !givenBack) return { epoch: record.epoch, active: record.active, claimed: false };
            const undone = { active: from.active, at: at(), by, reason: `undo of activation ${activation}`, activation };
            const { epoch, active } = await claimEpoch(bucket, from.epoch + 1, undone);
            return { epoch, active };
        },
    };
}
