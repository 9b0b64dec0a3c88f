import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Failure } from "../model/failure.ts";
import type { Manifest, RecoveryPoint } from "../model/manifest.ts";
import { kindOf } from "../stores/registry.ts";
import { storeOf } from "./backup.ts";
import { differenceOf, readContents } from "./contents.ts";
import { openData } from "./opening.ts";
import { isOutage } from "./outage.ts";
import { timeOf } from "./point.ts";
import { scratchDirectory } from "./scratch.ts";
import { shelfOf, type LogShelf } from "./shelf.ts";
import { contentsKey, dataKey, manifestKey, parseManifest, readText, sizeOf, vaultOf, type Standpoint } from "./vault.ts";

/** What the verifier found of one backup. */
export type Finding =
    | { outcome: "verified"; point: string; record: RecoveryPoint }
    /** It is bad, and stays so. */
    | { outcome: "rejected"; point: string; reason: string }
    /** Something of it has not arrived, as replication has no order: asked again next time. */
    | { outcome: "waiting"; point: string; for: "data" | "contents" | "log"; late: boolean }
    /** The region, the key, or this machine: says nothing about the data. Asked again next time. */
    | { outcome: "unchecked"; point: string; reason: string };

export interface ExamineOptions {
    readonly signal: AbortSignal;
    readonly shelf?: LogShelf;
    /** Where scratch directories are made. Default: os.tmpdir() */
    readonly scratch?: string;
    /** For the started server's buffers, in bytes. Default: the kind's. */
    readonly memory?: number;
    /** A verification that takes longer is stopped, in seconds. Default: ten times the store's `backup.limit`. */
    readonly limit?: number;
}

/** What was found of the copy and the server that was started from it. */
type Started = Pick<RecoveryPoint["verified"], "started" | "reached" | "notCompared">;

class Waiting extends Error {
    readonly for: "data" | "contents" | "log";
    constructor(what: "data" | "contents" | "log") {
        super(`its ${what} has not arrived`);
        this.for = what;
    }
}

/** Whether it is this machine that failed, not the data. */
const isThisMachine = (error: unknown): boolean =>
    (error instanceof Failure && (error.exit === "prerequisite" || error.exit === "unavailable")) ||
    /No space left on device|Cannot allocate memory|ENOSPC|ENOMEM/.test(wordsOf(error));

function wordsOf(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    return error.cause === undefined ? error.message : `${error.message}: ${wordsOf(error.cause)}`;
}

const isLate = (standpoint: Standpoint, store: string, point: string): boolean =>
    Date.now() - timeOf(point).getTime() > storeOf(standpoint, store).objective.rpo * 1000;

/** All that the manifest names is there, in its size. @throws Waiting, or Error for another size */
async function checkArrival(standpoint: Standpoint, { store, point, stored, contents }: Manifest): Promise<void> {
    const { clients, bucket } = vaultOf(standpoint);
    const check = async (what: "data" | "contents", key: string, bytes: number) => {
        const size = await sizeOf(clients.s3, bucket, key);
        if (size === undefined) throw new Waiting(what);
        if (size !== bytes) throw new Error(`the ${what} has ${size} bytes, the manifest says ${bytes}`);
    };
    await check("data", dataKey(store, point), stored.bytes);
    if (contents) await check("contents", contentsKey(store, point), contents.bytes);
}

/** The log from the copy to where the contents were counted. @returns why there is none, in words */
async function bringLog(
    standpoint: Standpoint,
    manifest: Manifest,
    directory: string,
    shelf: LogShelf,
    signal: AbortSignal,
): Promise<string | undefined> {
    const { store, point, log, contents } = manifest;
    if (!log) return "no log was shipped";
    if (!contents) return manifest.withoutContents ?? "they were not counted";
    const until = { to: "position", position: contents.position } as const;
    let why = "the log does not reach them";
    try {
        if ((await shelf.fetch({ history: log.history, from: log, until }, directory, signal)).reached) return undefined;
    } catch (error) {
        // A piece may be on its way; once it is late, it counts as lost.
        if (!(error instanceof Failure && error.exit === "no")) throw error;
        why = wordsOf(error);
    }
    if (!isLate(standpoint, store, point)) throw new Waiting("log");
    return why;
}

async function start(standpoint: Standpoint, manifest: Manifest, directory: string, options: ExamineOptions): Promise<Started> {
    const { physical } = kindOf(manifest).operations;
    const { signal, memory } = options;
    const recorded = await readContents(standpoint, manifest, signal);
    const logs = join(directory, "log");
    const without = await bringLog(standpoint, manifest, logs, options.shelf ?? shelfOf(standpoint, manifest.store), signal);
    const data = join(directory, "data");
    await openData(standpoint, manifest, data, signal);
    await using server = await physical.start(
        {
            directory: data,
            ...(without === undefined ? { log: { directory: logs, from: manifest.log! } } : {}),
            until: without === undefined ? { to: "position", position: recorded!.position } : { to: "copy" },
            ...(memory === undefined ? {} : { memory }),
        },
        signal,
    );
    await server.check(signal);
    const reached = { started: true, reached: server.position };
    if (!recorded) return { ...reached, notCompared: manifest.withoutContents ?? "they were not counted at the source" };
    const held = await physical.contents(server.address, signal);
    if (!held) return { ...reached, notCompared: "the started server was never still" };
    const difference = differenceOf(held, recorded);
    if (difference === undefined) return reached;
    // Without the log the source may have gone on between the copy and the count; where it stood still, nothing excuses it.
    if (without !== undefined && recorded.position !== server.position)
        return { ...reached, notCompared: `${without}, and the source went on after the copy` };
    throw new Error(`a server started from it does not hold what the source held at ${recorded.position}: ${difference}`);
}

/** Looks at one backup in this site's vault as far as the estate says, and says what it is. Leaves nothing behind. */
export async function examine(standpoint: Standpoint, store: string, point: string, options: ExamineOptions): Promise<Finding> {
    const { clients, bucket } = vaultOf(standpoint);
    const { backup } = storeOf(standpoint, store);
    const began = performance.now();
    const limit = options.limit ?? backup.limit * 10;
    const deadline = AbortSignal.timeout(limit * 1000);
    const signal = AbortSignal.any([options.signal, deadline]);
    try {
        const text = await readText(clients.s3, bucket, manifestKey(store, point));
        if (text === undefined) return { outcome: "unchecked", point, reason: "its manifest was listed and is gone" };
        const manifest = parseManifest(text, store, point);
        await checkArrival(standpoint, manifest);
        let found: Started;
        switch (backup.verify) {
            case "bytes":
                await openData(standpoint, manifest, undefined, signal);
                await readContents(standpoint, manifest, signal);
                found = { started: false, notCompared: 'the estate says verify: "bytes"' };
                break;
            case "start": {
                await using scratch = await scratchDirectory(options.scratch, limit * 2);
                found = await start(standpoint, manifest, scratch.path, { ...options, signal });
                break;
            }
        }
        const verified = { at: new Date().toISOString(), site: standpoint.site, seconds: (performance.now() - began) / 1000, ...found };
        // What was written in the other site and read here lies in both.
        return { outcome: "verified", point, record: { manifest, verified, copies: manifest.site === standpoint.site ? 1 : 2 } };
    } catch (error) {
        if (options.signal.aborted) throw options.signal.reason;
        if (error instanceof Waiting) return { outcome: "waiting", point, for: error.for, late: isLate(standpoint, store, point) };
        if (deadline.aborted) return { outcome: "unchecked", point, reason: `it was not done after ${limit} s and was stopped` };
        return { outcome: isOutage(error) || isThisMachine(error) ? "unchecked" : "rejected", point, reason: wordsOf(error) };
    }
}
