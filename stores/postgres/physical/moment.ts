import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Relation } from "../../physical.ts";
import { listRelations, readSequences, type Listed } from "./relations.ts";

/** A database's session, at the moment. */
export interface Reader {
    readonly database: string;
    readonly client: pg.Client;
}
export interface Taken {
    readonly reader: Reader;
    readonly listed: readonly Listed[];
    readonly sequences: readonly Relation[];
}
export interface StillMoment {
    readonly position: string;
    readonly databases: readonly Taken[];
}

/** How long a still moment is looked for, in milliseconds, and how often. */
const patience = 15_000;
const between = 5;

interface Look {
    readonly snapshot: string;
    /** Nobody who has a transaction's number could be writing its commit now. */
    readonly still: boolean;
}

/**
 * A snapshot shows a prefix of the log only where every transaction that it does not show has its commit behind that place. One that has a number and is not over may have written its commit already
 * and still wait to be seen (for the disk, or for a replica). One that waits for its client has not; nor has a prepared one that nobody is about to commit.
 */
const look = `
    WITH now AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot)
    SELECT now.snapshot::text AS snapshot,
           NOT EXISTS (
               SELECT FROM pg_snapshot_xip(now.snapshot) AS running(xid)
               WHERE NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.backend_xid = running.xid::xid AND a.state LIKE 'idle in transaction%')
                 AND NOT (EXISTS (SELECT FROM pg_prepared_xacts p WHERE p.transaction = running.xid::xid)
                          AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid <> pg_backend_pid() AND a.state = 'active' AND a.query ~* 'prepared'))
           ) AS still
    FROM now`;

/**
 * Takes a snapshot in every database such that all of them show one prefix of the log, and says which. Snapshots do not cross databases (and a logical slot's, which names its own place, needs
 * wal_level=logical and is of one database), so they are taken one by one, and count only if the server's own snapshot was the same before and after them all: then no transaction began to write or was
 * over in between, and the log's end that was read in between is their place. Nobody is kept from anything; on a server where no such moment comes there is none.
 * @returns undefined where none came within 15 s
 */
export async function takeMoment(
    control: pg.Client,
    readers: readonly Reader[],
    exactSequences: boolean,
    signal: AbortSignal,
): Promise<StillMoment | undefined> {
    for (const deadline = Date.now() + patience; ; await sleep(between, undefined, { signal })) {
        const before = await lookNow(control);
        if (before.still) {
            const databases = await Promise.all(readers.map((reader) => takeOne(reader, exactSequences)));
            const position = await endOfLog(control);
            const after = await lookNow(control);
            const same =
                after.still && after.snapshot === before.snapshot && databases.every(({ snapshot }) => snapshot === before.snapshot);
            if (same) return { position, databases };
            await Promise.all(readers.map(({ client }) => client.query("ROLLBACK")));
        }
        if (Date.now() > deadline) return undefined;
    }
}

async function lookNow(client: pg.Client): Promise<Look> {
    return (await client.query<Look>(look)).rows[0]!;
}

async function endOfLog(client: pg.Client): Promise<string> {
    return (await client.query<{ lsn: string }>("SELECT pg_current_wal_insert_lsn()::text AS lsn")).rows[0]!.lsn;
}

async function takeOne(reader: Reader, exactSequences: boolean): Promise<Taken & { snapshot: string }> {
    const { client, database } = reader;
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const { rows } = await client.query<{ snapshot: string }>("SELECT pg_current_snapshot()::text AS snapshot");
    const listed = await listRelations(client);
    const sequences = await readSequences(client, database, listed, exactSequences);
    return { reader, listed, sequences, snapshot: rows[0]!.snapshot };
}
