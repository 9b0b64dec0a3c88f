import { copyFile, mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { ServerAddress } from "../adapter.ts";
import type { LogReach, LogSide, PhysicalStore } from "../physical.ts";
import { startProgram } from "../program.ts";
import { connectPostgres } from "./client.ts";
import { postgresContents } from "./physical/contents.ts";
import { copyPostgres } from "./physical/copy.ts";
import { findTransactions } from "./physical/find.ts";
import { oldestKept, receiveWal } from "./physical/receiver.ts";
import { startPostgresScratch } from "./physical/scratch.ts";
import { follows, formatLsn, parseLsn, startOf, timelineOf } from "./physical/wal.ts";
import { dumpWal } from "./physical/waldump.ts";

async function ask<Row extends object>(server: ServerAddress, sql: string): Promise<Row> {
    const client = await connectPostgres(server, "postgres");
    try {
        return (await client.query<Row>(sql)).rows[0]!;
    } finally {
        await client.end();
    }
}

async function reachOf(directory: string, file: string, from: number): Promise<LogReach> {
    let committedAt: Date | undefined;
    const end = await dumpWal(directory, [file], new AbortController().signal, ({ manager, at, text }) => {
        const [, time] = /^COMMIT(?:_PREPARED)? (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC/.exec(text) ?? [];
        if (manager === "Transaction" && time !== undefined && parseLsn(at) >= startOf(file) + BigInt(from))
            committedAt = new Date(`${time.replace(" ", "T").slice(0, 23)}Z`);
    });
    return { position: formatLsn(end), ...(committedAt === undefined ? {} : { committedAt }) };
}

const log: LogSide = {
    identity: async (server) => (await ask<{ id: string }>(server, "SELECT system_identifier::text AS id FROM pg_control_system()")).id,
    oldest: oldestKept,
    async goesOn(server, { file, offset }) {
        const { at, segment } = await ask<{ at: string; segment: string }>(
            server,
            "SELECT pg_current_wal_flush_lsn()::text AS at, pg_walfile_name(pg_current_wal_insert_lsn()) AS segment",
        );
        const oldest = await oldestKept(server);
        const from = startOf(file) + BigInt(offset);
        return timelineOf(segment) === timelineOf(file) && parseLsn(at) >= from && oldest !== undefined && oldest <= file;
    },
    receive: receiveWal,
    follows,
    async reach(path, from, to) {
        // Under its final name, and no byte further: an open segment is longer than what is flushed, and named otherwise.
        const file = basename(path).replace(/\.partial$/, "");
        const directory = await mkdtemp(join(tmpdir(), "lifeboat-reach-"));
        try {
            await copyFile(path, join(directory, file));
            if (to !== undefined) await truncate(join(directory, file), to);
            return await reachOf(directory, file, from);
        } finally {
            await rm(directory, { recursive: true, force: true });
        }
    },
    find: findTransactions,
};

/** PostgreSQL: pg_basebackup's copies, the write-ahead log, and servers that are started from both. */
export const physical: PhysicalStore = {
    way: "network",
    programs: [
        "pg_basebackup",
        "pg_receivewal",
        "pg_waldump",
        "pg_controldata",
        "pg_verifybackup",
        "postgres",
        "pg_dump",
        "pg_dumpall",
        "tar",
    ],
    copy: copyPostgres,
    unpack(directory, signal) {
        const program = startProgram("tar", ["--extract", `--directory=${directory}`, "--file=-"], { signal });
        program.stdout.resume();
        return program;
    },
    start: startPostgresScratch,
    contents: postgresContents,
    log,
};
