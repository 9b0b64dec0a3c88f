import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import type { LogRecord } from "../../model/log-record.ts";
import type { LogReach, LogSide } from "../../stores/physical.ts";
import { isOutage } from "../outage.ts";
import { scratchDirectory } from "../scratch.ts";
import type { Standpoint } from "../vault.ts";
import { chainOf, runFrom, type FileRange } from "./chain.ts";
import { openWell } from "./fetch.ts";
import type { HistoryName } from "./key.ts";
import { historiesOf, logOf, piecesOf, readingOf } from "./list.ts";
import type { StoredPiece } from "./piece.ts";
import { readRecord, tellReach, writeRecord } from "./record.ts";

export interface VerifyLogOptions {
    readonly signal: AbortSignal;
    readonly note: (line: string) => void;
    /** Where files of the log lie while they are looked at; one at a time, and of each what is new. Default: os.tmpdir() */
    readonly scratch?: string;
    /** Default: the kind's. */
    readonly log?: LogSide;
}

export type LogFinding =
    | {
          readonly outcome: "looked";
          readonly history: string;
          readonly record: LogRecord;
          readonly pieces: number;
          readonly trouble: boolean;
      }
    /** The region or the key did not answer: says nothing about the log. */
    | { readonly outcome: "unchecked"; readonly history: string; readonly reason: string };

const lifetime = 86_400;

/**
 * Looks at each new piece of a store's log in this site's vault, cheaply: it is there, it opens, its length is right, the engine's checksums hold. How far each history is good is written down
 * in the coordination bucket. A piece that was looked at is not read again.
 */
export async function verifyLog(standpoint: Standpoint, store: string, options: VerifyLogOptions): Promise<LogFinding[]> {
    const findings: LogFinding[] = [];
    for (const name of await historiesOf(standpoint, store))
        try {
            findings.push(await look(standpoint, store, name, options));
        } catch (error) {
            if (options.signal.aborted) throw options.signal.reason;
            if (!isOutage(error)) throw error;
            const reason = (error as Error).message;
            findings.push({ outcome: "unchecked", history: name.history, reason });
            options.note(`${store} log ${name.history}: not checked: ${reason}`);
        }
    return findings;
}

/** How far a look came. */
interface Progress {
    good: LogRecord["good"];
    pieces: number;
    damaged?: string;
}

async function look(standpoint: Standpoint, store: string, { history, site }: HistoryName, options: VerifyLogOptions): Promise<LogFinding> {
    const log = options.log ?? logOf(standpoint, store);
    const before = await readRecord(standpoint, store, history);
    const chain = chainOf(await piecesOf(standpoint, store, history));
    // What retention gave up in the meantime is not missed.
    const begin = chain.find(({ file }) => file === before?.good?.file) ?? chain[0];
    if (!begin) throw new Error(`the history ${history} was listed and is gone`);
    const run = runFrom(chain, begin.file, log.follows);
    const progress: Progress = { good: before?.good, pieces: 0 };
    await using scratch = await scratchDirectory(options.scratch, lifetime);
    for (const range of run.files) {
        await lookAtFile(standpoint, store, range, progress, { ...options, log }, scratch.path);
        if (progress.damaged !== undefined) break;
    }
    const now = new Date();
    const { good, damaged } = progress;
    const since = (what: { why: string; since: string } | undefined, why: string) => ({
        why,
        since: what?.why === why ? what.since : now.toISOString(),
    });
    const record: LogRecord = {
        version: 1,
        ...{ store, history, site, at: now.toISOString(), read: standpoint.site },
        from: before?.from !== undefined && chain.some(({ file }) => file === before.from) ? before.from : begin.file,
        ...(good === undefined ? {} : { good }),
        ...(run.gap && damaged === undefined ? { gap: since(before?.gap, run.gap.why) } : {}),
        ...(damaged === undefined ? {} : { damaged: since(before?.damaged, damaged) }),
    };
    const told = tellReach(record, now);
    const isNews = progress.pieces > 0 || record.gap?.since !== before?.gap?.since || record.damaged?.since !== before?.damaged?.since;
    if (isNews || before === undefined || told.trouble) await writeRecord(standpoint, record);
    if (isNews) options.note(`${store} ${told.line}`);
    return { outcome: "looked", history, record, pieces: progress.pieces, trouble: told.trouble };
}

async function lookAtFile(
    standpoint: Standpoint,
    store: string,
    range: FileRange,
    progress: Progress,
    { log, signal }: { log: LogSide; signal: AbortSignal },
    directory: string,
): Promise<void> {
    const done = progress.good?.file === range.file ? progress.good.bytes : 0;
    const path = range.path as readonly StoredPiece[];
    const fresh = path.filter(({ to }) => to > done && to <= range.clean);
    if (fresh.length === 0) return;
    const name = join(directory, range.file);
    await using into = await open(name, "w+");
    const reading = readingOf(standpoint, store);
    try {
        // An engine reads the head of a file to understand the rest.
        const [head] = path;
        if (head && !fresh.includes(head)) await openWell(reading, head, into, 0, signal);
        let known = 0;
        for (const piece of fresh) {
            await openWell(reading, piece, into, piece.from < known ? known : 0, signal);
            known = piece.to;
            progress.pieces += 1;
        }
        const reach = await log.reach(name, done, range.clean);
        progress.good = { file: range.file, bytes: range.clean, ...newest(progress.good, reach) };
    } catch (error) {
        signal.throwIfAborted();
        // What the engine says of bytes is about them; what a call says is not.
        if (isOutage(error)) throw error;
        progress.damaged = error instanceof Failure ? error.message : `${range.file}: ${(error as Error).message}`;
    } finally {
        await rm(name, { force: true });
    }
}

function newest(before: LogRecord["good"], { position, committedAt }: LogReach) {
    const at = position ?? before?.position;
    const when = committedAt?.toISOString() ?? before?.committedAt;
    return { ...(at === undefined ? {} : { position: at }), ...(when === undefined ? {} : { committedAt: when }) };
}
