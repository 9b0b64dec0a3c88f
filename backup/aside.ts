import { Readable, type Writable } from "node:stream";
import { Failure } from "../model/failure.ts";
import { heldAlone } from "../model/difference.ts";
import { storeOf } from "./backup.ts";
import { encrypting } from "./envelope.ts";
import { asProgram, receive, send } from "./pipeline.ts";
import { newAside } from "./point.ts";
import type { ServerAddress } from "../stores/adapter.ts";
import { kindOf } from "../stores/registry.ts";
import type { Rows } from "../stores/rows.ts";
import { dataKey, sizeOf, vaultOf, type Standpoint } from "./vault.ts";

export interface HeldTable {
    name: string;
    /** Rows whose key the other server does not have. */
    absent: number;
    /** Rows that say something else there. */
    differs: number;
}
export interface Aside {
    store: string;
    tables: HeldTable[];
    rows: number;
    /** Absent where there was nothing to save. */
    saved?: { bucket: string; key: string; id: string; look: string };
    seconds: number;
}

const partBytes = 16 * 1_048_576;

/**
 * Saves what this site's server of a store holds and the other site's does not: the writes that were acknowledged here alone. One JSON line a row, `{"table", "kind", "row"}`, compressed
 * and sealed like a backup, in this site's vault, which is copied to the other one. Sequences, large objects and what is no row are not compared.
 *
 * A row that the other site has deleted or changed since is saved, too: rows do not tell which of two is newer. The other site is read at one moment.
 * @param ours a server that takes no writes
 * @throws Failure where one of the servers or the vault does not answer; nothing is saved then
 */
export async function saveAside(
    standpoint: Standpoint,
    name: string,
    ours: ServerAddress,
    theirs: ServerAddress,
    { signal, note }: { signal: AbortSignal; note: (line: string) => void },
): Promise<Aside> {
    const began = performance.now();
    const { openRows } = kindOf(storeOf(standpoint, name)).operations;
    const { names, clients, bucket, region } = vaultOf(standpoint);
    await using here = await openRows(ours);
    await using there = await openRows(theirs);
    const tables: HeldTable[] = [];
    const lines = differences(here, there, tables);
    const first = await lines.next();
    const took = () => (performance.now() - began) / 1000;
    if (first.done) return { store: name, tables: [], rows: 0, seconds: took() };

    const id = newAside(new Date());
    const key = dataKey(name, id);
    note(`${name}: saving what is held here alone as s3://${bucket}/${key}`);
    await send({
        source: asProgram("the comparison", Readable.from(rest(first.value, lines))),
        whole: () => Promise.resolve(),
        envelope: encrypting(clients.kms, `arn:aws:kms:${region}:${standpoint.account}:${names.envelopeKeyAlias(name)}`, {
            store: name,
            point: id,
        }),
        s3: clients.s3,
        bucket,
        key,
        partBytes,
        signal,
    }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw new Failure("no", `what ${name} holds alone could not be saved; nothing was changed`, "correct the cause and run it again", {
            cause: error,
        });
    });
    const held = tables.filter(({ absent, differs }) => absent + differs > 0);
    const rows = held.reduce((sum, { absent, differs }) => sum + absent + differs, 0);
    return { store: name, tables: held, rows, saved: { bucket, key, id, look: `lifeboat aside ${name} --show ${id}` }, seconds: took() };
}

/** The rows that are held here alone, as JSON lines; `tables` is counted on the way. */
async function* differences(here: Rows, there: Rows, tables: HeldTable[]): AsyncGenerator<string, undefined> {
    for (const name of await here.tables()) {
        const table: HeldTable = { name, absent: 0, differs: 0 };
        tables.push(table);
        for await (const { kind, row } of heldAlone(here.read(name), there.read(name))) {
            table[kind] += 1;
            yield `${JSON.stringify({ table: name, kind }).slice(0, -1)},"row":${row.content}}\n`;
        }
    }
}

async function* rest(first: string, others: AsyncIterable<string>): AsyncGenerator<string> {
    yield first;
    yield* others;
}

/** Writes what was saved aside to a stream. @throws Failure("no") where there is nothing of that name in this site's vault */
export async function readAside(standpoint: Standpoint, store: string, id: string, sink: Writable, signal: AbortSignal): Promise<void> {
    storeOf(standpoint, store);
    const { clients, bucket } = vaultOf(standpoint);
    const bytes = await sizeOf(clients.s3, bucket, dataKey(store, id));
    if (bytes === undefined)
        throw new Failure(
            "no",
            `s3://${bucket}/${dataKey(store, id)} is not there`,
            `its copy may be on its way from the other site's vault: repeat the command in a minute, or look: aws s3 ls s3://${bucket}/${store}/aside-`,
        );
    await receive({
        s3: clients.s3,
        kms: clients.kms,
        account: standpoint.account,
        bucket,
        key: dataKey(store, id),
        context: { store, point: id },
        bytes,
        sink,
        signal,
    });
}
