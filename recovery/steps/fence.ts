import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseTerms } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { fenceWait } from "../../model/lease.ts";
import { formatDuration } from "../../model/units.ts";
import type { UndoableEffect } from "../activation.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import { readEpoch } from "../epoch.ts";
import { raiseFence, readLeases } from "../fence.ts";

export interface FenceOptions {
    bucket: CoordinationBucket;
    /** Undefined: a person says that the other site is dead, and that nobody has to ask the witness. */
    witness: CoordinationBucket | undefined;
    terms: LeaseTerms;
    /** The epoch that was claimed. */
    epoch: number;
}

/**
 * Takes the last right to write from the other site: raises the witness's copy of the epoch, so that no guard gets another proof from anywhere, then waits until the proofs
 * that were given before have run out. Repeated by a resumed run it waits again. Its undo is the claim's: that raises both records.
 * @throws Failure("refused") where the witness cannot be told: a guard that reaches it could go on having the old epoch proven
 */
export function fenceStep({ bucket, witness, terms, epoch }: FenceOptions): UndoableEffect {
    return {
        async apply({ signal, note }) {
            const { record } = await readEpoch(bucket);
            if (record.epoch !== epoch || record.active !== "standby")
                throw new Failure(
                    "refused",
                    `the epoch moved to ${record.epoch} (${record.active} active, by ${record.by}) while this activation held ${epoch}`,
                    "run `lifeboat epoch` to see who is active, and speak with whoever that is before anything else",
                );
            if (witness) await raiseFence(witness, record).catch(untold);
            else note("the witness is left out, as was asked for: a primary that lives and reaches it is not fenced");
            const leases = witness ? await readLeases(witness, note) : [];
            const wait = fenceWait([terms.duration, ...leases.map(({ seconds }) => seconds)]);
            note(`waits ${formatDuration(wait)}: until then a server of the primary may still hold a lease`);
            await sleep(wait * 1000, undefined, { signal });
            return { epoch, witness: witness ? "raised" : "left out", waitedSeconds: wait };
        },
        undo: () => Promise.resolve({ nothing: "to undo: the claim's undo raises both records" }),
    };
}

function untold(error: unknown): never {
    if (error instanceof Failure && error.exit === "refused") throw error;
    throw new Failure(
        "refused",
        `the witness cannot be told the new epoch, so a primary that lives and reaches it could go on writing: ${(error as Error).message}`,
        "repeat it when the witness's region answers; or, if you know that the primary is dead, `lifeboat activate --without-witness --reason WHY`",
        { cause: error },
    );
}
