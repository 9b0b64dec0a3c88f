import mysql from "mysql2/promise";
import { Failure } from "../../model/failure.ts";
import { startProgram, type Program } from "../program.ts";
import type { ServerAddress, TableSummary } from "../adapter.ts";

/** Largest row and statement, in bytes: the most that the protocol allows, so that whatever a server holds can be dumped and loaded. */
export const largestPacket = 1_073_741_824;

const connectMs = 5_000;

export const socketOf = (server: ServerAddress): string | undefined => server.socketDirectory && `${server.socketDirectory}/mysqld.sock`;

/** @param database connect to another one than the address names; null for none */
export async function connectMariadb(server: ServerAddress, database: string | null = server.database): Promise<mysql.Connection> {
    const socketPath = socketOf(server);
    try {
        return await mysql.createConnection({
            ...(socketPath ? { socketPath } : { host: server.host, port: server.port }),
            user: server.user,
            password: server.password,
            ...(database === null ? {} : { database }),
            connectTimeout: connectMs,
            supportBigNumbers: true,
            bigNumberStrings: true,
            charset: "utf8mb4",
        });
    } catch (error) {
        const where = socketPath ?? `${server.host}:${server.port}`;
        throw new Failure(
            "unavailable",
            `MariaDB at ${where} does not let ${server.user} in`,
            "see that the server runs, that the database exists, and that the password file is the store's",
            { cause: error },
        );
    }
}

/** Rows of a query, as objects. */
export async function rowsOf<Row>(connection: mysql.Connection, sql: string, values: unknown[] = []): Promise<Row[]> {
    const [rows] = await connection.query(sql, values);
    return rows as Row[];
}

/** First arguments of the client tools: nobody's option files, and where the server is. */
export function whereabouts(server: ServerAddress): string[] {
    const socket = socketOf(server);
    const address = socket
        ? [`--socket=${socket}`, "--protocol=socket"]
        : [`--host=${server.host}`, `--port=${server.port}`, "--protocol=tcp"];
    // --no-defaults must come first.
    return ["--no-defaults", ...address, `--user=${server.user}`];
}

/** The environment of the client tools: passwords stay off the command line. */
export const secretOf = (server: ServerAddress): Record<string, string> => ({ MYSQL_PWD: server.password });

export function startMariadbClient(server: ServerAddress, database: string | null, initial: string, signal: AbortSignal): Program {
    return startProgram(
        "mariadb",
        [
            ...whereabouts(server),
            "--batch",
            "--binary-mode",
            "--default-character-set=utf8mb4",
            `--max-allowed-packet=${largestPacket}`,
            `--init-command=${initial}`,
            ...(database === null ? [] : [`--database=${database}`]),
        ],
        { env: secretOf(server), signal },
    );
}

export async function readTables(connection: mysql.Connection, database: string): Promise<TableSummary[]> {
    const tables = await rowsOf<{ name: string }>(
        connection,
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1",
        [database],
    );
    const summaries: TableSummary[] = [];
    for (const { name } of tables) {
        const table = `${mysql.escapeId(database)}.${mysql.escapeId(name)}`;
        const [counted] = await rowsOf<{ n: string }>(connection, `SELECT count(*) AS n FROM ${table}`);
        const [sum] = await rowsOf<{ Checksum: string | null }>(connection, `CHECKSUM TABLE ${table} EXTENDED`);
        summaries.push({ name, rows: Number(counted?.n), checksum: String(sum?.Checksum ?? "none") });
    }
    return summaries;
}
