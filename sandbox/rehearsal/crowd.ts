import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { names } from "../../model/names.ts";
import { sandboxAccount, siteAddresses } from "../addresses.ts";
import type { Sandbox } from "../sandbox.ts";
import { tools } from "../tools.ts";
import type { CustomersOptions } from "./customers.ts";
import { parseLedger, type Acknowledged, type LedgerLine } from "./ledger.ts";

const program = fileURLToPath(new URL("./customers.ts", import.meta.url));
/** Clients, and orders a second of them all. */
export const crowdSize = { clients: 4, rate: 10 };

/** The customers of a service, while they shop. */
export interface Crowd {
    ledgerPath: string;
    read(): LedgerLine[];
    /** Stops them and gives the whole ledger. @throws Error when they ended by themselves, or not well. */
    stop(): Promise<LedgerLine[]>;
}

/**
 * Where customers stand. `customers`: outside both regions, they go where the service's name leads them. `neighbours`: inside the primary's network, they go to the
 * primary by its own name, whatever becomes of it. Their orders have numbers of their own.
 */
export type CrowdName = "customers" | "neighbours";

/** Sends customers to a service. */
export function sendCustomers(sandbox: Sandbox, crowd: CrowdName, service: string, seed: number): Crowd {
    const ledgerPath = join(sandbox.directory, `${crowd}.jsonl`);
    const { serviceHost, siteServiceHost } = names(sandbox.estate, sandboxAccount);
    const { actor, ...where } = {
        customers: { actor: "customers", host: serviceHost(service) },
        neighbours: { actor: "primary-side", host: siteServiceHost(service, "primary"), firstOrder: 1e9 },
    }[crowd] as { actor: "customers" | "primary-side"; host: string; firstOrder?: number };
    const options: CustomersOptions = {
        ...where,
        ledger: ledgerPath,
        ca: join(sandbox.directory, "ca", "ca.pem"),
        seed,
        ...crowdSize,
    };
    const child = sandbox.exec([tools.node, program, JSON.stringify(options)], {
        actor,
        execa: { reject: false, stdin: "ignore" },
    });
    let over = false;
    const ended = Promise.resolve(child).finally(() => (over = true));
    const read = () => (existsSync(ledgerPath) ? parseLedger(readFileSync(ledgerPath, "utf8")) : []);
    return {
        ledgerPath,
        read,
        async stop() {
            if (over) throw new Error(`the customers went home early: ${String((await ended).stderr)}`);
            child.kill("SIGTERM");
            const { exitCode, stderr } = await ended;
            if (exitCode !== 0) throw new Error(`the customers ended with ${exitCode}: ${String(stderr)}`);
            return read();
        },
    };
}

/** How a customer was served again. */
export interface Served {
    client: number;
    /** When it got the standby's address, and when its first order was acknowledged from there. */
    lookedUpAt: number;
    servedAt: number;
}

/** The first good answer from a site that each customer got after an instant; customers who got none are left out. */
export function servedAgain(lines: readonly LedgerLine[], after: number): Served[] {
    const prefix = `10.${siteAddresses("standby").number}.`;
    const first = new Map<number, Acknowledged>();
    for (const line of lines)
        if (line.kind === "acknowledged" && line.at > after && line.address.startsWith(prefix) && !first.has(line.client))
            first.set(line.client, line);
    return [...first.values()].map(({ client, at, address }) => {
        const looked = lines.find(
            (line) => line.kind === "looked-up" && line.client === client && line.address === address && line.at > after,
        );
        return { client, lookedUpAt: looked?.at ?? at, servedAt: at };
    });
}
