import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type mysql from "mysql2/promise";
import type { ServerAddress } from "../../adapter.ts";
import type { ScratchPlace } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { rowsOf, startMariadbClient } from "../client.ts";
import { quoted } from "./check.ts";
import type { End } from "./moment.ts";
import { lastWords } from "./words.ts";

/**
 * Empties the MEMORY tables for good, before the position is set: the server notes the first look at each after a start as a transaction of its own.
 * @returns whether there is one
 */
async function lookAtMemoryTables(connection: mysql.Connection): Promise<boolean> {
    const found = await rowsOf<{ database: string; name: string }>(
        connection,
        "SELECT table_schema AS `database`, table_name AS name FROM information_schema.tables WHERE engine = 'MEMORY' AND table_schema <> 'information_schema'",
    );
    for (const { database, name } of found) await connection.query(`SELECT 1 FROM ${quoted(database, name)} LIMIT 1`);
    return found.length > 0;
}

/** Makes the server's own log begin behind the copy. */
export async function beginLog(connection: mysql.Connection, copied: string): Promise<void> {
    // The rows of a MEMORY table did not outlive the copy; that a transaction of the log changes one of them is no fault. Of other tables it would be one, and where there is none it is.
    if (await lookAtMemoryTables(connection)) await connection.query("SET GLOBAL slave_exec_mode = 'IDEMPOTENT'");
    await connection.query("RESET MASTER");
    await connection.query("SET GLOBAL gtid_slave_pos = ?", [copied]);
}

/** Applies the log as a client does: each event keeps its GTID, its time and its server. */
export async function replay(
    address: ServerAddress,
    log: NonNullable<ScratchPlace["log"]>,
    end: Extract<End, { replay: true }>,
    signal: AbortSignal,
): Promise<void> {
    const reader = startProgram(
        "mariadb-binlog",
        [
            ...["--no-defaults", "--skip-gtid-strict-mode", `--start-position=${log.from.offset}`, `--stop-position=${end.stop}`],
            ...end.files.map((file) => join(log.directory, file)),
        ],
        { signal },
    );
    reader.stdin.end();
    const applier = startMariadbClient(address, null, "SET SESSION max_statement_time = 0", signal);
    applier.stdout.resume();
    try {
        await pipeline(reader.stdout, applier.stdin, { signal });
        await Promise.all([reader.ended, applier.ended]);
    } catch (error) {
        reader.kill();
        // The client that stopped at an error broke the pipe; its own words are the cause.
        await applier.ended.catch((cause: unknown) => {
            signal.throwIfAborted();
            throw new Error(`the log could not be replayed: ${lastWords(cause)}`, { cause });
        });
        throw error;
    }
}
