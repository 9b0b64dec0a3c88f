import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { backup, storeOf, type BackupReport } from "../../backup/backup.ts";
import { shipLog, type Shipping } from "../../backup/log/ship.ts";
import type { Standpoint } from "../../backup/vault.ts";
import { Failure } from "../../model/failure.ts";
import type { ServerRole } from "../../model/lease.ts";
import type { ServerAddress } from "../../stores/adapter.ts";
import type { Copy } from "../../stores/physical.ts";
import { kindOf } from "../../stores/registry.ts";
import type { Turn } from "./turn.ts";

export interface KeeperTools {
    readonly standpoint: Standpoint;
    readonly store: string;
    /** Superuser, over its socket. */
    readonly server: ServerAddress;
    /** The server's data directory. */
    readonly data: string;
    /** For what is received of the log, and small files of copies; nobody else's. */
    readonly directory: string;
    /** What the guard beside it says of the server. */
    role(): Promise<ServerRole>;
    readonly turn: Turn;
    note(line: string): void;
    /** Between two questions to the guard, in milliseconds. Default 1 s. */
    readonly every?: number;
    /** A backup waits so long (ms) for the log's shipping to have begun. Default 30 s. */
    readonly historyWithin?: number;
    /** What is received is put within so many milliseconds when shipping ends. Default 10 s. */
    readonly sealWithin?: number;
}

export interface Keeper {
    /** Ships the log while the guard says that the server takes writes. Fulfilled after `stop`. */
    run(): Promise<void>;
    /** Puts what is received of the log, and ends everything. Bounded. */
    stop(): Promise<void>;
    backup(options: { signal: AbortSignal; note: (line: string) => void }): Promise<BackupReport>;
    copy(signal: AbortSignal): Promise<{ copy: Copy; done(): Promise<void> }>;
}

const copies = "copies";

export function keeperOf(tools: KeeperTools): Keeper {
    const { standpoint, store, server, data, directory, turn, note, every = 1_000, historyWithin = 30_000, sealWithin = 10_000 } = tools;
    const { physical } = kindOf(storeOf(standpoint, store)).operations;
    const ending = new AbortController();
    const over = new AbortController();
    let current: { shipping: Shipping; stop: AbortController } | undefined;
    mkdirSync(join(directory, copies), { recursive: true });
    // Of copies that a killed archive had begun.
    for (const name of readdirSync(join(directory, copies))) rmSync(join(directory, copies, name), { recursive: true, force: true });

    function sourceOf(): { source: { server: ServerAddress; data: string; scratch: string }; remove: () => void } {
        const scratch = mkdtempSync(join(directory, copies, "copy-"));
        return { source: { server, data, scratch }, remove: () => rmSync(scratch, { recursive: true, force: true }) };
    }

    function ship(): Shipping {
        if (current) return current.shipping;
        const stop = new AbortController();
        const signal = AbortSignal.any([stop.signal, over.signal]);
        const folder = join(directory, "log");
        mkdirSync(folder, { recursive: true });
        note(`${store}: ships its log`);
        const shipping = shipLog(standpoint, store, server, folder, {
            signal,
            note,
            onNewHistory: () => void firstCopy(signal),
        });
        shipping.ended.catch((error: Error) => note(`${store}: shipping ended: ${error.message}`));
        current = { shipping, stop };
        return shipping;
    }

    async function settle(why: string): Promise<void> {
        if (!current) return;
        const { shipping, stop } = current;
        const limit = AbortSignal.timeout(sealWithin);
        const timeUp = new Promise<"late">((resolve) => limit.addEventListener("abort", () => resolve("late"), { once: true }));
        const sealed = await Promise.race([
            shipping.seal().then(
                () => "sealed" as const,
                () => "late" as const,
            ),
            timeUp,
        ]);
        note(
            sealed === "sealed"
                ? `${store}: ships its log no more: ${why}; all that was received is in the vault`
                : `${store}: ships its log no more: ${why}; NOT ALL that was received could be put (${shipping.lag().trouble ?? "no reason known"}): the server has it`,
        );
        stop.abort(new Error(why));
        await shipping.ended.catch(() => undefined); // told above
        current = undefined;
    }

    /** Nothing reaches a moment of a new history but a copy that is made in it: one is taken at once, and again until there is one. */
    async function firstCopy(signal: AbortSignal): Promise<void> {
        for (let last: string | undefined; !signal.aborted; await sleep(5_000, undefined, { signal }).catch(() => {}))
            try {
                using held = turn.take("the first copy of a new history of the log");
                void held;
                const { manifest } = await take({ signal, note });
                return note(`${store}: ${manifest.point} is the first copy of the log's new history`);
            } catch (error) {
                const why = (error as Error).message;
                if (!signal.aborted && why !== last) note(`${store}: no first copy of the log's new history yet: ${why}`);
                last = why;
            }
    }

    async function take(options: { signal: AbortSignal; note: (line: string) => void }): Promise<BackupReport> {
        const signal = AbortSignal.any([options.signal, over.signal]);
        const shipping = ship();
        const patience = AbortSignal.any([signal, AbortSignal.timeout(historyWithin)]);
        const late = new Promise<undefined>((resolve) => patience.addEventListener("abort", () => resolve(undefined), { once: true }));
        const history = shipping.historyNow() ?? (await Promise.race([shipping.history().catch(() => undefined), late]));
        signal.throwIfAborted();
        if (history === undefined)
            options.note(
                `${store}: its log is not shipped (${shipping.lag().trouble ?? "nothing has begun"}): this backup gives its own moment and no later one`,
            );
        const { source, remove } = sourceOf();
        try {
            return await backup(standpoint, store, source, {
                signal,
                note: options.note,
                ...(history === undefined ? {} : { log: { history } }),
                afterContents: () => sealed(shipping, options.note, signal),
            });
        } finally {
            remove();
        }
    }

    /** A backup does not fail because the log is late: the shipper goes on, and the verifier waits for it. */
    async function sealed(shipping: Shipping, tell: (line: string) => void, signal: AbortSignal): Promise<void> {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(sealWithin)]);
        const late = new Promise<never>((_, reject) => {
            limit.addEventListener("abort", () => reject(new Error(shipping.lag().trouble ?? `not within ${sealWithin / 1000} s`)), {
                once: true,
            });
        });
        await Promise.race([shipping.seal(), late]).catch((error: Error) =>
            tell(`${store}: the log up to this copy is not put yet: ${error.message}`),
        );
    }

    /** What the role demands. What the guard does not say, or says in passing, changes nothing. */
    async function follow(role: ServerRole): Promise<void> {
        switch (role) {
            case "writable":
                return void ship();
            case "read-only":
            case "replica":
                return settle(`the server is ${role}`);
            case "half-open":
                return;
        }
    }

    return {
        async run() {
            for (
                let silent: string | undefined;
                !ending.signal.aborted;
                await sleep(every, undefined, { signal: ending.signal }).catch(() => {})
            )
                try {
                    await follow(await tools.role());
                    if (silent !== undefined) note(`${store}: the guard answers again`);
                    silent = undefined;
                } catch (error) {
                    const why = (error as Error).message;
                    if (why !== silent) note(`${store}: the guard does not say what the server is: ${why}`);
                    silent = why;
                }
            await settle("the archive ends");
            over.abort(new Failure("interrupted", "the archive ends", "ask it again when it runs"));
        },
        async stop() {
            ending.abort(new Error("the archive ends"));
            while (!over.signal.aborted) await sleep(20);
        },
        async backup(options) {
            const role = await tools.role();
            if (role !== "writable")
                throw new Failure(
                    "refused",
                    `the server of ${store} in the ${standpoint.site} is ${role}: a recovery point is taken of the one that takes writes`,
                    "ask the active site's: `lifeboat status` says which it is",
                );
            return take(options);
        },
        async copy(signal) {
            const { source, remove } = sourceOf();
            const done = () => Promise.resolve(remove());
            try {
                return { copy: await physical.copy(source, signal), done };
            } catch (error) {
                remove();
                throw error;
            }
        },
    };
}
