import { createHash } from "node:crypto";
import type mysql from "mysql2/promise";
import type { ServerAddress } from "../../adapter.ts";
import { startProgram } from "../../program.ts";
import { rowsOf, secretOf, whereabouts } from "../client.ts";

/** Who may do what: the tables that accounts, roles and rights lie in. */
const rights = ["global_priv", "db", "tables_priv", "columns_priv", "procs_priv", "roles_mapping", "proxies_priv", "servers"];

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
    const text = moving.reduce((rest, pattern) => rest.replaceAll(pattern, ""), Buffer.concat(parts).toString("latin1"));
    const hash = createHash("sha256").update(text, "latin1");
    const here = await rowsOf<{ name: string }>(
        connection,
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'mysql'",
    );
    for (const table of rights.filter((name) => here.some((found) => found.name === name))) {
        const [sum] = await rowsOf<{ Checksum: string }>(connection, `CHECKSUM TABLE mysql.${table} EXTENDED`);
        hash.update(`${table} ${String(sum?.Checksum)}\n`);
    }
    return hash.digest("hex");
}
