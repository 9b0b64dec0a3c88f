import mysql from "mysql2/promise";
import type { ServerAddress } from "../../adapter.ts";
import { connectMariadb, rowsOf } from "../client.ts";

/** The engine's own schemas: made anew by every server. */
export const systemSchemas = ["information_schema", "performance_schema", "sys"] as const;

export const quoted = (...names: readonly string[]) => names.map((name) => mysql.escapeId(name, true)).join(".");

/** `CHECK TABLE … EXTENDED` of every table, the engine's own of accounts and routines among them. @throws Error naming what is damaged */
export async function checkTables(address: ServerAddress, signal: AbortSignal): Promise<void> {
    const connection = await connectMariadb(address, null);
    try {
        const tables = await rowsOf<{ database: string; name: string }>(
            connection,
            `SELECT table_schema AS \`database\`, table_name AS name FROM information_schema.tables
             WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') AND table_schema NOT IN (?) ORDER BY 1, 2`,
            [systemSchemas],
        );
        for (const { database, name } of tables) {
            signal.throwIfAborted();
            const answers = await rowsOf<{ Msg_type: string; Msg_text: string }>(
                connection,
                `CHECK TABLE ${quoted(database, name)} EXTENDED`,
            );
            const bad = answers.find(
                ({ Msg_type, Msg_text }) =>
                    Msg_type.toLowerCase() === "error" || (Msg_type === "status" && !/^(OK|Table is already up to date)$/.test(Msg_text)),
            );
            // Engines that have no check of their own (MEMORY, CSV, SEQUENCE) say so in a note.
            const none = answers.some(({ Msg_text }) => /doesn't support check/.test(Msg_text));
            if (bad && !none) throw new Error(`the table ${database}.${name} is damaged: ${bad.Msg_text}`);
        }
    } finally {
        connection.destroy();
    }
}
