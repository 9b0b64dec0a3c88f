import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseTerms } from "../../../model/estate.ts";
import { Failure } from "../../../model/failure.ts";
import { fenceWait } from "../../../model/lease.ts";
import type { UndoableEffect } from "../../activation.ts";
import type { CoordinationBucket } from "../../conditional-bucket.ts";
import { readEpoch } from "../../epoch.ts";
import { raiseFence, readLeases } from "../../fence.ts";
import { askStatus } from "../../guard.ts";
import { nothingToUndo } from "../nothing.ts";
import type { Side } from "./side.ts";

export interface HandOverOptions {
    bucket: CoordinationBucket;
    witness: CoordinationBucket;
    terms: LeaseTerms;
    /** The epoch that was claimed. */
    epoch: number;
    stores: readonly string[];
    /** The site that gives the writing up. */
    from: Side;
}

/**
 * The fence of a planned switch: the guards that are to give up can be asked, so nobody waits for longer than they take. Each has to say that it knows the claimed epoch and
 * that its server is closed. One that does not answer is waited out, as in an activation: its lease, and the margin.
 */
export function handOverStep({ bucket, witness, terms, epoch, stores, from }: HandOverOptions): UndoableEffect {
    return {
        ...nothingToUndo,
        async apply({ signal, note }) {
            const { record } = await readEpoch(bucket);
            if (record.epoch !== epoch)
                throw new Failure(
                    "refused",
                    `the epoch moved to ${record.epoch} (${record.active} active, by ${record.by}) while this activation held ${epoch}`,
                    "run `lifeboat epoch` to see who is active, and speak with whoever that is before anything else",
                );
            await raiseFence(witness, record);
            const wait = fenceWait([terms.duration, ...(await readLeases(witness, note)).map(({ seconds }) => seconds)]);
            const raisedAt = performance.now();
            const closed = stores.map(async (store) => {
                for (let told = ""; performance.now() - raisedAt < wait * 1000; await sleep(200, undefined, { signal })) {
                    const found = await askStatus(from.guard, store, signal);
                    if (typeof found === "string") {
                        if (found !== told) note((told = found));
                    } else if (found.role === "read-only" && found.lease?.state === "ceded" && found.lease.epoch >= epoch)
                        return [store, "closed"] as const;
                }
                note(`${store}: its guard did not say that it is closed; its lease has run out`);
                return [store, "lease waited out"] as const;
            });
            return { epoch, stores: Object.fromEntries(await Promise.all(closed)), seconds: (performance.now() - raisedAt) / 1000 };
        },
    };
}
