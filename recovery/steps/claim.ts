import type { EpochRecord } from "../../model/epoch.ts";
import type { SiteName } from "../../model/estate.ts";
import type { UndoableEffect } from "../activation.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import { claimEpoch, readEpoch } from "../epoch.ts";
import { raiseFence } from "../fence.ts";

export interface ClaimOptions {
    bucket: CoordinationBucket;
    /** Told of the undone epoch, too; undefined where the activation leaves it out. */
    witness: CoordinationBucket | undefined;
    activation: string;
    /** The record that the activation was decided on. */
    from: EpochRecord;
    /** Who is to be active. */
    to: SiteName;
    by: string;
    reason: string;
}

/**
 * Raises the epoch by one and names the active site. Undone by raising it once more, for the site that was active: first here, where
 * it counts, then in the witness's copy. A witness that cannot be told then is told by the standby's guards.
 */
export function claimStep({ bucket, witness, activation, from, to, by, reason }: ClaimOptions): UndoableEffect {
    const at = () => new Date().toISOString();
    return {
        async apply() {
            const { epoch, active } = await claimEpoch(bucket, from.epoch, { active: to, at: at(), by, reason, activation });
            return { epoch, active };
        },
        async undo({ note }) {
            const { record } = await readEpoch(bucket);
            const claimed = record.activation === activation && record.epoch === from.epoch + 1;
            const givenBack = record.activation === activation && record.epoch === from.epoch + 2;
            // Neither: the claim never took place, and whoever moved the epoch since is right.
            if (!claimed && !givenBack) return { epoch: record.epoch, active: record.active, claimed: false };
            const undone = { active: from.active, at: at(), by, reason: `undo of activation ${activation}`, activation };
            const raised = await claimEpoch(bucket, from.epoch + 1, undone);
            const { epoch, active } = raised;
            if (!witness) return { epoch, active };
            try {
                await raiseFence(witness, raised);
                return { epoch, active, witness: "raised" };
            } catch (error) {
                const why = (error as Error).message;
                note(`the witness was not told; the standby's guards will tell it: ${why}`);
                return { epoch, active, witness: `not told: ${why}` };
            }
        },
    };
}
