import { mkdir, open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import type { LogPlace, LogReach, LogSide } from "../../stores/physical.ts";
import { kindOf } from "../../stores/registry.ts";
import { storeOf } from "../backup.ts";
import { isOutage } from "../outage.ts";
import { isMissing, type Standpoint } from "../vault.ts";
import { chainOf, runFrom, type FileRange, type Run } from "./chain.ts";
import { logOf, piecesOf, readingOf } from "./list.ts";
import { openPiece, type Reading, type StoredPiece } from "./piece.ts";

/** How far a log is wanted. */
export type Until =
    /** All that there is. */
    | { readonly to: "newest" }
    /** To the first place at which everything up to the position is there: GTIDs or an LSN. */
    | { readonly to: "position"; readonly position: string }
    /** To the first transaction that was committed after the instant. */
    | { readonly to: "time"; readonly at: Date }
    /** To a byte of a file. */
    | { readonly to: "place"; readonly file: string; readonly offset: number };

export interface FetchedLog {
    readonly directory: string;
    readonly history: string;
    /** Names of the files, as the engine has them, oldest first. */
    readonly files: readonly string[];
    /** Whether `until` was reached: always with "newest". */
    readonly reached: boolean;
    /** Newest transaction that is whole. */
    readonly position?: string;
    /** When the newest transaction that tells was committed. */
    readonly committedAt?: Date;
    /** Of the files. */
    readonly bytes: number;
    /** Of the objects. */
    readonly stored: number;
}

/** Pieces that are fetched at once. With a piece's size the memory that it takes. */
const fetchers = 8;

const missing = (store: string, history: string, why: string) =>
    new Failure(
        "no",
        `the log of ${store} has a gap: ${why} (history ${history})`,
        `choose a moment before it, or a point after it; a piece that was just put may be on its way from the other site: repeat the command in a minute`,
    );

interface Want {
    readonly history: string;
    readonly from: LogPlace;
    readonly until?: Until;
}

/**
 * Brings files of a history from this site's vault into a directory, whole from byte 0 of `from.file` on, as far as they are wanted. Every piece is opened and its length checked, and the
 * engine looks at what was put together. Nothing of the directory may be used unless this is fulfilled.
 * @param directory made where it is not there; files of the log that are in it are overwritten
 * @throws Failure("no") naming the first range that is missing, or the piece that is not what its name says
 */
export async function fetchLog(
    standpoint: Standpoint,
    store: string,
    { history, from, until = { to: "newest" } }: Want,
    directory: string,
    signal: AbortSignal,
    engine: { readonly log: LogSide; covers(position: string, other: string): boolean } = {
        log: logOf(standpoint, store),
        covers: (position, other) => kindOf(storeOf(standpoint, store)).covers(position, other),
    },
): Promise<FetchedLog> {
    const run = runFrom(chainOf(await piecesOf(standpoint, store, history)), from.file, engine.log.follows);
    const wanted = planOf(run, until, engine.covers);
    if (wanted.broken) throw missing(store, history, wanted.broken);
    const [first] = run.files;
    if (first && first.clean < from.offset)
        throw missing(store, history, `${from.file} is there up to byte ${first.clean}, and is needed from byte ${from.offset} on`);
    await mkdir(directory, { recursive: true });
    const reading = readingOf(standpoint, store);
    const fetched = { files: [] as string[], bytes: 0, stored: 0, reach: {} as LogReach, reached: until.to === "newest" };
    for (const range of wanted.files) {
        const path = join(directory, range.file);
        await using into = await open(path, "w+");
        fetched.files.push(range.file);
        fetched.stored += await fill(reading, range, into, signal);
        // Behind it may lie half an event.
        await into.truncate(range.clean);
        fetched.bytes += range.clean;
        const reach = await engine.log.reach(path, 0).catch((error: unknown) => {
            throw new Failure("no", `${range.file} of the log of ${store} is not what the engine wrote (history ${history})`, damagedNext, {
                cause: error,
            });
        });
        fetched.reach = { ...fetched.reach, ...reach };
        fetched.reached ||= isReached(until, range, fetched.reach, engine.covers);
        if (fetched.reached && until.to !== "newest") break;
    }
    if (!fetched.reached && wanted.gap) throw missing(store, history, wanted.gap);
    const { reach, ...rest } = fetched;
    return { directory, history, ...rest, ...reach };
}

const damagedNext = "choose a moment before it; a newer moment is reached from a point after it";

interface Wanted {
    readonly files: readonly FileRange[];
    /** A gap that is known to lie within what is wanted. */
    readonly broken?: string;
    /** A gap that lies within it unless the moment is reached before. */
    readonly gap?: string;
}

function planOf(run: Run, until: Until, covers: (position: string, other: string) => boolean): Wanted {
    const why = run.gap?.why;
    const upTo = (last: number, cut?: (range: FileRange) => FileRange): Wanted => ({
        files: run.files.slice(0, last + 1).map((range, at) => (at === last && cut ? cut(range) : range)),
    });
    switch (until.to) {
        case "newest":
            return why === undefined ? { files: run.files } : { files: [], broken: why };
        case "time":
            return why === undefined ? { files: run.files } : { files: run.files, gap: why };
        case "place": {
            const last = run.files.findIndex(({ file, clean }) => file === until.file && clean >= until.offset);
            if (last >= 0) return upTo(last);
            return why === undefined ? { files: run.files } : { files: [], broken: why };
        }
        case "position": {
            const last = run.files.findIndex(({ position }) => position !== undefined && covers(position, until.position));
            if (last >= 0) return upTo(last, (range) => cutAt(range, (position) => covers(position, until.position)));
            return why === undefined ? { files: run.files } : { files: [], broken: why };
        }
        default:
            return until satisfies never;
    }
}

/** A file's pieces up to the first whose position is enough. */
function cutAt(range: FileRange, enough: (position: string) => boolean): FileRange {
    const last = range.path.findIndex(({ position }) => position !== undefined && enough(position));
    const path = range.path.slice(0, last + 1);
    const { to, ends } = path.at(-1)!;
    return { file: range.file, path, bytes: to, ended: ends === "file", clean: to };
}

function isReached(until: Until, range: FileRange, reach: LogReach, covers: (position: string, other: string) => boolean): boolean {
    switch (until.to) {
        case "newest":
            return false;
        case "time":
            return reach.committedAt !== undefined && reach.committedAt > until.at;
        case "place":
            return range.file === until.file && range.clean >= until.offset;
        case "position":
            return reach.position !== undefined && covers(reach.position, until.position);
        default:
            return until satisfies never;
    }
}

/** @returns bytes of the objects that were read */
async function fill(reading: Reading, range: FileRange, into: FileHandle, signal: AbortSignal): Promise<number> {
    const path = range.path as readonly StoredPiece[];
    let stored = 0;
    // Pieces that overlap wait for the one before them, whose bytes theirs are held against; the others have their places to themselves.
    let known = 0;
    let batch: Promise<void>[] = [];
    const flush = async () => {
        const settled = await Promise.allSettled(batch);
        batch = [];
        for (const one of settled) if (one.status === "rejected") throw one.reason;
    };
    for (const piece of path) {
        if (batch.length === fetchers || piece.from < known) await flush();
        batch.push(openWell(reading, piece, into, piece.from < known ? known : 0, signal));
        stored += piece.stored;
        known = piece.to;
    }
    await flush();
    return stored;
}

/** @throws Failure("no") where the piece is not what was put there; other errors say nothing about it */
export async function openWell(reading: Reading, piece: StoredPiece, into: FileHandle, known: number, signal: AbortSignal): Promise<void> {
    try {
        await openPiece(reading, piece, into, known, signal);
    } catch (error) {
        signal.throwIfAborted();
        if (isOutage(error) && !isMissing(error)) throw error;
        throw new Failure(
            "no",
            `bytes ${piece.from} to ${piece.to} of ${piece.file} in the log of ${reading.store} are not what was put there (history ${piece.history})`,
            damagedNext,
            { cause: error },
        );
    }
}
