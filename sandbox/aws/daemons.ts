import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { siteNames, type SiteName } from "../../model/estate.ts";
import { globalAws, regionalAws, type Regions } from "../addresses.ts";
import { callControl } from "../control.ts";
import { until, type Daemon } from "../daemon.ts";
import { tools } from "../tools.ts";
import type { GateOptions } from "./gate.ts";
import { oidcIssuer, tokenKeyFile } from "./issuers.ts";
import type { ReplicatorOptions } from "./replicator.ts";

export interface AwsDaemonsOptions {
    /** Of the sandbox; `ca/gate.{pem,key}` must be there (makeAuthority). */
    readonly directory: string;
    readonly regions: Regions;
    /** PEM of the key that each site's cluster signs service-account tokens for. @default sites/SITE/certs/service-account.pub */
    readonly tokenKeys?: Readonly<Record<SiteName, string>>;
    /** Of the order in which objects are replicated. @default 1 */
    readonly seed?: number;
}

/** Where the stand-in listens: inside the sandbox's own namespace only. */
export const motoAddress = { host: "127.0.0.1", port: 5000, url: "http://127.0.0.1:5000" } as const;
const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/**
 * AWS: the account stand-in, the gate in front of it, the replicator of buckets; in the order in which they are to be started. They belong to no site: what dies with a
 * region is its packets, and whatever `PUT /refuse` on gate.sock and `PUT /` on replicator.sock name.
 */
export function awsDaemons({ directory, regions, tokenKeys, seed = 1 }: AwsDaemonsOptions): Daemon[] {
    const gate: GateOptions = {
        certificate: { cert: join(directory, "ca/gate.pem"), key: join(directory, "ca/gate.key") },
        listeners: [
            { address: globalAws, port: 443 },
            ...Object.entries(regionalAws(regions)).map(([region, address]) => ({ address, port: 443, region })),
        ],
        moto: motoAddress.url,
        tokenKeys: Object.fromEntries(
            siteNames.map((site) => [oidcIssuer(site, regions[site]), tokenKeys?.[site] ?? tokenKeyFile(directory, site)]),
        ),
        auditFile: join(directory, "audit.jsonl"),
        socket: join(directory, "gate.sock"),
    };
    const replicator: ReplicatorOptions = { moto: motoAddress.url, socket: join(directory, "replicator.sock"), seed };
    const answers = (socket: string, path: string) => async () => {
        await until(`${socket} answers`, 300_000, async () => (await callControl(join(directory, socket), "GET", path)) !== undefined);
    };
    return [
        {
            name: "moto",
            command: [tools.motoPython, "-B", beside("moto/server.py"), "-H", motoAddress.host, "-p", String(motoAddress.port)],
            ready: async () => {
                await until("moto answers", 300_000, async () => (await fetch(`${motoAddress.url}/_sandbox/replication`)).ok);
            },
        },
        { name: "gate", command: [tools.node, beside("gate-process.ts"), JSON.stringify(gate)], ready: answers("gate.sock", "/refuse") },
        {
            name: "replicator",
            command: [tools.node, beside("replicator-process.ts"), JSON.stringify(replicator)],
            ready: answers("replicator.sock", "/"),
        },
    ];
}
