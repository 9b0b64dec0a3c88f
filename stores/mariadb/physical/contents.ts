import type mysql from "mysql2/promise";
import type { ServerAddress } from "../../adapter.ts";
import type { Contents, Only, Relation, Unprotected } from "../../physical.ts";
import { connectMariadb, rowsOf } from "../client.ts";
import { quoted, systemSchemas } from "./check.ts";
import { appliedBy, positionOf } from "./gtids.ts";
import { schemaOf } from "./schema.ts";
import { sumOf, TableChanged } from "./values.ts";

interface Found {
    database: string;
    name: string;
    type: "BASE TABLE" | "SYSTEM VERSIONED" | "SEQUENCE";
    engine: string | null;
}
/** Tries to find a moment at which no statement changes the schema or draws from a sequence while they are read. */
const tries = 20;
/** Of a table that was altered after the snapshot, and of one that is gone. https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const changedMeanwhile = new Set(["ER_TABLE_DEF_CHANGED", "ER_BAD_FIELD_ERROR", "ER_NO_SUCH_TABLE", "ER_BAD_DB_ERROR"]);

const why: Readonly<Record<string, string>> = {
    MEMORY: "is a MEMORY table: its rows are gone when the server restarts, in every recovery point and after a promotion",
    MyISAM: "is a MyISAM table: it is copied, but it has no moment: its rows are not compared, and a crash may damage it",
    Aria: "is an Aria table: it is copied, but its rows are not compared",
    CSV: "is a CSV table: it is copied, but its rows are not compared",
    ARCHIVE: "is an ARCHIVE table: it is copied, but its rows are not compared",
    MRG_MyISAM: "is a MERGE table: it is copied, but its rows are not compared",
};
const elsewhere = (engine: string) => `is a table of the engine ${engine}: its rows lie elsewhere, and are in no recovery point`;

const broken = "cannot be opened by the server: its files are copied as they are, and nothing of it is compared";

async function list(connection: mysql.Connection, only: Only | undefined): Promise<Found[]> {
    return rowsOf<Found>(
        connection,
        `SELECT table_schema AS \`database\`, table_name AS name, table_type AS type, engine FROM information_schema.tables
         WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') AND table_schema NOT IN (?)
         AND (? IS NULL OR table_schema = ?) AND (? IS NULL OR table_name = ?) ORDER BY 1, 2`,
        [[...systemSchemas, "mysql"], ...[only?.database, only?.database, only?.table, only?.table].map((each) => each ?? null)],
    );
}

const neverStill = ({ database, name }: Found): Unprotected => ({
    name: `${database}.${name}`,
    why: "is a sequence that never stood still: it is copied, and its value was not compared",
});

/** What a server's tables do not let themselves be protected from, in words. */
export const unprotectedOf = (tables: readonly Found[]): Unprotected[] =>
    tables.flatMap(({ database, name, type, engine }) =>
        type === "SEQUENCE" || engine === "InnoDB"
            ? []
            : [{ name: `${database}.${name}`, why: engine === null ? broken : (why[engine] ?? elsewhere(engine)) }],
    );

async function readSequences(connection: mysql.Connection, tables: readonly Found[]): Promise<Relation[]> {
    const read: Relation[] = [];
    for (const { database, name } of tables.filter(({ type }) => type === "SEQUENCE")) {
        const rows = await rowsOf<object>(connection, `SELECT * FROM ${quoted(database, name)}`);
        read.push({ database, name, kind: "sequence", rows: 1, checksum: JSON.stringify(rows) });
    }
    return read;
}

interface Snapshot {
    readonly position: string;
    readonly tables: readonly Found[];
    /** Undefined where one never stands still. */
    readonly sequences: Relation[] | undefined;
}

/**
 * Takes a snapshot, and with it the list of tables and the sequences, which are bound to none: what says the same before and after it said so at it.
 * @throws TableChanged where tables come and go without end
 */
async function snapshot(connection: mysql.Connection, only: Only | undefined): Promise<Snapshot> {
    for (let left = tries; ; left -= 1) {
        await connection.query("COMMIT");
        const tables = await list(connection, only);
        const before = await readSequences(connection, tables);
        const applied = await appliedBy(connection);
        await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
        const position = await positionOf(connection, applied);
        const after = await readSequences(connection, tables);
        const same = JSON.stringify(await list(connection, only)) === JSON.stringify(tables);
        const still = JSON.stringify(before) === JSON.stringify(after);
        if (same && (still || left <= 1)) return { position, tables, sequences: still ? after : undefined };
        if (left <= -tries) throw new TableChanged("tables come and go without end");
    }
}

async function readTable(connection: mysql.Connection, { database, name, type }: Found): Promise<Relation> {
    return { database, name, kind: "table", ...(await sumOf(connection, database, name, { versioned: type === "SYSTEM VERSIONED" })) };
}

/** See `PhysicalStore.contents`. */
export async function mariadbContents(server: ServerAddress, signal: AbortSignal, only?: Only): Promise<Contents | undefined> {
    const connection = await connectMariadb(server, null);
    const abort = () => connection.destroy();
    signal.addEventListener("abort", abort, { once: true });
    try {
        // Whatever the server's own defaults are.
        await connection.query(
            `SET SESSION tx_isolation = 'REPEATABLE-READ', time_zone = '+00:00', sql_mode = '', lock_wait_timeout = 30,
             max_statement_time = 0, sql_big_selects = 1, sql_select_limit = DEFAULT`,
        );
        for (let left = 3; left > 0; left -= 1) {
            const before = only ? undefined : await schemaOf(server, connection, signal);
            let seen: Snapshot;
            const relations: Relation[] = [];
            try {
                seen = await snapshot(connection, only);
                relations.push(...(seen.sequences ?? []));
                for (const table of seen.tables)
                    if (table.type !== "SEQUENCE" && table.engine === "InnoDB") relations.push(await readTable(connection, table));
            } catch (error) {
                if (changedMeanwhile.has((error as { code?: string }).code ?? "")) continue;
                throw error;
            }
            await connection.query("COMMIT");
            const { position, tables, sequences } = seen;
            const after = only ? undefined : await schemaOf(server, connection, signal);
            const schema = before !== undefined && before === after ? { schema: before } : {};
            const moving = sequences === undefined ? tables.filter(({ type }) => type === "SEQUENCE") : [];
            return { position, relations, ...schema, unprotected: [...unprotectedOf(tables), ...moving.map(neverStill)] };
        }
        return undefined;
    } finally {
        signal.removeEventListener("abort", abort);
        connection.destroy();
        signal.throwIfAborted();
    }
}
