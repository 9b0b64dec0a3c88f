import mysql from "mysql2/promise";
import { Failure } from "../../model/failure.ts";
import type { Scratch, ServerAddress } from "../adapter.ts";
import { connectMariadb, largestPacket, readTables, rowsOf, secretOf, startMariadbClient, whereabouts } from "./client.ts";
import { startProgram } from "../program.ts";

const id = mysql.escapeId;

/** A server that takes smaller packets than the dump has is told to take them while it is loaded; returns what puts its own size back. */
async function allowLargeRows(connection: mysql.Connection): Promise<() => Promise<void>> {
    const [found] = await rowsOf<{ size: string }>(connection, "SELECT @@global.max_allowed_packet AS size");
    const size = Number(found?.size);
    if (size >= largestPacket) return async () => {};
    await connection.query(`SET GLOBAL max_allowed_packet = ${largestPacket}`);
    return async () => void (await connection.query(`SET GLOBAL max_allowed_packet = ${size}`));
}

const tablesOf = async (connection: mysql.Connection, database: string): Promise<string[]> =>
    (
        await rowsOf<{ name: string }>(
            connection,
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type IN ('BASE TABLE', 'SEQUENCE') ORDER BY 1",
            [database],
        )
    ).map(({ name }) => name);

/** Views, routines, events and triggers as statements: what `RENAME TABLE` cannot move between databases. Small: no rows. */
async function readObjects(server: ServerAddress, connection: mysql.Connection, database: string): Promise<string> {
    const tables = await tablesOf(connection, database);
    const program = startProgram(
        "mariadb-dump",
        [
            ...whereabouts(server),
            ...["--no-data", "--no-create-db", "--routines", "--triggers", "--events", "--skip-lock-tables"],
            "--default-character-set=utf8mb4",
            ...tables.map((table) => `--ignore-table=${database}.${table}`),
            database,
        ],
        { env: secretOf(server), signal: AbortSignal.timeout(60_000) },
    );
    program.stdin.end();
    const parts: Buffer[] = [];
    for await (const part of program.stdout) parts.push(part as Buffer);
    await program.ended;
    const triggers = await readTriggers(connection, database);
    return `${Buffer.concat(parts).toString()}\n${triggers}`;
}

/** The dump leaves the triggers of an ignored table out. */
async function readTriggers(connection: mysql.Connection, database: string): Promise<string> {
    const triggers = await rowsOf<{ name: string }>(
        connection,
        "SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = ? ORDER BY event_object_table, action_order",
        [database],
    );
    let text = "";
    for (const { name } of triggers) {
        const [shown] = await rowsOf<{ sql_mode: string; "SQL Original Statement": string }>(
            connection,
            `SHOW CREATE TRIGGER ${id(database)}.${id(name)}`,
        );
        text += `SET sql_mode = ${mysql.escape(shown!.sql_mode)};\nDROP TRIGGER IF EXISTS ${id(name)};\nDELIMITER ;;\n${shown!["SQL Original Statement"]} ;;\nDELIMITER ;\n`;
    }
    return text;
}

async function writeObjects(server: ServerAddress, database: string, statements: string): Promise<void> {
    const program = startMariadbClient(server, database, "SET NAMES utf8mb4", AbortSignal.timeout(60_000));
    program.stdout.resume();
    program.stdin.on("error", () => {});
    program.stdin.end(statements);
    await program.ended;
}

async function dropTriggers(connection: mysql.Connection, database: string): Promise<void> {
    for (const { name } of await rowsOf<{ name: string }>(
        connection,
        "SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = ?",
        [database],
    ))
        await connection.query(`DROP TRIGGER ${id(database)}.${id(name)}`);
}

/** Views and stored programs of a database whose tables have moved away would point at nothing. */
async function dropViewsAndPrograms(connection: mysql.Connection, database: string): Promise<void> {
    const list = (sql: string) => rowsOf<{ kind: string; name: string }>(connection, sql, [database]);
    const found = [
        ...(await list("SELECT 'VIEW' AS kind, table_name AS name FROM information_schema.views WHERE table_schema = ?")),
        ...(await list("SELECT routine_type AS kind, routine_name AS name FROM information_schema.routines WHERE routine_schema = ?")),
        ...(await list("SELECT 'EVENT' AS kind, event_name AS name FROM information_schema.events WHERE event_schema = ?")),
    ];
    for (const { kind, name } of found) await connection.query(`DROP ${kind} ${id(database)}.${id(name)}`);
}

/** See `StoreAdapter.scratch`. The user must be allowed to do everything. */
export async function makeScratch(target: ServerAddress, label: string, replace: boolean): Promise<Scratch> {
    const connection = await connectMariadb(target, null);
    const database = `${target.database}_restore_${label}`;
    const kept = `${target.database}_before_${label}`;
    try {
        const present = await tablesOf(connection, target.database);
        if (present.length > 0 && !replace)
            throw new Failure(
                "refused",
                `${target.database} on ${target.host} holds ${present.length} ${present.length === 1 ? "table" : "tables"}`,
                "restore into an empty database, or say --replace: what is there is then kept beside it",
            );
        await connection.query(`CREATE DATABASE ${id(database)} CHARACTER SET utf8mb4`);
    } catch (error) {
        connection.destroy();
        throw error;
    }
    const putSizeBack = await allowLargeRows(connection);
    let closed = false;

    return {
        database,

        load: (signal) => startMariadbClient(target, database, "SET SESSION default_storage_engine = InnoDB", signal),

        async check() {
            for (const table of await tablesOf(connection, database)) {
                const answers = await rowsOf<{ Msg_type: string; Msg_text: string }>(
                    connection,
                    `CHECK TABLE ${id(database)}.${id(table)} MEDIUM`,
                );
                const bad = answers.find(({ Msg_type, Msg_text }) => Msg_type === "error" || (Msg_type === "status" && Msg_text !== "OK"));
                if (bad) throw new Error(`the restored table ${table} is damaged: ${bad.Msg_text}`);
            }
            return await readTables(connection, database);
        },

        async takePlace() {
            await connection.query(`CREATE DATABASE IF NOT EXISTS ${id(target.database)} CHARACTER SET utf8mb4`);
            const [incoming, outgoing] = [await tablesOf(connection, database), await tablesOf(connection, target.database)];
            const fresh = await readObjects(target, connection, database);
            const old = await readObjects(target, connection, target.database);
            if (outgoing.length > 0) await connection.query(`CREATE DATABASE ${id(kept)} CHARACTER SET utf8mb4`);
            const moves = [
                ...outgoing.map((table) => `${id(target.database)}.${id(table)} TO ${id(kept)}.${id(table)}`),
                ...incoming.map((table) => `${id(database)}.${id(table)} TO ${id(target.database)}.${id(table)}`),
            ];
            try {
                // Tables with triggers do not move.
                await dropTriggers(connection, database);
                await dropTriggers(connection, target.database);
                // One statement: all of it, or nothing.
                if (moves.length > 0) await connection.query(`RENAME TABLE ${moves.join(", ")}`);
            } catch (error) {
                await writeObjects(target, target.database, old);
                if (outgoing.length > 0) await connection.query(`DROP DATABASE ${id(kept)}`);
                throw error;
            }
            await dropViewsAndPrograms(connection, target.database);
            await writeObjects(target, target.database, fresh);
            if (outgoing.length > 0) await writeObjects(target, kept, old);
            await connection.query(`DROP DATABASE ${id(database)}`);
            return outgoing.length > 0 ? { kept } : {};
        },

        async discard() {
            if (closed) return;
            closed = true;
            try {
                await connection.query(`DROP DATABASE IF EXISTS ${id(database)}`);
                await putSizeBack();
            } finally {
                connection.destroy();
            }
        },
    };
}
