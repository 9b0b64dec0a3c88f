import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type mysql from "mysql2/promise";
import type { ServerAddress } from "../../adapter.ts";
import type { ScratchPlace } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { rowsOf, startMariadbClient } from "../client.ts";
import type { End } from "./moment.ts";
import { lastWords } from "./words.ts";

/** Does what has to be done before transactions of the log are applied. */
export async function readyForLog(connection: mysql.Connection): Promise<void> {
    const [found] = await rowsOf<{ n: string }>(
        connection,
        "SELECT COUNT(*) AS n FROM information_schema.tables WHERE engine = 'MEMORY' AND table_schema <> 'information_schema'",
    );
    // The rows of a MEMORY table did not outlive the copy; that a transaction of the log changes one of them is no fault. Of other tables it would be one, and where there is no such table it is.
    if (Number(found?.n) > 0) await connection.query("SET GLOBAL slave_exec_mode = 'IDEMPOTENT'");
}

/** What a statement of the log was let to do, and the log does not say. */
const session = "SET SESSION max_statement_time = 0, system_versioning_alter_history = KEEP, innodb_strict_mode = OFF";

/** Applies the log as a client does: each event keeps its time, its numbers and its session's settings. */
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
    const applier = startMariadbClient(address, null, session, signal);
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
