import { createHash } from "node:crypto";
import type { ServerAddress } from "../../adapter.ts";
import { startProgram } from "../../program.ts";
import { libpq } from "./copy.ts";
import { postgresProgram } from "./programs.ts";

/** Versions, dates and the tokens of \restrict are not the database's. */
const passing = /^(-- Dumped (from|by) .*|\\(un)?restrict .*|-- (Started|Completed) on .*)\n/gm;

async function textOf(name: string, args: readonly string[], server: ServerAddress, signal: AbortSignal): Promise<string> {
    const program = startProgram(postgresProgram(name), [...args, "--no-password"], {
        env: { ...libpq(server, "lifeboat"), PGDATABASE: "postgres" },
        signal,
    });
    program.stdin.end();
    const parts: Buffer[] = [];
    for await (const part of program.stdout) parts.push(part as Buffer);
    await program.ended;
    return Buffer.concat(parts).toString("latin1").replaceAll(passing, "");
}

/** SHA-256 of roles, rights and settings of the server and of the schema of each database, as pg_dumpall and pg_dump have them. */
export async function schemaOf(server: ServerAddress, databases: readonly string[], signal: AbortSignal): Promise<string> {
    const hash = createHash("sha256").update(await textOf("pg_dumpall", ["--globals-only"], server, signal), "latin1");
    for (const database of databases)
        hash.update(
            await textOf(
                "pg_dump",
                ["--schema-only", "--create", "--lock-wait-timeout=30s", `--dbname=${connection(database)}`],
                server,
                signal,
            ),
            "latin1",
        );
    return hash.digest("hex");
}

/** A database's name as a connection string: one that has a "=" or a "//" in it would be read as one otherwise. */
const connection = (database: string) => `dbname='${database.replaceAll(/[\\']/g, "\\$&")}'`;
