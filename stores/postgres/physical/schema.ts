import { createHash } from "node:crypto";
import type { ServerAddress } from "../../adapter.ts";
import { libpq } from "../client.ts";
import { runTool } from "./programs.ts";
import { pinned } from "./session.ts";

/** Lines of a dump that are not of what is dumped: the programs' versions, the time, the key of \restrict, which is drawn anew each time. */
const passing = /^(-- Dumped (from|by) |-- (Started|Completed) on |\\(un)?restrict )/;

const normalized = (dump: string): string =>
    dump
        .split("\n")
        .filter((line) => !passing.test(line))
        .join("\n");

/** SHA-256 of the server's roles with their rights and settings, and of each database's schema, owners, rights and settings. */
export async function schemaOf(server: ServerAddress, databases: readonly string[], signal: AbortSignal): Promise<string> {
    const hash = createHash("sha256");
    const dump = async (program: string, database: string, args: readonly string[]) => {
        const env = { ...libpq(server, database), PGOPTIONS: pinned };
        hash.update(normalized(await runTool(program, ["--no-password", ...args], { env, signal })));
    };
    await dump("pg_dumpall", "postgres", ["--globals-only", "--database=postgres"]);
    for (const database of databases) {
        hash.update(`\0${database}\0`);
        await dump("pg_dump", database, ["--schema-only", "--create", "--encoding=UTF8", "--lock-wait-timeout=30s"]);
    }
    return hash.digest("hex");
}
