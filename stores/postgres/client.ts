import pg from "pg";
import { Failure } from "../../model/failure.ts";
import { startProgram, type Program } from "../program.ts";
import type { ServerAddress, TableSummary } from "../adapter.ts";

const connectMs = 5_000;

export const hostOf = (server: ServerAddress): string => server.socketDirectory ?? server.host;

/** A session that may write although the server's default says read-only: for loading a scratch, never for an application's data. */
const writable = "-c default_transaction_read_only=off";

/** @param database connect to another one than the address names */
export async function connectPostgres(server: ServerAddress, database: string = server.database, options = ""): Promise<pg.Client> {
    const client = new pg.Client({
        host: hostOf(server),
        port: server.port,
        user: server.user,
        password: server.password,
        database,
        options,
        connectionTimeoutMillis: connectMs,
        keepAlive: true,
        application_name: "lifeboat",
    });
    // A connection that breaks between two queries shows at the next one.
    client.on("error", () => {});
    try {
        await client.connect();
        return client;
    } catch (error) {
        throw new Failure(
            "unavailable",
            `PostgreSQL at ${hostOf(server)}:${server.port} does not let ${server.user} into ${database}`,
            "see that the server runs, that the database exists, and that the password file is the store's",
            { cause: error },
        );
    }
}

export const connectWritable = (server: ServerAddress, database?: string): Promise<pg.Client> =>
    connectPostgres(server, database ?? server.database, writable);

/** The environment that libpq's programs read; passwords stay off the command line. */
export function libpq(server: ServerAddress, database: string): Record<string, string> {
    return {
        PGHOST: hostOf(server),
        PGPORT: String(server.port),
        PGUSER: server.user,
        PGPASSWORD: server.password,
        PGDATABASE: database,
        PGCONNECT_TIMEOUT: String(connectMs / 1000),
        PGAPPNAME: "lifeboat",
        PGCLIENTENCODING: "UTF8",
    };
}

export function startPostgresClient(server: ServerAddress, database: string, more: readonly string[], signal: AbortSignal): Program {
    const always = ["--no-psqlrc", "--no-password", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-"];
    return startProgram("psql", [...always, ...more], {
        env: { ...libpq(server, database), PGOPTIONS: `${writable} -c synchronous_commit=off` },
        signal,
    });
}

/** The text of a value depends on these, and two servers need not have the same defaults. To the last bit, with them. */
const exactText: Record<string, string> = {
    ...{ timezone: "UTC", datestyle: "ISO, YMD", intervalstyle: "iso_8601" },
    ...{ extra_float_digits: "1", bytea_output: "hex" },
};

export async function readExactly(client: pg.Client): Promise<void> {
    for (const [name, value] of Object.entries(exactText)) await client.query(`SET ${name} = ${pg.escapeLiteral(value)}`);
}

export async function readTables(client: pg.Client): Promise<TableSummary[]> {
    await readExactly(client);
    const { rows } = await client.query<{ schema: string; name: string }>(
        `SELECT schemaname AS schema, tablename AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`,
    );
    const summaries: TableSummary[] = [];
    for (const { schema, name } of rows) {
        const table = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
        // A sum over the rows' hashes: the same in any order, and equal rows count each. `held.*` is the row, whatever its columns are called.
        const { rows: found } = await client.query<{ n: string; checksum: string }>(
            `SELECT count(*) AS n, coalesce(sum(hashtextextended((held.*)::text, 0)::numeric), 0)::text AS checksum FROM ${table} AS held`,
        );
        summaries.push({
            name: schema === "public" ? name : `${schema}.${name}`,
            rows: Number(found[0]?.n),
            checksum: String(found[0]?.checksum),
        });
    }
    return summaries;
}

export function startPostgresDump(server: ServerAddress, more: readonly string[], signal: AbortSignal): Program {
    const always = ["--format=plain", "--no-password", "--encoding=UTF8", "--quote-all-identifiers", "--lock-wait-timeout=30s"];
    return startProgram("pg_dump", [...always, ...more], { env: libpq(server, server.database), signal });
}
