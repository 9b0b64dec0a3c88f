import assert from "node:assert/strict";
import { otherSite, siteNames, type SiteName } from "../../model/estate.ts";
import { engineHere, type Engine } from "../../sandbox/engines.ts";
import type { EpochRecord } from "../../model/epoch.ts";
import { Failure } from "../../model/failure.ts";
import type { ServerRole } from "../../model/lease.ts";
import { coordination, witness } from "../../model/names.ts";
import { seconds } from "../../model/units.ts";
import type { FailbackTools } from "../../recovery/failback.ts";
import type { Side } from "../../recovery/steps/failback/side.ts";
import type { GuardStatus } from "../../recovery/guard.ts";
import type { Pulumi, StackLock } from "../../recovery/pulumi.ts";
import { bucketInMemory } from "./bucket.ts";
import { estate } from "./doubles.ts";

/** A store's server in one site. `log` is what it holds: acknowledged writes, in their order. */
interface Server {
    role: ServerRole;
    log: string[];
    copying?: boolean;
}

const record: EpochRecord = { epoch: 2, active: "standby", at: "2026-11-21T15:40:10Z", by: "anna@laptop", reason: "the region was lost" };

/**
 * Two sites after an activation, in this process: servers whose guards go by the epoch record as it is when they are asked, replicas that apply one write each time they are asked, and a
 * standby that customers write to all the time. The primary's servers came back with a write that nobody else has.
 */
export class Sites {
    readonly bucket = bucketInMemory(
        new Map([
            [coordination.epoch, JSON.stringify(record)],
            [witness.fence, JSON.stringify(record)],
        ]),
    );
    readonly servers = {} as Record<SiteName, Record<string, Server>>;
    /** What was done, in its order. */
    readonly done: string[] = [];
    /** Who holds the stacks; `pulumi cancel` takes it away. */
    lock: StackLock | undefined;
    /** Writes that a server acknowledged, by store. */
    readonly acknowledged: Record<string, string[]> = {};
    /** Guards that do not answer, and replicas that get nothing. */
    readonly silent = new Set<string>();
    readonly stuck = new Set<string>();

    constructor() {
        for (const site of siteNames)
            this.servers[site] = Object.fromEntries(
                Object.keys(estate.stores).map((store) => [
                    store,
                    site === "standby"
                        ? { role: "writable" as const, log: ["before"] }
                        : { role: "read-only" as const, log: ["before", "alone"] },
                ]),
            );
        for (const store of Object.keys(estate.stores)) this.acknowledged[store] = ["before"];
    }

    get epoch(): EpochRecord {
        return JSON.parse(this.bucket.objects.get(coordination.epoch) ?? "{}") as EpochRecord;
    }
    get fence(): EpochRecord {
        return JSON.parse(this.bucket.objects.get(witness.fence) ?? "{}") as EpochRecord;
    }

    /** A customer's order: acknowledged by whichever server takes writes, never by two. */
    #write(store: string): void {
        const writable = siteNames.filter((site) => this.servers[site][store]!.role === "writable");
        assert.ok(writable.length <= 1, `two writers of ${store}`);
        const [site] = writable;
        if (site === undefined) return;
        const order = `order ${this.acknowledged[store]!.length}`;
        this.acknowledged[store]!.push(order);
        this.servers[site][store]!.log.push(order);
    }

    /** What the guard does before it answers. */
    #look(site: SiteName, store: string): Server {
        const server = this.servers[site][store]!;
        const active = this.epoch.active === site;
        if (server.role === "writable" && !active) server.role = "read-only";
        else if (server.role === "read-only" && active && !server.copying) server.role = "writable";
        else if (server.role === "replica" && !this.stuck.has(`${site} ${store}`)) {
            const peer = this.servers[otherSite(site)][store]!.log;
            server.log = peer.slice(0, server.log.length + 1);
        }
        return server;
    }

    #position(kind: Engine, { log }: Server): string {
        return kind === "mariadb" ? `0-1-${log.length}` : `0/${log.length.toString(16).toUpperCase()}`;
    }

    side(site: SiteName): Side {
        const answer = (store: string) => {
            if (this.silent.has(`${site} ${store}`))
                throw new Failure("unavailable", `${store}-0/guard in the cluster ${site} does not answer`, "look");
            this.#write(store);
            return this.#look(site, store);
        };
        const status = (store: string): GuardStatus => {
            const server = answer(store);
            const { epoch, active } = this.epoch;
            const behind = this.servers[otherSite(site)][store]!.log.length - server.log.length;
            return {
                role: server.role,
                lagSeconds: server.role === "replica" ? Math.max(0, behind) / 10 : null,
                position: this.#position(engineHere(estate.stores[store]!), server),
                ...(server.copying ? { seed: "wanted" as const } : {}),
                lease: { state: active === site ? "proven" : "ceded", epoch, secondsLeft: active === site ? 15 : 0, silent: {} },
            };
        };
        const copy = (store: string) => {
            this.servers[site][store] = { role: "replica", log: [...this.servers[otherSite(site)][store]!.log] };
        };
        return {
            site,
            guard: {
                status: async (store) => status(store),
                promote: async (store) => {
                    const server = answer(store);
                    if (this.epoch.active !== site) throw new Failure("refused", `${store} in ${site} may not be promoted`, "claim");
                    if (server.role === "writable") return { store, promotedAt: record.at };
                    const closed = this.servers[otherSite(site)][store]!;
                    assert.notEqual(closed.role, "writable", `${store} is promoted beside a writer`);
                    assert.deepEqual(server.log, closed.log, `${store} is promoted before it has everything`);
                    this.done.push(`promote ${store}`);
                    server.role = "writable";
                    return { store, promotedAt: record.at };
                },
                rejoin: async (store) => {
                    const server = answer(store);
                    if (server.role !== "read-only" || this.epoch.active === site)
                        throw new Failure("refused", `${store} in ${site} is ${server.role}`, "look");
                    this.done.push(`rejoin ${site} ${store}`);
                    const peer = this.servers[otherSite(site)][store]!.log;
                    if (server.log.every((write, n) => peer[n] === write)) {
                        server.role = "replica";
                        return { way: "position", restart: false };
                    }
                    assert.ok(this.done.includes(`aside-${store}`), `${store} is wiped before it was looked at`);
                    server.copying = true;
                    return { way: "copy", restart: true };
                },
            },
            workloads: {
                context: site,
                reach: async () => undefined,
                replacePod: async (pod) => {
                    this.done.push(`replace ${site} ${pod}`);
                    copy(pod.replace(/-0$/, ""));
                },
                runOnce: async (job) => {
                    this.done.push(job);
                    const store = job.replace("aside-", "");
                    const peer = this.servers[otherSite(site)][store]!.log;
                    const alone = this.servers[site][store]!.log.filter((write) => !peer.includes(write));
                    const report = {
                        store,
                        tables: [{ name: "orders", absent: alone.length, differs: 0 }],
                        rows: alone.length,
                        saved: {
                            bucket: "vault",
                            key: `${store}/aside-1/data`,
                            id: "aside-1",
                            look: `lifeboat aside ${store} --show aside-1`,
                        },
                        seconds: 1,
                    };
                    return `looking for differences\n${JSON.stringify(report, undefined, 2)}\n`;
                },
            },
        };
    }

    tools(): FailbackTools {
        const run = async (args: readonly string[]) => {
            if (args[0] === "cancel") this.lock = undefined;
            this.done.push(`pulumi ${args.slice(0, 3).join(" ")}${args.includes("--target") ? " aimed" : ""}`);
            return "";
        };
        const resources = [{ urn: "urn:deployment", type: "kubernetes:apps/v1:Deployment" }];
        const pulumi: Pulumi = {
            project: "lifeboat",
            run,
            stacks: async () => ["dr", "prod"],
            export: async () => ({ version: 3, deployment: { resources, pending_operations: [] } }),
            import: async () => undefined,
            isLocked: async () => this.lock !== undefined,
            lock: async () => this.lock,
        };
        return {
            // Leases that are over at once: nobody waits for longer than the margin.
            estate: { ...estate, lease: { ...estate.lease, duration: seconds(-0.5) } },
            bucket: this.bucket,
            witness: this.bucket,
            primary: this.side("primary"),
            standby: this.side("standby"),
            pulumi,
        };
    }
}
