import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import type { FoundTransaction, LogSide } from "../../stores/physical.ts";
import { Catalog } from "../catalog.ts";
import { timeOf } from "../point.ts";
import { scratchDirectory } from "../scratch.ts";
import type { Standpoint } from "../vault.ts";
import { chainOf, runFrom, type FileRange, type Run } from "./chain.ts";
import { fetchLog } from "./fetch.ts";
import type { HistoryName } from "./key.ts";
import { historiesOf, logOf, piecesOf } from "./list.ts";

export interface SearchOptions {
    /** A part of a statement's or a table's text, any case. */
    readonly like: string;
    /** Default: the newest verified point's moment. */
    readonly since?: Date;
    readonly signal: AbortSignal;
    readonly note: (line: string) => void;
    /** Where the log's files lie meanwhile. Default: os.tmpdir() */
    readonly scratch?: string;
    /** Default: the kind's. */
    readonly log?: LogSide;
}

export interface Hit extends FoundTransaction {
    readonly history: string;
}

const lifetime = 86_400;

/**
 * Searches what lies of a store's log in this site's vault, oldest first: of each site's histories those that were written after `since`. What could not be searched is noted, and counted.
 * @returns how many transactions matched, and how many stretches could not be searched
 * @throws Failure("no") where nothing of a log is there
 */
export async function searchLog(
    standpoint: Standpoint,
    store: string,
    options: SearchOptions,
    found: (hit: Hit) => void,
): Promise<{ hits: number; unsearched: number }> {
    const log = options.log ?? logOf(standpoint, store);
    const points = await new Catalog(standpoint).recoveryPoints(store);
    const newest = points.toSorted((a, b) => (a.manifest.copiedAt < b.manifest.copiedAt ? 1 : -1))[0]?.manifest;
    const since = options.since ?? (newest && new Date(newest.copiedAt));
    const histories = afterwards(await historiesOf(standpoint, store), since);
    if (histories.length === 0)
        throw new Failure(
            "no",
            `no log of ${store} lies in this site's vault`,
            `the archive beside the database ships it: see \`lifeboat status\`; the moments of full copies are in \`lifeboat backups ${store}\``,
        );
    const counted = { hits: 0, unsearched: 0 };
    for (const { history } of histories) {
        const chain = chainOf(await piecesOf(standpoint, store, history));
        // The newest point that was whole by then: what follows it is all that can hold a later transaction.
        const begin = points
            .map(({ manifest }) => manifest)
            .filter((manifest) => manifest.log?.history === history && since !== undefined && new Date(manifest.copiedAt) <= since)
            .toSorted((a, b) => (a.copiedAt < b.copiedAt ? 1 : -1))[0]?.log?.file;
        for (const { files, gap } of runsFrom(chain, begin, log.follows)) {
            if (files.length > 0)
                counted.hits += await searchRun(standpoint, store, history, files, { ...options, log, ...(since ? { since } : {}) }, found);
            if (gap === undefined) continue;
            counted.unsearched += 1;
            options.note(`${store}: NOT SEARCHED: ${gap.why} (history ${history})`);
        }
    }
    return counted;
}

/** Every unbroken run of files, from one on: a gap does not hide what is behind it. */
function* runsFrom(chain: readonly FileRange[], begin: string | undefined, follows: LogSide["follows"]): Generator<Run> {
    for (
        let at = Math.max(
            0,
            chain.findIndex(({ file }) => file === begin),
        );
        at < chain.length;
    ) {
        const run = runFrom(chain, chain[at]!.file, follows);
        yield { ...run, files: run.files.filter(({ clean }) => clean > 0) };
        at += run.files.length;
    }
}

async function searchRun(
    standpoint: Standpoint,
    store: string,
    history: string,
    files: readonly FileRange[],
    options: SearchOptions & { readonly log: LogSide },
    found: (hit: Hit) => void,
): Promise<number> {
    const { like, since, signal, log, note } = options;
    await using scratch = await scratchDirectory(options.scratch, lifetime);
    const last = files.at(-1)!;
    note(`${store}: reading ${files[0]!.file} to ${last.file} of the log (history ${history})`);
    const until = { to: "place", file: last.file, offset: last.clean } as const;
    const directory = join(scratch.path, "log");
    const fetched = await fetchLog(standpoint, store, { history, from: { file: files[0]!.file, offset: 0 }, until }, directory, signal, {
        log,
        covers: () => false,
    });
    let hits = 0;
    for await (const transaction of log.find(directory, fetched.files, { like, ...(since ? { since } : {}) }, signal)) {
        found({ ...transaction, history });
        hits += 1;
    }
    return hits;
}

/** Of each site those that were still written after the instant: the newest, and each whose successor began later. */
function afterwards(histories: readonly HistoryName[], since: Date | undefined): HistoryName[] {
    return histories.filter(({ site, begun }) => {
        const successor = histories.find((other) => other.site === site && other.begun > begun);
        return successor === undefined || (since !== undefined && timeOf(successor.begun) > since);
    });
}
