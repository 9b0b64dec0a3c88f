import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../model/failure.ts";
import type { RecoveryPoint } from "../model/manifest.ts";
import type { Moment } from "../model/moment.ts";
import { kindOf } from "../stores/registry.ts";
import type { ScratchServer } from "../stores/physical.ts";
import { storeOf } from "./backup.ts";
import { Catalog } from "./catalog.ts";
import { candidates, tellMoment } from "./choice.ts";
import { differenceOf, readContents } from "./contents.ts";
import { openData } from "./opening.ts";
import { scratchDirectory } from "./scratch.ts";
import { shelfOf, type LogFound, type LogShelf } from "./shelf.ts";
import { sizeOf, vaultOf, type Standpoint } from "./vault.ts";

export interface RecoverOptions {
    readonly signal: AbortSignal;
    readonly note: (line: string) => void;
    readonly shelf?: LogShelf;
    /** Where the log's files lie while they are replayed. Default: os.tmpdir() */
    readonly scratch?: string;
    /** For the server's buffers, in bytes. Default: the kind's. */
    readonly memory?: number;
}

/** A server that was started from a point and its log, and checked. Nobody else reaches it. Disposing of it ends it; its directory stays. */
export interface Recovered extends AsyncDisposable {
    readonly point: RecoveryPoint;
    readonly server: ScratchServer;
    /** The copy's stream and the log's files. */
    readonly bytes: number;
    /** Whether what it holds was compared with what the source held: only where exactly that position was asked for. */
    readonly compared: boolean;
    /** How far before the moment that was asked for it stands, in words; absent where it is that moment. */
    readonly short?: string;
}

/** What is to be started, once all of it was read. */
interface Chain {
    readonly point: RecoveryPoint;
    readonly log?: LogFound & { readonly directory: string };
    readonly until: Moment;
    readonly short?: string;
}

/** Time that a scratch directory of a restore may be in use, in seconds: a week. */
export const recoveryLifetime = 7 * 86_400;

/**
 * Recovers a store's whole server at a moment, from this site's vault: chooses the point, reads its log and checks that it has no gap, unpacks the copy, starts a server from both
 * and has it checked by its engine. What is missing or damaged is found before anything outside `directory` is touched.
 * @param directory becomes the data directory; absent or empty. After a failure it is as it was
 * @throws Failure("refused") for a directory with something in it; Failure("no") where the moment is not reached, naming the newest that is
 */
export async function recover(
    standpoint: Standpoint,
    store: string,
    moment: Moment,
    directory: string,
    options: RecoverOptions,
): Promise<Recovered> {
    const { covers, operations } = kindOf(storeOf(standpoint, store));
    await mustBeEmpty(directory);
    const points = await new Catalog(standpoint).recoveryPoints(store);
    let open: RecoveryPoint[];
    try {
        open = candidates(points, moment, covers);
    } catch (error) {
        throw new Failure("usage", (error as Error).message, "write it as `lifeboat find` and `lifeboat backups` print it", {
            cause: error,
        });
    }
    if (open.length === 0)
        throw new Failure(
            "no",
            `there is no verified recovery point of ${store}${points.length === 0 ? "" : ` from which ${tellMoment(moment)} can be reached`}`,
            `see \`lifeboat backups ${store}\`; \`lifeboat verify ${store}\` checks what has arrived`,
        );
    const troubles: string[] = [];
    for (const [at, point] of open.entries()) {
        const scratch = await scratchDirectory(options.scratch, recoveryLifetime);
        try {
            const chain = await chainTo(standpoint, store, moment, point, join(scratch.path, "log"), options);
            if (typeof chain === "string") {
                troubles.push(chain);
                continue;
            }
            return await bringUp(standpoint, chain, directory, options);
        } catch (error) {
            await clear(directory);
            if (options.signal.aborted) throw options.signal.reason;
            // An engine that looked for a transaction and did not find it says so in its own way: an older point may have it.
            const isLast = at === open.length - 1;
            if (moment.to !== "before" || isLast || error instanceof Failure) throw asFailure(error, store, point, troubles);
            troubles.push(`from ${point.manifest.point}: ${(error as Error).message}`);
        } finally {
            await scratch[Symbol.asyncDispose]();
        }
    }
    throw new Failure(
        "no",
        `${store} cannot be recovered at ${tellMoment(moment)}: ${troubles.join("; ")}`,
        "choose a moment that the log has, or say --newest",
    );

    async function bringUp(from: Standpoint, chain: Chain, into: string, { signal, note, memory }: RecoverOptions): Promise<Recovered> {
        const { manifest } = chain.point;
        note(
            `${store}: recovering ${tellMoment(moment)} from ${manifest.point} (${manifest.dump.bytes} bytes of ${manifest.server.version}${chain.log ? `, ${chain.log.bytes} bytes of log` : ""})`,
        );
        if (chain.short !== undefined) note(`${store}: ${chain.short}`);
        const recorded =
            moment.to === "position" && manifest.contents?.position === moment.position
                ? await readContents(from, manifest, signal)
                : undefined;
        await openData(from, manifest, into, signal);
        const server = await operations.physical.start(
            {
                directory: into,
                ...(chain.log ? { log: { directory: chain.log.directory, from: manifest.log! } } : {}),
                until: chain.until,
                ...(memory === undefined ? {} : { memory }),
            },
            signal,
        );
        try {
            await server.check(signal);
            const held = recorded && (await operations.physical.contents(server.address, signal));
            const difference = held && differenceOf(held, recorded);
            if (difference !== undefined) throw new Error(`it does not hold what the source held at ${recorded!.position}: ${difference}`);
            return {
                ...{ point: chain.point, server, bytes: manifest.dump.bytes + (chain.log?.bytes ?? 0), compared: held !== undefined },
                ...(chain.short === undefined ? {} : { short: chain.short }),
                [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
            };
        } catch (error) {
            await server[Symbol.asyncDispose]();
            throw error;
        }
    }
}

function asFailure(error: unknown, store: string, { manifest }: RecoveryPoint, troubles: readonly string[]): unknown {
    if (error instanceof Failure) return error;
    const before = troubles.length === 0 ? "" : ` (${troubles.join("; ")})`;
    return new Failure(
        "no",
        `${store} ${manifest.point} was not recovered; nothing was changed${before}`,
        `correct the cause, or choose an earlier moment: lifeboat restore ${store} --at ${manifest.startedAt}`,
        { cause: error },
    );
}

/** @returns why the moment is not reached from this point, in words, where an older one may do */
async function chainTo(
    standpoint: Standpoint,
    store: string,
    moment: Moment,
    point: RecoveryPoint,
    directory: string,
    options: RecoverOptions,
): Promise<Chain | string> {
    const { manifest } = point;
    await checkSize(standpoint, point);
    if (moment.to === "copy") return { point, until: moment };
    if (!manifest.log) return withoutLog(moment, point);
    const shelf = options.shelf ?? shelfOf(standpoint, store);
    const want = { history: manifest.log.history, from: manifest.log };
    const log = await shelf.fetch({ ...want, until: moment.to === "before" ? { to: "newest" } : moment }, directory, options.signal);
    if (log.reached) return { point, log: { ...log, directory }, until: moment };
    const newest = [log.position, log.committedAt?.toISOString()].filter((part) => part !== undefined).join(", ");
    return `its log (history ${manifest.log.history}) ends at ${newest || "the point's own moment"}`;
}

/** Without a log there is the copy's own moment, and nothing else: said, where it is not what was asked for. */
function withoutLog(moment: Moment, point: RecoveryPoint): Chain | string {
    const { copiedAt, server } = point.manifest;
    const own = { point, until: { to: "copy" } as const };
    switch (moment.to) {
        case "copy":
            return own;
        case "newest":
            return { ...own, short: `no log was shipped with it: what was written after ${copiedAt} is not in it` };
        case "time": {
            const seconds = (moment.at.getTime() - Date.parse(copiedAt)) / 1000;
            return {
                ...own,
                short: `no log was shipped with it: it stands up to ${seconds.toFixed(1)} s before ${moment.at.toISOString()}`,
            };
        }
        case "position":
            return server.position === moment.position ? own : `${point.manifest.point} stands at ${server.position} and has no log`;
        case "before":
        case "place":
            return `${point.manifest.point} has no log`;
        default:
            return moment satisfies never;
    }
}

async function checkSize(standpoint: Standpoint, { manifest }: RecoveryPoint): Promise<void> {
    const { clients, bucket } = vaultOf(standpoint);
    const size = await sizeOf(clients.s3, bucket, manifest.key);
    if (size !== manifest.stored.bytes)
        throw new Failure(
            "no",
            `${manifest.store} ${manifest.point} has ${size ?? "no"} bytes at s3://${bucket}/${manifest.key}; its manifest says ${manifest.stored.bytes}`,
            "choose an earlier point with --at",
        );
}

async function mustBeEmpty(directory: string): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const [first] = await readdir(directory);
    if (first !== undefined)
        throw new Failure("refused", `${directory} is not empty: ${first} is in it`, "name a directory that is empty, or is not there yet");
}

/** What a failed attempt left in a directory that was empty. */
async function clear(directory: string): Promise<void> {
    for (const name of await readdir(directory).catch(() => [])) await rm(join(directory, name), { recursive: true, force: true });
}
