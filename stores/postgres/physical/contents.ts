import type pg from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerAddress } from "../../adapter.ts";
import type { Contents, Only, Relation, Unprotected } from "../../physical.ts";
import { connectPostgres } from "../client.ts";
import { databasesOf, quoted } from "./check.ts";
import { schemaOf } from "./schema.ts";

/** For how long a moment at which nothing is in progress is looked for, ms. */
const patience = 10_000;

interface Session {
    readonly database: string;
    readonly client: pg.Client;
}

/** Sessions of all databases, each of which reads one state: pinned, so that a value has one text. */
async function open(server: ServerAddress, databases: readonly string[]): Promise<Session[]> {
    const sessions: Session[] = [];
    try {
        for (const database of databases) {
            const client = await connectPostgres(server, database);
            sessions.push({ database, client });
            for (const setting of [
                ...[
                    "timezone = 'UTC'",
                    "datestyle = 'ISO, YMD'",
                    "intervalstyle = 'iso_8601'",
                    "extra_float_digits = 1",
                    "bytea_output = 'hex'",
                ],
                ...[
                    "search_path = pg_catalog",
                    "row_security = off",
                    "statement_timeout = 0",
                    "xmloption = content",
                    "default_transaction_read_only = on",
                ],
            ])
                await client.query(`SET ${setting}`);
        }
        return sessions;
    } catch (error) {
        await close(sessions);
        throw error;
    }
}
const close = (sessions: readonly Session[]) => Promise.all(sessions.map(({ client }) => client.end().catch(() => undefined))); // its transaction only read

/** Where the log stands; what is not yet replayed by a standby is not there. */
const position = `SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS at`;

/**
 * Takes a snapshot in each session at one instant at which no transaction that writes is in progress and nothing is written: it shows exactly what the log has up to there. A snapshot that is taken while
 * one commits has no position: the log has its COMMIT before others see it.
 * @returns undefined where there is no such instant within `patience`
 */
async function snapshot(sessions: readonly Session[], signal: AbortSignal): Promise<string | undefined> {
    const [first] = sessions;
    for (const deadline = performance.now() + patience; performance.now() < deadline; await sleep(20, undefined, { signal })) {
        const before = (await first!.client.query<{ at: string }>(position)).rows[0]!.at;
        let still = true;
        for (const { client } of sessions) {
            await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            const { rows } = await client.query<{ busy: boolean }>(
                "SELECT pg_snapshot_xmin(s) <> pg_snapshot_xmax(s) AS busy FROM pg_current_snapshot() AS s",
            );
            still &&= !rows[0]!.busy;
        }
        // A session that holds its snapshot asks outside of it: the function does not look at the snapshot.
        const after = (await first!.client.query<{ at: string }>(position)).rows[0]!.at;
        if (still && before === after) return after;
        for (const { client } of sessions) await client.query("ROLLBACK");
    }
    return undefined;
}

/** A digest of each column, so that no value, however long, has to fit into one text with others; bytes as they are. */
const digest = (columns: readonly { name: string; bytes: boolean }[]) =>
    `ARRAY[${columns.map(({ name, bytes }) => `coalesce(md5(held.${quoted(name)}${bytes ? "" : "::text"}), '-')`).join(", ")}]::text[]::text`;

interface Table {
    oid: string;
    schema: string;
    name: string;
    kind: "r" | "m" | "S";
    populated: boolean;
    columns: { name: string; bytes: boolean }[];
}

async function tablesOf(client: pg.Client, only: string | undefined): Promise<Table[]> {
    const { rows } = await client.query<Table>(
        `SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relispopulated AS populated,
                coalesce((SELECT json_agg(json_build_object('name', attname, 'bytes', atttypid = 'bytea'::regtype) ORDER BY attnum) FROM pg_attribute
                          WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), '[]') AS columns
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'm', 'S') AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
           AND ($1::text IS NULL OR $1 IN (c.relname, n.nspname || '.' || c.relname)) ORDER BY 2, 3`,
        [only ?? null],
    );
    return rows;
}

async function readTable({ database, client }: Session, table: Table): Promise<Relation> {
    const from = quoted(table.schema, table.name);
    const name = `${table.schema}.${table.name}`;
    switch (table.kind) {
        case "S": {
            // The log is written ahead of what is drawn, by so many numbers: both forms of one state have one sum.
            // https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/commands/sequence.c (SEQ_LOG_VALS)
            const { rows } = await client.query<{ at: string }>(
                `SELECT (last_value + log_cnt * (SELECT seqincrement FROM pg_sequence WHERE seqrelid = $1::oid))::text || ' ' || is_called AS at FROM ${from}`,
                [table.oid],
            );
            return { database, name, kind: "sequence", rows: 1, checksum: rows[0]!.at };
        }
        case "m":
            if (!table.populated) return { database, name, kind: "materialized view", rows: 0, checksum: "not populated" };
            return { database, name, kind: "materialized view", ...(await readRows(client, from, table)) };
        case "r":
            return { database, name, kind: "table", ...(await readRows(client, from, table)) };
    }
}

/** A sum over the rows' hashes: the same in any order, and equal rows count each. */
async function readRows(client: pg.Client, from: string, { columns }: Table): Promise<{ rows: number; checksum: string }> {
    const { rows } = await client.query<{ n: string; checksum: string }>(
        `SELECT count(*) AS n, coalesce(sum(hashtextextended(${digest(columns)}, 0)::numeric), 0)::text AS checksum FROM ONLY ${from} AS held`,
    );
    return { rows: Number(rows[0]!.n), checksum: rows[0]!.checksum };
}

async function largeObjects({ database, client }: Session): Promise<Relation[]> {
    const { rows } = await client.query<{ n: string; checksum: string | null }>(
        `SELECT (SELECT count(*) FROM pg_largeobject_metadata) AS n,
                (SELECT sum(hashtextextended(m.oid::text || ' ' || pg_get_userbyid(lomowner), 0)::numeric) FROM pg_largeobject_metadata m)::text || ' ' ||
                coalesce((SELECT sum(hashtextextended(loid::text || ' ' || pageno || ' ' || md5(data), 0)::numeric) FROM pg_largeobject), 0)::text AS checksum`,
    );
    const { n, checksum } = rows[0]!;
    return Number(n) === 0 ? [] : [{ database, name: "large objects", kind: "large objects", rows: Number(n), checksum: checksum ?? "0" }];
}

async function unprotectedOf({ database, client }: Session): Promise<Unprotected[]> {
    const { rows } = await client.query<{ name: string; kind: string }>(
        `SELECT format('%s.%s', n.nspname, c.relname) AS name, c.relkind AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE (c.relkind = 'r' AND c.relpersistence = 'u') OR c.relkind = 'f' ORDER BY 1`,
    );
    return rows.map(({ name, kind }) => ({
        name: `${database}: ${name}`,
        why:
            kind === "f"
                ? "is a foreign table: its rows lie on another server, and are in no recovery point"
                : "is an unlogged table: it is empty in every recovery point, after a promotion and after a crash",
    }));
}

/** See `PhysicalStore.contents`. */
export async function postgresContents(server: ServerAddress, signal: AbortSignal, only?: Only): Promise<Contents | undefined> {
    const databases = only ? [only.database] : await databasesOf(server);
    const before = only ? undefined : await schemaOf(server, databases, signal);
    const sessions = await open(server, databases);
    const abort = () => void close(sessions);
    signal.addEventListener("abort", abort, { once: true });
    try {
        const at = await snapshot(sessions, signal);
        if (at === undefined) return undefined;
        const relations: Relation[] = [];
        const unprotected: Unprotected[] = [];
        for (const session of sessions) {
            for (const table of await tablesOf(session.client, only?.table)) relations.push(await readTable(session, table));
            if (only?.table === undefined) relations.push(...(await largeObjects(session)));
            unprotected.push(...(await unprotectedOf(session)));
        }
        const after = only ? undefined : await schemaOf(server, databases, signal);
        return { position: at, relations, ...(before !== undefined && before === after ? { schema: before } : {}), unprotected };
    } finally {
        signal.removeEventListener("abort", abort);
        await close(sessions);
        signal.throwIfAborted();
    }
}
