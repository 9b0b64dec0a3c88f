import type { Standpoint } from "../../backup/vault.ts";
import type { EpochRecord } from "../../model/epoch.ts";
import { witness, witnessRegion } from "../../model/names.ts";
import { seconds } from "../../model/units.ts";
import { coordinationOf, witnessOf, type CoordinationBucket } from "../coordination.ts";
import { readEpoch } from "../epoch.ts";
import { leaseRecord, raiseFence, readFence } from "../fence.ts";
import type { Proofs, Prover } from "./proofs.ts";

/** Who can prove to a guard that its site may write: the epoch record itself, and the witness's copy. Either is enough. */
export function provers({ estate, account }: Standpoint): Prover[] {
    const [coordination, copy] = [coordinationOf(estate, account), witnessOf(estate, account)];
    return [
        {
            id: "standby",
            name: `the standby (${estate.sites.standby.region})`,
            read: async (signal) => (await readEpoch(coordination, signal)).record,
        },
        { id: "witness", name: `the witness (${witnessRegion(estate)})`, read: async (signal) => (await readFence(copy, signal)).record },
    ];
}

export interface KeeperOptions {
    readonly standpoint: Standpoint;
    readonly store: string;
    /** The guard's pod. */
    readonly holder: string;
    readonly proofs: Pick<Proofs, "lease" | "mayWrite">;
    readonly bucket: CoordinationBucket;
    note(line: string): void;
}

/**
 * What a guard writes into the witness's bucket. While it may write: who holds the lease, for people to see. In the standby, in either state: the epoch record where the
 * witness's copy is behind it (an activation without the witness, an undo that did not reach it), so that the copy proves no epoch that is over. The primary's guards
 * may not: an intruder there could close the standby with a high epoch.
 * @returns to be told of each answer; what fails is told once, and tried again with the next answer. While one call is under way others are passed over
 */
export function witnessKeeper({ standpoint, store, holder, proofs, bucket, note }: KeeperOptions) {
    const { estate, site } = standpoint;
    const { duration } = estate.lease;
    let saidAt = -Infinity;
    let copied: EpochRecord | undefined;
    let busy = false;
    let told = "";
    const tell = (line: string) => note(`${new Date().toISOString()} ${store}: ${line}`);

    async function keep({ id }: Pick<Prover, "id">, record: EpochRecord): Promise<void> {
        if (id === "witness") copied = record;
        else if (site === "standby" && copied && copied.epoch < record.epoch && (await raiseFence(bucket, record)))
            tell(`told the witness of epoch ${record.epoch}`);
        const now = performance.now() / 1000;
        if (!proofs.mayWrite() || now - saidAt < duration / 3) return;
        const { epoch } = proofs.lease();
        const said = { store, site, epoch, holder, at: new Date().toISOString(), seconds: seconds(duration) };
        await bucket.put(witness.lease(store), JSON.stringify(leaseRecord.parse(said)));
        saidAt = now;
    }
    return async (prover: Pick<Prover, "id">, record: EpochRecord): Promise<void> => {
        if (busy) return;
        busy = true;
        try {
            await keep(prover, record);
            told = "";
        } catch (error) {
            const { message } = error as Error;
            if (message !== told) tell(message);
            told = message;
        } finally {
            busy = false;
        }
    };
}
