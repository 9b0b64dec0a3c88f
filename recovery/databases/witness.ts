import type { Standpoint } from "../../backup/vault.ts";
import type { EpochRecord } from "../../model/epoch.ts";
import { witness, witnessRegion } from "../../model/names.ts";
import { seconds } from "../../model/units.ts";
import { coordinationOf, witnessOf } from "../coordination.ts";
import { readEpoch } from "../epoch.ts";
import { leaseRecord, raiseFence, readFence } from "../fence.ts";
import type { Proofs, Prover } from "./proofs.ts";

const nameOf = {
    standby: ({ estate }: Standpoint) => `the standby (${estate.sites.standby.region})`,
    witness: ({ estate }: Standpoint) => `the witness (${witnessRegion(estate)})`,
};

/** Who can prove to a guard that its site may write: the epoch record itself, and the witness's copy. Either is enough. */
export const provers = (standpoint: Standpoint): Prover[] => [
    {
        name: nameOf.standby(standpoint),
        read: async (signal) => (await readEpoch(coordinationOf(standpoint.estate, standpoint.account), signal)).record,
    },
    {
        name: nameOf.witness(standpoint),
        read: async (signal) => (await readFence(witnessOf(standpoint.estate, standpoint.account), signal)).record,
    },
];

export interface KeeperOptions {
    readonly standpoint: Standpoint;
    readonly store: string;
    /** The guard's pod. */
    readonly holder: string;
    readonly proofs: Proofs;
    note(line: string): void;
}

/**
 * What a guard writes into the witness's bucket. While it may write: who holds the lease, for people to see. In the standby, in either state: the epoch record where the
 * witness's copy is behind it (an activation without the witness, an undo that did not reach it), so that the copy proves no epoch that is over. The primary's guards
 * may not: an intruder there could close the standby with a high epoch.
 * @returns to be told of each answer; it never waits, and what fails is told once and tried again with the next answer
 */
export function witnessKeeper({ standpoint, store, holder, proofs, note }: KeeperOptions): (prover: Prover, record: EpochRecord) => void {
    const { estate, account, site } = standpoint;
    const bucket = witnessOf(estate, account);
    const { duration } = estate.lease;
    let saidAt = -Infinity;
    let copied: EpochRecord | undefined;
    let busy = false;
    let told = "";

    async function keep({ name }: Prover, record: EpochRecord): Promise<void> {
        if (name === nameOf.witness(standpoint)) copied = record;
        else if (site === "standby" && copied && copied.epoch < record.epoch && (await raiseFence(bucket, record)))
            note(`${new Date().toISOString()} ${store}: told the witness of epoch ${record.epoch}`);
        const now = performance.now() / 1000;
        if (!proofs.mayWrite() || now - saidAt < duration / 3) return;
        const { epoch } = proofs.lease();
        const said = { store, site, epoch, holder, at: new Date().toISOString(), seconds: seconds(duration) };
        await bucket.put(witness.lease(store), JSON.stringify(leaseRecord.parse(said)));
        saidAt = now;
    }
    return (prover, record) => {
        if (busy) return;
        busy = true;
        keep(prover, record)
            .then(() => (told = ""))
            .catch((error: Error) => {
                if (error.message !== told) note(`${new Date().toISOString()} ${store}: ${(told = error.message)}`);
            })
            .finally(() => (busy = false));
    };
}
