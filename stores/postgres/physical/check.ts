import type { ServerAddress } from "../../adapter.ts";
import type pg from "pg";
import { connectPostgres } from "../client.ts";
import { connectableDatabases, pinned } from "./session.ts";

/** SQLSTATE class of corruption: https://www.postgresql.org/docs/15/errcodes-appendix.html */
const schema = "lifeboat_check";

/** The extension that checks, in this transaction only: what is rolled back leaves no trace in a schema that somebody compares. */
async function install(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{ name: string }>(
        "SELECT quote_ident(evtname) AS name FROM pg_event_trigger WHERE evtenabled <> 'D'",
    );
    // A database's own triggers might refuse, or do, something.
    for (const { name } of rows) await client.query(`ALTER EVENT TRIGGER ${name} DISABLE`);
    await client.query(`DROP EXTENSION IF EXISTS amcheck CASCADE`);
    await client.query(`CREATE SCHEMA ${schema}`);
    await client.query(`CREATE EXTENSION amcheck SCHEMA ${schema}`);
}

const heaps = `
    SELECT format('%s: block %s, row %s, column %s: %s', c.oid::regclass, found.blkno, found.offnum, found.attnum, found.msg) AS damage
    FROM pg_class c, LATERAL ${schema}.verify_heapam(c.oid, on_error_stop => true, check_toast => true) found
    WHERE c.oid = $1`;

interface Relation {
    readonly oid: number;
    readonly name: string;
    readonly index: boolean;
    readonly plain: boolean;
}

/** In-memory temporary things of sessions that are gone, and unlogged relations, which a recovery empties, are left out. */
const relations = `
    SELECT c.oid::int8::int AS oid, c.oid::regclass::text AS name, c.relkind = 'i' AS index, coalesce(i.indexprs IS NULL AND i.indpred IS NULL, true) AS plain
    FROM pg_class c JOIN pg_am a ON a.oid = c.relam LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relpersistence = 'p'
      AND ((c.relkind IN ('r', 'm', 't') AND a.amname = 'heap') OR (c.relkind = 'i' AND a.amname = 'btree' AND i.indisvalid AND i.indisready))
    ORDER BY c.oid`;

async function damages(client: pg.Client, { oid, name, index, plain }: Relation): Promise<string[]> {
    if (!index) return (await client.query<{ damage: string }>(heaps, [oid])).rows.map(({ damage }) => damage);
    try {
        await client.query("SAVEPOINT one");
        // An index over an expression would run its functions, as superuser and with a search path that is not theirs: its order is checked, not whether it has every row.
        await client.query(`SELECT ${schema}.bt_index_check($1::oid, $2)`, [oid, plain]);
        return [];
    } catch (error) {
        await client.query("ROLLBACK TO SAVEPOINT one");
        return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
    } finally {
        await client.query("RELEASE SAVEPOINT one");
    }
}

/**
 * Reads every block of every table with amcheck, each row's shape and its toasted values, and the order of every B-tree with each row's entry in it, system catalogs included; where pages have
 * checksums each is checked as it is read. pg_checksums would need the server stopped and does no more for these; of other kinds of index the copy's manifest holds each byte to what the source
 * had (`start`). https://www.postgresql.org/docs/15/amcheck.html
 * @throws Error naming up to ten damages
 */
export async function checkPostgres(server: ServerAddress, signal: AbortSignal): Promise<void> {
    const found: string[] = [];
    for (const database of await connectableDatabases(server)) {
        const client = await connectPostgres(server, database, pinned);
        try {
            await client.query("BEGIN");
            await install(client);
            for (const relation of (await client.query<Relation>(relations)).rows) {
                signal.throwIfAborted();
                found.push(...(await damages(client, relation)).map((damage) => `${database}: ${damage}`));
                if (found.length >= 10) break;
            }
            await client.query("ROLLBACK");
        } finally {
            await client.end();
        }
    }
    if (found.length > 0) throw new Error(`PostgreSQL finds damage: ${found.slice(0, 10).join("; ")}`);
}
