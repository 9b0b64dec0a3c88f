import { spawn } from "node:child_process";
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { postgresProgram } from "./programs.ts";
import { parseLsn, segmentBytes, startOf } from "./wal.ts";

/** A record that ends or changes something, as pg_waldump tells it. */
export interface WalLine {
    readonly manager: string;
    readonly transaction: string;
    readonly at: string;
    readonly text: string;
}

const line = /^rmgr: (\S+) +len \(rec\/tot\): +\d+\/ +\d+, tx: +(\d+), lsn: ([0-9A-F]+\/[0-9A-F]+), prev \S+, desc: (.*)$/;
/**
 * How pg_waldump says that there is no more: zeros, at that position. pg_receivewal fills a segment with nothing else, so whatever else stands there (an older page, another length, a link that leads elsewhere) is damage.
 */
const over = /(?:invalid record length|invalid magic number 0000)(?:[^\n]*? at ([0-9A-F]+\/[0-9A-F]+): wanted \d+, got 0)?[^\n]*/;
const inRecord = /error in WAL record at ([0-9A-F]+\/[0-9A-F]+)/;

/** Reads segments, of which the last may be cut anywhere (it is filled up), with pg_waldump, which checks each record's CRC. @returns where the last whole record ends @throws Error where a record is damaged */
export async function dumpWal(
    directory: string,
    files: readonly string[],
    signal: AbortSignal,
    tell?: (line: WalLine) => void,
): Promise<bigint> {
    const [first, last] = [files[0], files.at(-1)];
    if (first === undefined || last === undefined) throw new RangeError("the log has no segment");
    // Zeros are what an open segment ends with; the program wants each at its full length.
    if (statSync(join(directory, last)).size < segmentBytes) truncateSync(join(directory, last), segmentBytes);
    const child = spawn(postgresProgram("pg_waldump"), [...(tell ? [] : ["--quiet"]), `--path=${directory}`, first, last], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" },
        signal,
        killSignal: "SIGKILL",
    });
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-4000)));
    const ended = new Promise<void>((resolve, reject) => child.on("error", reject).on("close", () => resolve()));
    if (tell)
        for await (const text of createInterface({ input: child.stdout })) {
            const [, manager, transaction, at, desc] = line.exec(text) ?? [];
            if (manager !== undefined) tell({ manager, transaction: transaction!, at: at!, text: desc! });
        }
    else child.stdout.resume();
    await ended;
    if (said.trim() === "") return startOf(last) + BigInt(segmentBytes);
    const zeros = over.exec(said);
    const clean = zeros !== null && (zeros[0].includes("magic number 0000") || zeros[1] !== undefined);
    const stopped = (clean ? zeros : undefined) ?? (/could not (open|find) file|could not read from file/.test(said) ? [] : undefined);
    const at = stopped?.[1] ?? inRecord.exec(said)?.[1];
    if (stopped === undefined || at === undefined) throw new Error(`the log is damaged: ${said.trim()}`);
    const end = parseLsn(at);
    if (end < startOf(last)) throw new Error(`the log is damaged, or lacks a part: it can be read up to ${at}, and goes on in ${last}`);
    return end;
}

export const endOfLog = (directory: string, files: readonly string[], signal: AbortSignal): Promise<bigint> =>
    dumpWal(directory, files, signal);
