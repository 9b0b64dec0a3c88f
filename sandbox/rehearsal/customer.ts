import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerWriter } from "./ledger.ts";
import type { CachingResolver } from "./lookup.ts";

export interface CustomerOptions {
    /** Which of the clients this is, from 0. */
    client: number;
    /** How many there are: numbers of orders are dealt out among them. */
    clients: number;
    /** Number of the first order of them all. */
    firstOrder: number;
    /** The name that customers know. */
    host: string;
    port: number;
    /** Orders a second that this client places. */
    rate: number;
    /** A request without an answer for so long has failed, milliseconds. */
    timeoutMs: number;
    /** After so long without an acknowledgment an order is given up, milliseconds. */
    giveUpMs: number;
    /** Certificate authority that the client trusts, PEM. */
    ca: string;
    draw: () => number;
    resolver: CachingResolver;
    ledger: LedgerWriter;
}

/**
 * A client like a browser behind a caching resolver: it looks the name up before each request, keeps its connection while it works, and after a failure sends the same order again until it is acknowledged or given up.
 */
export class Customer {
    readonly #options: CustomerOptions;
    #known: string | undefined;
    #agent = new Agent({ keepAlive: true, maxSockets: 1 });

    constructor(options: CustomerOptions) {
        this.#options = options;
    }

    /** Places orders until the signal; an order under way is finished or cut off. */
    async run(signal: AbortSignal): Promise<void> {
        const { client, clients, firstOrder, rate, draw } = this.#options;
        for (let order = firstOrder + client; !signal.aborted; order += clients) {
            await this.#place(order, `customer-${client}`, signal);
            // Uniform around the pace, so that clients do not march in step.
            await this.#pause((1000 / rate) * (0.5 + draw()), signal);
        }
        this.#agent.destroy();
    }

    async #place(order: number, customer: string, signal: AbortSignal): Promise<void> {
        const { client, giveUpMs, ledger } = this.#options;
        const start = performance.now();
        for (let attempt = 1; !signal.aborted; attempt++) {
            if (performance.now() - start > giveUpMs) {
                ledger.add({ kind: "given-up", client, order, customer });
                return;
            }
            const address = await this.#address();
            if (address === undefined) {
                await this.#pause(1000, signal);
                continue;
            }
            ledger.add({ kind: "attempt", client, order, customer, attempt, address });
            try {
                await this.#post(address, order, customer, signal);
                ledger.add({ kind: "acknowledged", client, order, customer, attempt, address });
                return;
            } catch (error) {
                ledger.add({ kind: "failed", client, order, customer, attempt, address, reason: (error as Error).message });
                // A failed connection is thrown away; the address stays until its TTL ends, as a resolver's cache does.
                this.#reconnect();
                await this.#pause(500, signal);
            }
        }
    }

    async #address(): Promise<string | undefined> {
        const { client, host, resolver, ledger } = this.#options;
        try {
            const { address, ttl, asked } = await resolver.lookUp(host);
            if (asked) ledger.add({ kind: "looked-up", client, address, ttl });
            // A new address means a new connection; the same one keeps what is open.
            if (this.#known !== undefined && this.#known !== address) this.#reconnect();
            this.#known = address;
            return address;
        } catch (error) {
            ledger.add({ kind: "lookup-failed", client, reason: (error as Error).message });
            return undefined;
        }
    }

    #reconnect(): void {
        this.#agent.destroy();
        this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    }

    #post(address: string, order: number, customer: string, signal: AbortSignal): Promise<void> {
        const { host, port, timeoutMs, ca } = this.#options;
        const body = JSON.stringify({ number: order, customer });
        // The whole answer counts against the limit, not only its first byte.
        const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        return new Promise((resolve, reject) => {
            const call = request(
                {
                    host: address,
                    servername: host,
                    port,
                    path: "/orders",
                    method: "POST",
                    agent: this.#agent,
                    ca,
                    signal: limit,
                    headers: { host, "content-type": "application/json", "content-length": Buffer.byteLength(body) },
                },
                (response) => {
                    let text = "";
                    response.setEncoding("utf8");
                    response.on("data", (chunk: string) => (text += chunk));
                    response.on("error", reject);
                    response.on("end", () => {
                        if (response.statusCode === 201) resolve();
                        else reject(new Error(`answered ${response.statusCode}: ${text.slice(0, 200)}`));
                    });
                },
            );
            call.on("error", (error) =>
                reject(limit.aborted && !signal.aborted ? new Error(`no answer within ${timeoutMs} ms`, { cause: error }) : error),
            );
            call.end(body);
        });
    }

    async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
        await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
            if (!signal.aborted) throw error;
        });
    }
}
