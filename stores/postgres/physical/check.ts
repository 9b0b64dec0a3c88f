import pg from "pg";
import type { ServerAddress } from "../../adapter.ts";
import { connectPostgres } from "../client.ts";

export async function databasesOf(address: ServerAddress): Promise<string[]> {
    const client = await connectPostgres(address, "postgres");
    try {
        const { rows } = await client.query<{ name: string }>(
            "SELECT datname AS name FROM pg_database WHERE datallowconn AND datname <> 'template1' ORDER BY 1",
        );
        return rows.map(({ name }) => name);
    } finally {
        await client.end();
    }
}

const extension = "lifeboat_check";

/**
 * amcheck over every B-tree and every table of every database: structure, and whether each row that an index has is in its table. The extension is made in a schema of its own and dropped again: the
 * server that is made of this one does not have it. Where the server's packages lack it, every block is read, as data checksums want it.
 * https://www.postgresql.org/docs/15/amcheck.html
 * @throws Error naming what is damaged
 */
export async function checkDatabases(address: ServerAddress, signal: AbortSignal): Promise<void> {
    for (const database of await databasesOf(address)) {
        signal.throwIfAborted();
        const client = await connectPostgres(address, database);
        try {
            await client.query("SET default_transaction_read_only = off");
            await client.query("SET row_security = off");
            // An event trigger of the application's is not to be told of this.
            await client.query("BEGIN");
            await client.query("SET LOCAL session_replication_role = replica");
            await client.query(`CREATE SCHEMA ${extension}`);
            await client.query(`CREATE EXTENSION amcheck SCHEMA ${extension}`);
            const { rows: tables } = await client.query<{ oid: string; name: string }>(
                `SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                 WHERE relkind IN ('r', 'm', 't') AND relpersistence = 'p' ORDER BY 2`,
            );
            for (const { oid, name } of tables) {
                signal.throwIfAborted();
                const { rows } = await client.query<{ msg: string; blkno: string }>(
                    `SELECT blkno, msg FROM ${extension}.verify_heapam($1::oid::regclass)`,
                    [oid],
                );
                if (rows.length > 0) throw new Error(`the table ${database}: ${name} is damaged: block ${rows[0]!.blkno}: ${rows[0]!.msg}`);
            }
            const { rows: indexes } = await client.query<{ oid: string; name: string }>(
                `SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name
                 FROM pg_class c JOIN pg_index ON indexrelid = c.oid JOIN pg_am ON pg_am.oid = relam JOIN pg_namespace n ON n.oid = relnamespace
                 WHERE amname = 'btree' AND relpersistence = 'p' AND indisready AND indisvalid AND c.relkind = 'i' ORDER BY 2`,
            );
            for (const { oid, name } of indexes) {
                signal.throwIfAborted();
                await client.query(`SELECT ${extension}.bt_index_check($1::oid::regclass, true)`, [oid]).catch((error: unknown) => {
                    throw new Error(`the index ${database}: ${name} is damaged: ${(error as Error).message}`);
                });
            }
        } finally {
            await client.query("ROLLBACK").catch(() => undefined); // a broken session has rolled back
            await client.end();
        }
    }
}

export const quoted = (...names: readonly string[]) => names.map((name) => pg.escapeIdentifier(name)).join(".");
