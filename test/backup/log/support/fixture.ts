import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchLog, type FetchedLog, type Until } from "../../../../backup/log/fetch.ts";
import { listLog } from "../../../../backup/log/list.ts";
import { shipLog, type ShipOptions, type Shipping } from "../../../../backup/log/ship.ts";
import type { LogSide } from "../../../../stores/physical.ts";
import { CreateAliasCommand, DescribeKeyCommand } from "@aws-sdk/client-kms";
import { at, clientsOf, derived, estate } from "../../support/account.ts";
import { covers, LineServer, lineLog } from "./engine.ts";

/** Each test has a store of its own, so that their histories do not meet. */
export const store = "shop-mariadb";
export const never = new AbortController().signal;
export const standby = at("standby");

export class Bench implements AsyncDisposable {
    readonly root = mkdtempSync(join(tmpdir(), "lifeboat-ship-"));
    readonly notes: string[] = [];
    readonly histories: string[] = [];
    readonly store: string;
    #shippers: { stop: AbortController; shipping: Shipping }[] = [];
    private constructor(name: string, engine: string) {
        this.store = `shop-${name}`;
        estate.stores[this.store] = estate.stores[`shop-${engine}`]!;
    }
    static async open(name: string, engine = "mariadb"): Promise<Bench> {
        const bench = new Bench(name, engine);
        const { kms } = clientsOf("standby");
        const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: derived.envelopeKeyAlias(store) }));
        await kms.send(new CreateAliasCommand({ AliasName: derived.envelopeKeyAlias(bench.store), TargetKeyId: KeyMetadata!.KeyId! }));
        return bench;
    }
    directory(name: string): string {
        return mkdtempSync(join(this.root, `${name}-`));
    }
    server(first = 1): LineServer {
        return new LineServer(this.directory("server"), first);
    }
    ship(
        server: LineServer,
        directory: string,
        options: Partial<ShipOptions> & { log?: LogSide } = {},
    ): Shipping & { stop(): Promise<void> } {
        const stop = new AbortController();
        const shipping = shipLog(standby, this.store, server.address, directory, {
            signal: stop.signal,
            note: (line) => this.notes.push(line),
            onNewHistory: (history) => this.histories.push(history),
            sealAfter: 100,
            poll: 20,
            patience: 200,
            log: lineLog(),
            ...options,
        });
        this.#shippers.push({ stop, shipping });
        return {
            ...shipping,
            stop: async () => {
                stop.abort();
                await shipping.ended;
            },
        };
    }
    fetch(
        history: string,
        { from = "log.000001", until, offset = 0 }: { from?: string; until?: Until; offset?: number } = {},
    ): Promise<FetchedLog> {
        const want = { history, from: { file: from, offset }, ...(until === undefined ? {} : { until }) };
        return fetchLog(standby, this.store, want, this.directory("fetched"), never, { log: lineLog(), covers });
    }
    async fetched(history: string): Promise<[directory: string, files: readonly string[]]> {
        const { directory, files } = await this.fetch(history);
        return [directory, files];
    }
    list() {
        return listLog(standby, this.store);
    }
    async [Symbol.asyncDispose]() {
        for (const { stop } of this.#shippers) stop.abort();
        await Promise.all(this.#shippers.map(({ shipping }) => shipping.ended));
        rmSync(this.root, { recursive: true, force: true });
    }
}

export const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1);
