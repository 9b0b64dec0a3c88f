import { createHash } from "node:crypto";
import type mysql from "mysql2/promise";
import type { ServerAddress } from "../../adapter.ts";
import { startProgram } from "../../program.ts";
import { sumOf } from "./values.ts";
import { rowsOf, secretOf, whereabouts } from "../client.ts";

/** Who may do what: the tables that accounts, roles and rights lie in. */
const rights = [
    ...["global_priv", "db", "tables_priv", "columns_priv", "procs_priv", "roles_mapping", "proxies_priv", "servers", "func", "plugin"],
];
/** Who granted a right, and when: a replica and a replay note themselves. */
const notes = ["Grantor", "Timestamp"] as const;

/** Lines of a dump that say no more than how far a counter is. */
const moving = [
    / AUTO_INCREMENT=\d+/g,
    /^(SELECT|DO) SETVAL\(.*$/gm,
    /^-- Dump completed.*$/gm,
    /^-- Host:.*$/gm,
    /^-- Server version.*$/gm,
];

/**
 * SHA-256 of the schema as mariadb-dump has it (databases, tables, views, routines, triggers, events), and of accounts and rights. AUTO_INCREMENT is left out: it moves with rows that
 * were rolled back, too.
 */
export async function schemaOf(server: ServerAddress, connection: mysql.Connection, signal: AbortSignal): Promise<string> {
    const program = startProgram(
        "mariadb-dump",
        [
            ...[...whereabouts(server), "--all-databases", "--no-data", "--routines", "--triggers", "--events", "--skip-lock-tables"],
            // A view that is broken at the source is broken in its copy: it is no reason to read no schema.
            ...["--force", "--skip-dump-date", "--default-character-set=utf8mb4"],
            ...["--ignore-database=mysql", "--ignore-database=sys"],
        ],
        { env: secretOf(server), signal },
    );
    program.stdin.end();
    const parts: Buffer[] = [];
    for await (const part of program.stdout) parts.push(part as Buffer);
    const whole = Buffer.concat(parts).toString("latin1");
    if (!/^-- Dump completed/m.test(whole.slice(-200))) {
        await program.ended;
        throw new Error("mariadb-dump wrote a schema that is cut off");
    }
    const text = moving.reduce((rest, pattern) => rest.replaceAll(pattern, ""), whole);
    const hash = createHash("sha256").update(text, "latin1");
    const here = await rowsOf<{ name: string }>(
        connection,
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'mysql'",
    );
    for (const table of rights.filter((name) => here.some((found) => found.name === name)))
        hash.update(`${table} ${(await sumOf(connection, "mysql", table, { versioned: false, without: [...notes] })).checksum}\n`);
    return hash.digest("hex");
}
