import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../model/failure.ts";
import type { ServerAddress } from "../../adapter.ts";
import type { LogReceiver, ReceivedFile } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { connectPostgres } from "../client.ts";
import { libpq } from "./copy.ts";
import { postgresProgram } from "./programs.ts";
import { formatLsn, isSegment, parseLsn, segmentBytes, startOf } from "./wal.ts";

/** Keeps the log on the server until it lies in the vault; how much it may keep is the server's `max_slot_wal_keep_size`. */
const keeper = "lifeboat_archive";
/** Made of the keeper at each start: pg_receivewal moves it as it writes, which is before anything is in the vault. */
const reader = "lifeboat_receiver";

async function within<Result>(
    server: ServerAddress,
    work: (client: Awaited<ReturnType<typeof connectPostgres>>) => Promise<Result>,
): Promise<Result> {
    const client = await connectPostgres(server, "postgres");
    try {
        return await work(client);
    } finally {
        await client.end();
    }
}

/** First segment that the server keeps for the archive. The slot is made where there is none. */
export const oldestKept = (server: ServerAddress): Promise<string | undefined> =>
    within(server, async (client) => {
        await client.query(
            `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND wal_status = 'lost' AND NOT active`,
            [keeper],
        );
        await client.query(
            `SELECT pg_create_physical_replication_slot($1, true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)`,
            [keeper],
        );
        const { rows } = await client.query<{ file: string | null }>(
            "SELECT pg_walfile_name(restart_lsn + 1) AS file FROM pg_replication_slots WHERE slot_name = $1",
            [keeper],
        );
        return rows[0]?.file ?? undefined;
    });

/** See `LogSide.receive`. */
export async function receiveWal(server: ServerAddress, file: string, directory: string, signal: AbortSignal): Promise<LogReceiver> {
    await within(server, async (client) => {
        const { rows } = await client.query<{ kept: string | null }>(
            "SELECT restart_lsn::text AS kept FROM pg_replication_slots WHERE slot_name = $1",
            [keeper],
        );
        const kept = rows[0]?.kept;
        if (kept === null || kept === undefined || parseLsn(kept) >= startOf(file) + BigInt(segmentBytes))
            throw new Failure(
                "no",
                `the server keeps no log from ${file} on for the archive`,
                "it begins anew, with a full copy: see that max_slot_wal_keep_size holds an outage of the vault",
            );
        // One that a killed receiver left is active until the server has noticed.
        await client.query("SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active", [
            reader,
        ]);
        await client.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", [reader]);
        await client.query("SELECT pg_copy_physical_replication_slot($1, $2)", [keeper, reader]);
    });
    const program = startProgram(
        postgresProgram("pg_receivewal"),
        [`--directory=${directory}`, `--slot=${reader}`, "--synchronous", "--no-loop", "--no-password"],
        { env: libpq(server, reader), signal },
    );
    program.stdin.end();
    program.stdout.resume();
    const ended = program.ended.then(() => {
        throw new Failure(
            "unavailable",
            "the server ended the stream of its log",
            "see that the server runs; the log is gone on with by itself",
        );
    });
    ended.catch(() => undefined); // told to whoever waits for it
    return {
        ended,
        async files(): Promise<readonly ReceivedFile[]> {
            const flushed = await within(server, async (client) => {
                const { rows } = await client.query<{ at: string | null }>(
                    "SELECT flush_lsn::text AS at FROM pg_stat_replication WHERE application_name = $1",
                    [reader],
                );
                return rows[0]?.at ?? undefined;
            });
            const names = (await readdir(directory)).sort();
            return names.flatMap((name): ReceivedFile[] => {
                const segment = name.replace(/\.partial$/, "");
                if (!isSegment(segment)) return [];
                if (segment === name) return [{ file: segment, path: join(directory, name), bytes: segmentBytes, whole: true }];
                const reached = flushed === undefined ? 0n : parseLsn(flushed) - startOf(segment);
                const bytes = Number(reached < 0n ? 0n : reached > BigInt(segmentBytes) ? BigInt(segmentBytes) : reached);
                return [{ file: segment, path: join(directory, name), bytes, whole: false }];
            });
        },
        // The slot stands at a byte: the segment that it is in is kept whole.
        release: ({ file: shipped, offset }) =>
            within(server, async (client) => {
                await client.query(
                    "SELECT pg_replication_slot_advance($1, $2::pg_lsn) WHERE $2::pg_lsn > (SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = $1)",
                    [keeper, formatLsn(startOf(shipped) + BigInt(offset))],
                );
            }),
    };
}
