import { existsSync } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { shipEvery } from "../../model/bounds.ts";
import type { ServerAddress } from "../../stores/adapter.ts";
import type { LogReceiver, LogSide, ReceivedFile } from "../../stores/physical.ts";
import type { Standpoint } from "../vault.ts";
import { Arrivals } from "./arrivals.ts";
import { nextPieces, unshipped } from "./cut.ts";
import { beginHistory, findHistory, type Open } from "./history.ts";
import { logOf } from "./list.ts";
import { putPiece, sealPiece } from "./piece.ts";
import { emptyBut, removeShipped } from "./received.ts";
import type { Lag, ShipOptions, Shipping } from "./shipping.ts";
import { Troubles } from "./troubles.ts";

export type { Lag, ShipOptions, Shipping } from "./shipping.ts";

const MiB = 1_048_576;
/** A receiver that has run for so many milliseconds runs well. */
const steady = 3_000;
const notPut = "a piece of its log is not put";
const notReceived = "its log is not received";

/**
 * Ships a server's log into the vault of its own site, piece by piece, without end: it goes on where the vault's names say that the log ends, whoever shipped it. Whatever fails is told once and
 * tried again. Needs of AWS what the writer may: list and put, data keys.
 * @param directory for files of the log; what another shipper left there is used, or removed. No two shippers may share one.
 */
export function shipLog(standpoint: Standpoint, store: string, server: ServerAddress, directory: string, options: ShipOptions): Shipping {
    const shipper = new Shipper(standpoint, store, server, directory, options);
    const ended = shipper.run();
    return {
        ended,
        history: () => shipper.history(),
        historyNow: () => shipper.historyNow(),
        seal: () => shipper.seal(),
        lag: () => shipper.lag(),
    };
}

class Shipper {
    readonly #standpoint;
    readonly #store;
    readonly #server;
    readonly #directory;
    readonly #options;
    readonly #log: LogSide;
    readonly #arrivals = new Arrivals();
    readonly #troubles;
    #wake = () => {};
    readonly #first = Promise.withResolvers<string>();
    #open: Open | undefined;
    /** The newest history that lies in the vault. */
    #known: string | undefined;
    #announce: () => void = () => {};
    #files: readonly ReceivedFile[] = [];
    #receiver: LogReceiver | undefined;
    #released: string | undefined;
    /** The receiver: stopped where the directory is full; ended by itself; or none yet. */
    #life: "receiving" | "full" | "ended" | "none" = "none";
    #endedBy: unknown;
    /** What is in the directory is not what the engine wrote. */
    #spoilt = false;
    #seals: { upTo: readonly ReceivedFile[]; done: PromiseWithResolvers<void> }[] = [];

    constructor(standpoint: Standpoint, store: string, server: ServerAddress, directory: string, options: ShipOptions) {
        this.#standpoint = standpoint;
        this.#store = store;
        this.#server = server;
        this.#directory = directory;
        this.#options = { sealAfter: shipEvery * 1000, sealBytes: 8 * MiB, limit: 2_048 * MiB, poll: 100, patience: 30_000, ...options };
        this.#log = options.log ?? logOf(standpoint, store);
        this.#troubles = new Troubles((line) => options.note(`${store}: ${line}`), this.#options.patience);
        this.#first.promise.catch(() => {});
    }

    history = () => (this.#known === undefined ? this.#first.promise : Promise.resolve(this.#known));
    historyNow = () => this.#known;
    lag(): Lag {
        const trouble = this.#troubles.current;
        const seconds = this.#arrivals.age(this.#life === "receiving");
        return { seconds, receiving: this.#life === "receiving", ...(trouble === undefined ? {} : { trouble }) };
    }
    seal(): Promise<void> {
        const done = Promise.withResolvers<void>();
        this.#seals.push({ upTo: this.#files, done });
        this.#wake();
        return done.promise;
    }

    async run(): Promise<void> {
        const { signal } = this.#options;
        while (!signal.aborted)
            try {
                await this.#session();
            } catch (error) {
                if (!signal.aborted) await this.#troubles.wait(notReceived, error, signal);
            }
        const over = signal.reason instanceof Error ? signal.reason : new Error("shipping has ended");
        this.#first.reject(over);
        for (const { done } of this.#seals.splice(0)) done.reject(over);
    }

    /** One receiver's life. Thrown out of by whatever ends it. */
    async #session(): Promise<void> {
        const { signal, note, limit } = this.#options;
        const open = await this.#ready();
        const folder = join(this.#directory, open.history);
        // What an earlier receiver left may end anywhere, and may be another server's: the server still has all that is not put.
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        this.#files = [];
        const stop = new AbortController();
        const receiver = await this.#log.receive(this.#server, open.cursor.file, folder, AbortSignal.any([signal, stop.signal]));
        this.#receiver = receiver;
        const began = performance.now();
        const dead = new AbortController();
        receiver.ended.then(
            () => dead.abort(new Error("the program that receives the log has ended")),
            (error: unknown) => dead.abort(error),
        );
        const halted = AbortSignal.any([signal, dead.signal]);
        const watch = async (): Promise<"full"> => {
            for (;;) {
                await this.#look(receiver);
                if (performance.now() - began > steady) this.#troubles.over(notReceived);
                if (unshipped(this.#files, open.cursor) >= limit) return "full";
                await sleep(this.#options.poll, undefined, { signal: halted }).catch(() => {});
                halted.throwIfAborted();
            }
        };
        const watching = watch().then(
            (full) => {
                this.#life = full;
                note(
                    `${this.#store}: ${limit} bytes of the log wait to be put: no more is received until half of them are; the server keeps the rest`,
                );
            },
            (error: unknown) => {
                this.#life = "ended";
                this.#endedBy = error;
                throw error;
            },
        );
        watching.catch(() => {});
        try {
            this.#life = "receiving";
            while (this.#life === "receiving") await this.#turn(open, folder);
            stop.abort();
            await watching;
            await this.#drain(open, folder, limit / 2);
        } finally {
            stop.abort();
            await Promise.allSettled([receiver.ended, watching]);
            this.#life = "none";
        }
    }

    /** The history to go on with, or a new one where the server's log is another by now. */
    async #ready(): Promise<Open> {
        const { onNewHistory, note } = this.#options;
        if (this.#spoilt) {
            await emptyBut(this.#directory, "");
            this.#files = [];
        }
        this.#spoilt = false;
        const found = this.#open ?? (await findHistory(this.#standpoint, this.#store, this.#server, this.#log));
        if (found && (await this.#log.goesOn(this.#server, found.clean, found.clean.position))) {
            if (!this.#open) await emptyBut(this.#directory, found.history);
            return this.#opened(found);
        }
        if (this.#open) await this.#finish(this.#open);
        const begun = await beginHistory(this.#standpoint, this.#server, this.#log);
        const why = found
            ? `the server's log has no ${found.clean.file} that goes on at byte ${found.clean.offset} as before: it was reset, purged, or the server was restored`
            : "no log of this server was shipped before";
        const lost = await emptyBut(this.#directory, begun.history);
        if (lost > 0) note(`${this.#store}: ${lost} bytes of the former log were received and never put: they are given up`);
        note(
            `${this.#store}: NEW HISTORY of the log, ${begun.history}: ${why}. Moments from now on are reached only from a full copy that is taken from now on`,
        );
        this.#files = [];
        this.#arrivals.clear();
        this.#open = begun;
        this.#announce = () => onNewHistory?.(begun.history, why, found?.history);
        return begun;
    }

    /** Only now may a point name it: what was begun and never put would not be found again. */
    #announced(history: string): void {
        if (this.#known === history) return;
        this.#known = history;
        this.#first.resolve(history);
        this.#announce();
    }

    /** Puts what is left of a history that cannot go on. */
    async #finish(open: Open): Promise<void> {
        const { signal, note } = this.#options;
        try {
            await this.#drain(open, join(this.#directory, open.history), 0);
        } catch (error) {
            signal.throwIfAborted();
            note(`${this.#store}: the end of ${open.history} is not put: ${(error as Error).message}`);
        }
    }

    #opened(open: Open): Open {
        this.#open = open;
        this.#known ??= open.history;
        this.#first.resolve(open.history);
        return open;
    }

    async #look(receiver: LogReceiver): Promise<void> {
        this.#files = await receiver.files();
        this.#arrivals.seen();
        if (this.#open) this.#arrivals.arrived(this.#files, this.#open.cursor);
    }

    /** Puts what is due, then waits for more. */
    async #turn(open: Open, folder: string): Promise<void> {
        const { sealAfter, sealBytes, poll, signal } = this.#options;
        const seals = this.#seals.splice(0);
        const due = seals.length > 0 || this.#arrivals.age(true) * 1000 >= sealAfter - poll;
        try {
            await this.#put(open, folder, due ? 0 : sealBytes);
        } catch (error) {
            this.#seals.unshift(...seals);
            throw error;
        }
        for (const { done } of seals) done.resolve();
        if (this.#seals.length === 0)
            await new Promise<void>((resolve) => {
                const timer = setTimeout(resolve, poll / 2);
                this.#wake = () => {
                    clearTimeout(timer);
                    resolve();
                };
            });
        signal.throwIfAborted();
    }

    /** Puts what waits until no more than so many bytes of it do. */
    async #drain(open: Open, folder: string, rest: number): Promise<void> {
        while (unshipped(this.#files, open.cursor) > rest) {
            const before = unshipped(this.#files, open.cursor);
            await this.#put(open, folder, 0);
            if (unshipped(this.#files, open.cursor) === before) return;
        }
    }

    /** @param atLeast bytes of an open file that are worth a piece */
    async #put(open: Open, folder: string, atLeast: number): Promise<void> {
        const { sealBytes, signal } = this.#options;
        for (const cut of nextPieces(this.#files, open.cursor, this.#log, { sealBytes, atLeast })) {
            // A file gets its final name when it is whole.
            const received = this.#files.find(({ file }) => file === cut.file)?.path ?? join(folder, cut.file);
            const path = () => (existsSync(received) ? received : join(folder, cut.file));
            const reach = cut.ends === "anywhere" ? {} : await this.#reach(path, cleanIn(open, cut.file), cut.to);
            const piece = { history: open.history, ...cut, ...(reach.position === undefined ? {} : { position: reach.position }) };
            await this.#insist(path, cut.to, async () => {
                const sealed = await sealPiece(this.#standpoint, this.#store, piece, path(), signal);
                await putPiece(this.#standpoint, this.#store, piece, sealed, signal);
            });
            open.cursor = { file: cut.file, offset: cut.to, ended: cut.ends === "file" };
            if (cut.ends !== "anywhere") open.clean = { ...open.clean, file: cut.file, offset: cut.to, ...reach };
            this.#arrivals.put(open.cursor);
            this.#announced(open.history);
        }
        await removeShipped(folder, this.#files, open.cursor);
        // The file that the cursor is in is asked for again, whole, when this receiver has ended.
        const { file } = open.cursor;
        if (this.#released === file) return;
        await this.#receiver?.release({ file, offset: 0 });
        this.#released = file;
    }

    async #reach(path: () => string, from: number, to: number) {
        const at = path();
        try {
            return await this.#log.reach(at, from, to);
        } catch (error) {
            // It got its final name while it was read.
            if (path() !== at) return this.#log.reach(path(), from, to);
            this.#spoilt = true;
            throw error;
        }
    }

    /** Tries without end, as long as the file has what is to be put. */
    async #insist(path: () => string, bytes: number, job: () => Promise<void>): Promise<void> {
        const { signal } = this.#options;
        for (;;)
            try {
                await job();
                return this.#troubles.over(notPut);
            } catch (error) {
                signal.throwIfAborted();
                if (((await stat(path()).catch(() => undefined))?.size ?? 0) < bytes) throw error;
                // Another receiver first: what the server may throw away must not wait for the vault.
                if (this.#life === "ended") throw this.#endedBy;
                await this.#troubles.wait(notPut, error, signal);
            }
    }
}

const cleanIn = ({ clean }: Open, file: string): number => (clean.file === file ? clean.offset : 0);
