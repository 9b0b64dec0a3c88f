import { setTimeout as sleep } from "node:timers/promises";
import type { EpochRecord } from "../../model/epoch.ts";
import type { LeaseTerms, SiteName } from "../../model/estate.ts";
import { heard, leaseAfter, mayWrite, type Lease } from "../../model/lease.ts";
import { seconds, type Seconds } from "../../model/units.ts";
import type { EpochMemory } from "./epoch-memory.ts";

/** Someone who can say which epoch it is. */
export interface Prover {
    readonly id: "standby" | "witness";
    /** As a person would name it: "the standby (us-west-2)". */
    readonly name: string;
    /** Reads its record. @throws where it does not answer, or the signal ends it */
    read(signal: AbortSignal): Promise<EpochRecord>;
}

export interface ProofsOptions {
    readonly site: SiteName;
    readonly terms: LeaseTerms;
    readonly provers: readonly Prover[];
    readonly memory: EpochMemory;
    /** Seconds of a clock that never goes back and does not stand still while this process does. @default CLOCK_MONOTONIC */
    now?(): Seconds;
}

/** A guard's proofs of its site's right to write: each prover is asked by itself, so that one that hangs delays no other. */
export interface Proofs {
    lease(): Lease;
    mayWrite(): boolean;
    /** How long the proof is good for; 0 where there is none. */
    left(): Seconds;
    /** Asks every prover now. Resolves with the first answer that is a proof, else when all have answered or failed. */
    ask(): Promise<void>;
    /** Asks every prover each `renewEvery`, until the signal. `answered` is told of each record as it comes. */
    renew(signal: AbortSignal, answered: (prover: Prover, record: EpochRecord) => void): Promise<void>;
    /** Why a prover did not answer when it was last asked, by its name. Empty: all did. */
    silent(): ReadonlyMap<string, string>;
}

/** Stands still with its machine, which a database's node must not be suspended to disk for; SIGSTOP and a busy machine do not stop it. */
const monotonic = (): Seconds => seconds(performance.now() / 1000);

export function proofsOf({ site, terms, provers, memory, now = monotonic }: ProofsOptions): Proofs {
    let lease: Lease = leaseAfter(memory.before, site);
    const silent = new Map<string, string>();
    /** A question that is not answered by then is asked again: its proof would have run out soon. */
    const patience = Math.ceil((terms.duration / 3) * 1000);

    async function askOne(prover: Prover, signal?: AbortSignal): Promise<EpochRecord> {
        const askedAt = now();
        const limit = AbortSignal.timeout(patience);
        try {
            const record = await prover.read(signal ? AbortSignal.any([signal, limit]) : limit);
            lease = heard(lease, site, record, askedAt, terms);
            memory.keep(record);
            silent.delete(prover.name);
            return record;
        } catch (error) {
            silent.set(prover.name, limit.aborted ? `no answer within ${patience / 1000} s` : (error as Error).message);
            throw error;
        }
    }
    const writes = () => mayWrite(lease, now());
    return {
        lease: () => lease,
        mayWrite: writes,
        left: () => seconds(lease.state === "proven" ? Math.max(0, lease.until - now()) : 0),
        silent: () => silent,
        async ask() {
            const asked = provers.map((prover) =>
                askOne(prover).then(() => {
                    if (!writes()) throw new Error("no proof");
                }),
            );
            await Promise.any(asked).catch(() => undefined); // the lease says what came of it
        },
        async renew(signal, answered) {
            const follow = async (prover: Prover) => {
                while (!signal.aborted) {
                    const began = now();
                    // Why it did not answer is kept in `silent`.
                    const record = await askOne(prover, signal).catch(() => undefined);
                    if (record) answered(prover, record);
                    const rest = Math.max(0, terms.renewEvery - (now() - began));
                    await sleep(rest * 1000, undefined, { signal }).catch(() => undefined);
                }
            };
            await Promise.all(provers.map(follow));
        },
    };
}
