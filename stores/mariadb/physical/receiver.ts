import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../model/failure.ts";
import type { ServerAddress } from "../../adapter.ts";
import type { LogReceiver, ReceivedFile } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { secretOf, whereabouts } from "../client.ts";
import { walk } from "./events.ts";

/** `binlog.000009`, `binlog.000010` */
const number = (file: string): number => Number(/\.(\d+)$/.exec(file)?.[1] ?? NaN);

/** See `LogSide.follows`. */
export const follows = (file: string, next: string): boolean => number(next) === number(file) + 1;

/**
 * Receives binary log files as a replica does, byte by byte as the server wrote them. The server makes an event durable (`sync_binlog=1`) before it sends it.
 * https://mariadb.com/kb/en/mariadb-binlog-options/#-raw
 */
export function receiveBinlog(server: ServerAddress, file: string, directory: string, signal: AbortSignal): LogReceiver {
    const program = startProgram(
        "mariadb-binlog",
        [...whereabouts(server), "--read-from-remote-server", "--raw", "--stop-never", `--result-file=${directory}/`, file],
        { env: secretOf(server), signal },
    );
    program.stdin.end();
    program.stdout.resume();
    /** Up to which byte a file was walked: its events before it are whole. */
    const walked = new Map<string, number>();
    const ended = program.ended.then(() => {
        throw new Failure(
            "unavailable",
            "the server ended the stream of its binary log",
            "see that the server runs; the log is gone on with by itself",
        );
    });
    ended.catch(() => undefined); // told to whoever waits for it
    return {
        ended,
        async files(): Promise<readonly ReceivedFile[]> {
            const found = (await readdir(directory)).filter((name) => !Number.isNaN(number(name))).sort((a, b) => number(a) - number(b));
            const newest = found.at(-1);
            const files: ReceivedFile[] = [];
            for (const name of found) {
                const { groups, end } = await walk(join(directory, name), walked.get(name) ?? 0);
                const last = groups.at(-1);
                const bytes = last && !last.whole ? last.from : end;
                walked.set(name, bytes);
                files.push({ file: name, path: join(directory, name), bytes, whole: name !== newest });
            }
            return files;
        },
        // The server keeps its log by age (`expire_logs_days`), whoever has read it.
        release: () => Promise.resolve(),
    };
}
