import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { actors, globalAws, regionalAws, resolverAddress, type Regions } from "../addresses.ts";
import { motoAddress } from "../aws/daemons.ts";
import { callControl } from "../control.ts";
import { until, type Daemon } from "../daemon.ts";
import { tools } from "../tools.ts";
import type { DnsOptions } from "./server.ts";

export interface DnsDaemonsOptions {
    /** Of the sandbox. */
    readonly directory: string;
    readonly regions: Regions;
    /** Divides health checkers' intervals and the TTLs that are answered. @default 1 */
    readonly fast?: number;
}

/** Resolver and health checkers, in one program that belongs to no site. To be started after moto. */
export function dnsDaemons({ directory, regions, fast = 1 }: DnsDaemonsOptions): Daemon[] {
    const socket = join(directory, "dns.sock");
    const options: DnsOptions = {
        address: resolverAddress,
        port: 53,
        moto: motoAddress.url,
        regions: regionalAws(regions),
        global: globalAws,
        fast,
        checkersFrom: actors.checkers,
        socket,
    };
    return [
        {
            name: "dns",
            command: [tools.node, fileURLToPath(new URL("dns-process.ts", import.meta.url)), JSON.stringify(options)],
            ready: async () => {
                await until(
                    "the resolver has read the zones",
                    300_000,
                    async () => ((await callControl(socket, "GET", "/ready")) as { reads: number }).reads > 0,
                );
            },
        },
    ];
}
