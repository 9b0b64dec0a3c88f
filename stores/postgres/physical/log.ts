import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { ServerAddress } from "../../adapter.ts";
import type { LogSide } from "../../physical.ts";
import { connectPostgres } from "../client.ts";
import { lsnOf, lsnText } from "../position.ts";
import { endingOf } from "./commit.ts";
import { findTransactions } from "./find.ts";
import { oldestKept, receiveWal } from "./receiver.ts";
import { walk } from "./records.ts";
import { follows, knownSegment, lsnAt, segmentSize } from "./segment.ts";

async function ask<Row extends object>(server: ServerAddress, sql: string, values: unknown[] = []): Promise<Row | undefined> {
    const client = await connectPostgres(server, "postgres");
    try {
        return (await client.query<Row>(sql, values)).rows[0];
    } finally {
        await client.end();
    }
}

/** The server's own timeline, and how far it has written it. A timeline's number is the first 8 digits of a file's name; pg_control_checkpoint would lag behind a promotion. */
const standing = `
    SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) END AS timeline,
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_flush_lsn() END::text AS flushed`;

/** The write-ahead log. Files are of 16 MiB each, whole from their first byte. https://www.postgresql.org/docs/15/wal-internals.html */
export const log: LogSide = {
    async identity(server) {
        const found = await ask<{ id: string }>(server, "SELECT system_identifier::text AS id FROM pg_control_system()");
        return found!.id;
    },

    oldest: oldestKept,

    /** A log of another timeline does not go on: what follows a promotion begins with a copy of its own, so that no file of one history is ever taken for one of the other. */
    async goesOn(server, at, position) {
        const found = await ask<{ timeline: string | null; flushed: string }>(server, standing);
        const there = await ask<{ there: boolean }>(server, "SELECT EXISTS (SELECT FROM pg_ls_waldir() WHERE name = $1) AS there", [
            at.file,
        ]);
        if (!found || found.timeline !== at.file.slice(0, 8) || there?.there !== true) return false;
        const flushed = lsnOf(found.flushed);
        return lsnAt(at) <= flushed && (position === undefined || lsnOf(position) <= flushed);
    },

    receive: receiveWal,
    follows,

    async reach(path: string, from: number, to?: number) {
        const segment = knownSegment(basename(path));
        const bytes = await readFile(path);
        const upTo = Math.min(to ?? bytes.length, bytes.length);
        if (to !== undefined && to > bytes.length) throw new Error(`${basename(path)} ends at byte ${bytes.length}, before ${to}`);
        let newest: { position: string; committedAt: Date } | undefined;
        const walked = walk(bytes.subarray(0, upTo), segment, {
            from,
            each(record) {
                const ending = endingOf(record);
                if (ending?.kind === "commit") newest = { position: lsnText(record.end), committedAt: ending.at };
            },
        });
        if (typeof walked.stopped === "object") throw new Error(`the log is damaged: ${basename(path)}: ${walked.stopped.damage}`);
        if (upTo === segmentSize && walked.end !== segmentSize)
            throw new Error(`the log is damaged: ${basename(path)}: its records end at byte ${walked.end}, and the file is whole`);
        if (upTo < segmentSize && walked.end < upTo && walked.records > 0)
            throw new Error(
                `the log is damaged: ${basename(path)}: no whole record ends at byte ${upTo}; the last one ends at ${walked.end}`,
            );
        return newest ?? {};
    },

    find: findTransactions,
};
