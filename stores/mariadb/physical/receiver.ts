import { randomInt } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../model/failure.ts";
import type { ServerAddress } from "../../adapter.ts";
import type { LogReceiver, ReceivedFile } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { secretOf, whereabouts } from "../client.ts";
import { walk } from "./events.ts";
import { lastWords } from "./words.ts";

/** `binlog.000009`, `binlog.000010` */
const number = (file: string): number => Number(/\.(\d+)$/.exec(file)?.[1] ?? NaN);

/** See `LogSide.follows`. */
export const follows = (file: string, next: string): boolean => number(next) === number(file) + 1;

/**
 * Receives binary log files as a replica does, byte by byte as the server wrote them. The server makes an event durable (`sync_binlog=1`) before it sends it.
 * What an earlier receiver left of `file` and what follows it is fetched anew: a receiver that was killed leaves a file that is cut off, and nobody can tell where.
 * https://mariadb.com/kb/en/mariadb-binlog-options/#-raw
 */
export async function receiveBinlog(server: ServerAddress, file: string, directory: string, signal: AbortSignal): Promise<LogReceiver> {
    for (const left of await listed(directory)) if (number(left) >= number(file)) await rm(join(directory, left));
    const program = startProgram(
        "mariadb-binlog",
        [
            ...[...whereabouts(server), "--read-from-remote-server", "--raw", "--stop-never"],
            // The server ends the connection of an older replica of the same number; this is nobody's.
            ...[`--stop-never-slave-server-id=${randomInt(2 ** 31, 2 ** 32 - 1)}`, `--result-file=${directory}/`, file],
        ],
        { env: secretOf(server), signal },
    );
    program.stdin.end();
    program.stdout.resume();
    /** Up to which byte a file was walked, and its size then: its events before that byte are whole. */
    const walked = new Map<string, { bytes: number; size: number }>();
    const ended = program.ended.then(
        () => {
            throw new Failure("unavailable", "the server ended the stream of its binary log", again);
        },
        (error: Error) => {
            if (error instanceof Failure) throw error;
            throw new Failure("unavailable", `the binary log is not received: ${lastWords(error)}`, again, { cause: error });
        },
    );
    ended.catch(() => undefined); // told to whoever waits for it
    return {
        ended,
        async files(): Promise<readonly ReceivedFile[]> {
            const found = await listed(directory);
            const files: ReceivedFile[] = [];
            for (const name of found) {
                const path = join(directory, name);
                const { size } = await stat(path);
                const known = walked.get(name) ?? { bytes: 0, size: 0 };
                // An idle server costs a look at a size.
                const bytes = known.size === size ? known.bytes : await wholeUpTo(path, known.bytes);
                walked.set(name, { bytes, size });
                // The next one is begun when this one is written to its end.
                files.push({ file: name, path, bytes, whole: name !== found.at(-1) });
            }
            return files;
        },
        // The server keeps its log by age (`expire_logs_days`), whoever has read it.
        release: () => Promise.resolve(),
    };
}
const again = "see that the server runs, lets this user in and keeps its log; the log is gone on with by itself";

async function wholeUpTo(path: string, from: number): Promise<number> {
    const { last, end } = await walk(path, { from });
    return last && !last.whole ? last.from : end;
}

async function listed(directory: string): Promise<string[]> {
    return (await readdir(directory)).filter((name) => !Number.isNaN(number(name))).sort((a, b) => number(a) - number(b));
}
