/**
 * Several customers of a service, until SIGTERM. Started by the rehearsal inside the sandbox, as the actor "customers":
 * node sandbox/rehearsal/customers.ts '{"host": "orders.orders.example", "ledger": "/…/ledger.jsonl", "ca": "/…/ca.pem", "seed": 1}'
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { resolverAddress } from "../addresses.ts";
import { Customer } from "./customer.ts";
import { draws } from "./draw.ts";
import { LedgerWriter } from "./ledger.ts";
import { askServer, CachingResolver } from "./lookup.ts";

export const customersOptions = z.strictObject({
    host: z.string(),
    port: z.int().default(443),
    ledger: z.string(),
    ca: z.string(),
    seed: z.int(),
    clients: z.int().min(1).default(4),
    /** Number of the first order: crowds that order at once have numbers of their own. */
    firstOrder: z.int().min(1).default(1),
    /** Orders a second in all. */
    rate: z.number().positive().default(10),
    timeoutMs: z.int().default(2000),
    giveUpMs: z.int().default(15 * 60_000),
    resolver: z.strictObject({ address: z.string(), port: z.int() }).default({ address: resolverAddress, port: 53 }),
});
export type CustomersOptions = z.input<typeof customersOptions>;

async function main(): Promise<void> {
    const {
        host,
        port,
        ledger: path,
        ca,
        seed,
        clients,
        firstOrder,
        rate,
        timeoutMs,
        giveUpMs,
        resolver,
    } = customersOptions.parse(JSON.parse(process.argv[2] ?? "{}"));
    const stop = new AbortController();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
    const ledger = new LedgerWriter(path);
    const authority = readFileSync(ca, "utf8");
    await Promise.all(
        Array.from({ length: clients }, (_, client) => {
            const draw = draws(seed * 31 + client);
            return new Customer({
                client,
                clients,
                firstOrder,
                host,
                port,
                rate: rate / clients,
                timeoutMs,
                giveUpMs,
                ca: authority,
                draw,
                resolver: new CachingResolver(askServer(resolver), draw),
                ledger,
            }).run(stop.signal);
        }),
    );
    ledger.close();
}

if (import.meta.main) await main();
