/**
 * Runs inside a sandbox, in a site's cgroup: one store's pod, without a cluster. Its containers are those that the stacks declare (components/documents/database-pod.ts), made
 * by the sandbox's own node, started again when they end. Told what to do by lines {id, name, args} on standard input; it ends with it.
 */
import { spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Container, V1PodTemplateSpec } from "@kubernetes/client-node";
import { databasePod } from "../../../components/documents/database-pod.ts";
import { otherSite, type SiteName } from "../../../model/estate.ts";
import { names } from "../../../model/names.ts";
import { passwordNames } from "../../../model/servers.ts";
import { kindOf } from "../../../stores/registry.ts";
import { writeMarker } from "../../../recovery/databases/marker.ts";
import { sandboxAccount, siteAddresses } from "../../../sandbox/addresses.ts";
import { operatorKey } from "../../../sandbox/aws/principals.ts";
import { attach, bridgeOf } from "../../../sandbox/network.ts";
import { Run } from "../../../sandbox/node/container.ts";
import { imageOf } from "../../../sandbox/node/images.ts";
import { identityOf } from "../../../sandbox/node/pod.ts";
import { estate } from "../../../stacks/estate.ts";
import { podAddress } from "./address.ts";

export interface SiteOptions {
    site: SiteName;
    store: string;
    /** Of the pod's volumes, roots and logs. */
    directory: string;
    /** The repository that our own image runs from. */
    checkout: string;
    /** By which the guard's wall clock is wrong, ms. */
    clockOffsetMs: number;
    password: string;
}

const options = JSON.parse(process.argv[2]!) as SiteOptions;
const { site, store, directory, checkout, clockOffsetMs, password } = options;
const declared = estate.stores[store]!;
const { database } = declared;
const { server } = kindOf(declared);
const { uid, initScripts } = server;
const address = podAddress(site);
const netns = `pod-${site}`;
const template = databasePod({ store, server, database, site, account: sandboxAccount, serviceAccount: "guard", volume: 1 << 30 });
const { spec } = JSON.parse(JSON.stringify(template)) as V1PodTemplateSpec;
const volume = (name: string) => join(directory, name);
const runs = new Map<string, Run>();
let epoch = 0;
let running = false;

function prepare(): void {
    attach(netns, { bridge: bridgeOf(site), address: `${address}/17`, gateway: siteAddresses(site).node });
    for (const { name } of spec!.volumes ?? []) own(volume(name), 0o777);
    own(volume("data"), 0o700);
    for (const name of passwordNames) writeFileSync(join(volume("passwords"), name), password, { mode: 0o444 });
    for (const [name, script] of Object.entries(initScripts(store, database)))
        writeFileSync(join(volume("init"), name), script, { mode: 0o555 });
    own(volume("hosts"), 0o755);
    const peer = otherSite(site);
    const host = names(estate, sandboxAccount).siteStoreHost(store, peer);
    writeFileSync(join(volume("hosts"), "hosts"), `127.0.0.1 localhost\n${address} ${store}-0\n${podAddress(peer)} ${host}\n`);
    // What the guard's program believes the time is; its monotonic clock stays right, as a wrong clock's does in life.
    writeFileSync(
        join(volume("tmp"), "clock.mjs"),
        `const Real = Date;
globalThis.Date = class extends Real {
    constructor(...parts) { if (parts.length === 0) super(Real.now() + ${clockOffsetMs}); else super(...parts); }
    static now() { return Real.now() + ${clockOffsetMs}; }
};\n`,
    );
}

function own(path: string, mode: number): void {
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode);
    chownSync(path, uid, uid);
}

function start(container: V1Container): Run {
    const image = imageOf(container.image!, checkout)!;
    const ours = image.entrypoint[0] === "lifeboat";
    const environment = Object.fromEntries(
        (container.env ?? []).map(({ name, value, valueFrom }) => {
            if (valueFrom !== undefined && valueFrom.fieldRef?.fieldPath !== "status.podIP") throw new Error(`${name}: what is this from?`);
            return [name, valueFrom === undefined ? (value ?? "") : address];
        }),
    );
    return new Run({
        image,
        hostname: `${store}-0`,
        base: join(directory, "root"),
        making: join(directory, "making", container.name),
        identity: identityOf({ ...spec!.securityContext, ...container.securityContext }, image),
        readOnly: container.securityContext?.readOnlyRootFilesystem ?? false,
        mounts: (container.volumeMounts ?? []).map(({ name, mountPath, readOnly = false }) => ({
            from: volume(name),
            to: mountPath,
            readOnly,
        })),
        hosts: volume("hosts"),
        workingDirectory: image.workingDirectory ?? "/",
        argv: [...(container.command ?? image.entrypoint), ...(container.args ?? [])],
        netns,
        environment: {
            ...image.env,
            HOME: "/",
            ...environment,
            ...(ours ? { ...credentials(), NODE_OPTIONS: "--import /tmp/clock.mjs" } : {}),
        },
        log: join(directory, `${container.name}.log`),
    });
}

const credentials = () => ({
    AWS_ACCESS_KEY_ID: operatorKey,
    AWS_SECRET_ACCESS_KEY: "sandbox",
    AWS_REGION: estate.sites[site].region,
    AWS_EC2_METADATA_DISABLED: "true",
});

/** Starts a container again and again, as a kubelet does whose back-off has just begun. */
async function keep(container: V1Container, during: number): Promise<void> {
    while (running && during === epoch) {
        const run = start(container);
        runs.set(container.name, run);
        await run.exited;
        await sleep(100);
    }
}

const operations = {
    /** The pod's life begins: init containers one by one, then the others together. */
    async start(): Promise<void> {
        running = true;
        const during = ++epoch;
        for (const container of spec!.initContainers ?? [])
            for (let tries = 0; running && during === epoch && (await start(container).exited) !== 0; tries++) {
                if (tries === 20) throw new Error(`${container.name} does not succeed; see ${directory}/${container.name}.log`);
                await sleep(300);
            }
        for (const container of spec!.containers) void keep(container, during);
    },
    /** Kills every container. */
    async stop(): Promise<void> {
        running = false;
        epoch++;
        await Promise.all([...runs.values()].map((run) => run.stop(0)));
    },
    /** Kills one container, which is started again. */
    async kill(container: "server" | "guard"): Promise<void> {
        await runs.get(container)?.stop(0);
    },
    /** Marks the volume as a half copy of the peer's: the next start copies it anew. */
    forget(): Promise<void> {
        writeMarker(volume("data"), { seed: "copying", from: otherSite(site), at: new Date().toISOString() });
        return Promise.resolve();
    },
    /** Runs `lifeboat guard STORE FLAG` in the guard's container. @throws with what it said on stderr */
    async guard(flag: "--status" | "--promote"): Promise<unknown> {
        const run = runs.get("guard");
        if (!run?.begunAndAlive) throw new Error("there is no guard");
        const [program, ...args] = run.enter(["lifeboat", "guard", store, flag]);
        const child = spawn(program!, args, { env: { ...run.environment }, stdio: ["ignore", "pipe", "pipe"] });
        const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
        try {
            return JSON.parse(said);
        } catch {
            throw new Error(complaints.trim() || "it said nothing");
        }
    },
};
export type SiteOperations = typeof operations;

prepare();
for await (const line of createInterface({ input: process.stdin })) {
    const { id, name, args } = JSON.parse(line) as { id: number; name: keyof SiteOperations; args: never[] };
    (operations[name] as (...args: never[]) => Promise<unknown>)(...args).then(
        (result) => process.stdout.write(`${JSON.stringify({ id, result })}\n`),
        (error: unknown) => process.stdout.write(`${JSON.stringify({ id, error: (error as Error).message })}\n`),
    );
}
process.exit(0);
