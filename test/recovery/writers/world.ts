import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { otherSite, siteNames, type SiteName } from "../../../model/estate.ts";
import { engineHere, type Engine } from "../../../sandbox/engines.ts";
import { Cgroup } from "../../../sandbox/cgroup.ts";
import { until } from "../../../sandbox/daemon.ts";
import type { Acknowledgement, Tenure } from "../../../sandbox/rehearsal/writers.ts";
import { startSandbox, type ExecOptions, type Sandbox } from "../../../sandbox/sandbox.ts";
import { tools } from "../../../sandbox/tools.ts";
import { estate } from "../../../stacks/estate.ts";
import { source } from "../../sandbox/source.ts";
import { endSandbox } from "../../sandbox/support.ts";
import { podAddress } from "./address.ts";
import { span, type Event } from "./schedule.ts";
import type { SiteOperations, SiteOptions } from "./site.ts";
import type { WriterOptions } from "./writer.ts";

/** Terms of the world's leases: a schedule outlasts one several times. */
const lease = 'lease: { duration: "3 s", renewEvery: "0.5 s" },';
/** By which the guards' wall clocks are wrong, ms: they differ by 5 s. */
const clockOffsetMs: Readonly<Record<SiteName, number>> = { primary: 2500, standby: -2500 };
const password = "tick-tock";

/** A program inside the sandbox that is told what to do, line by line. */
class Remote {
    readonly child: ReturnType<Sandbox["exec"]>;
    private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
    private next = 0;

    constructor(child: ReturnType<Sandbox["exec"]>) {
        this.child = child;
        createInterface({ input: child.stdout! }).on("line", (line) => {
            const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
            const call = this.waiting.get(id);
            this.waiting.delete(id);
            if (error === undefined) call?.resolve(result);
            else call?.reject(new Error(error));
        });
        void child.then(() => {
            for (const { reject } of this.waiting.values()) reject(new Error("the program inside has ended"));
        });
    }

    do<Name extends keyof SiteOperations>(name: Name, ...args: Parameters<SiteOperations[Name]>): ReturnType<SiteOperations[Name]> {
        const id = this.next++;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            this.child.stdin!.write(`${JSON.stringify({ id, name, args })}\n`);
        }) as ReturnType<SiteOperations[Name]>;
    }
}

/** Two sites with one store's server and guard each, as the stacks declare them, in a sandbox's network beside its AWS; and an application on each side that writes and writes. */
export class World {
    readonly acknowledgements: Acknowledgement[] = [];
    /** In ms of the machine's monotonic clock. */
    readonly tenures: Tenure[] = [{ site: "primary", epoch: 1, from: -Infinity }];
    active: SiteName = "primary";
    private readonly sandbox: Sandbox;
    private readonly store: string;
    private readonly sites = new Map<SiteName, Remote>();
    private takeovers = 0;

    private constructor(sandbox: Sandbox, store: string) {
        this.sandbox = sandbox;
        this.store = store;
    }

    /** @param sabotage changes the world's copy of the repository, before anything of it runs */
    static async start(kind: Engine, sabotage?: (checkout: string) => void): Promise<World> {
        const [store] = Object.entries(estate.stores).find(([, declared]) => declared.engine === kind)!;
        const sandbox = await startSandbox({ name: `test-writers-${kind}-${process.pid}`, estate, source, clusters: false });
        const world = new World(sandbox, store);
        try {
            sabotage?.(sandbox.checkout);
            await world.open();
        } catch (error) {
            await world.end();
            throw error;
        }
        return world;
    }

    /** The program of this directory, as the sandbox's own checkout has it: there the estate has the world's lease. */
    private program(file: string): string {
        return join(this.sandbox.checkout, "test/recovery/writers", file);
    }

    private inside(command: readonly string[], actor: NonNullable<ExecOptions["actor"]>) {
        return this.sandbox.exec(command, {
            actor,
            execa: { stdin: "pipe", stdout: "pipe", stderr: "inherit", buffer: false, reject: false },
        });
    }

    private async open(): Promise<void> {
        const declared = join(this.sandbox.checkout, "stacks/estate.ts");
        writeFileSync(declared, readFileSync(declared, "utf8").replace(/^( *)decision:/m, `$1${lease}\n$1decision:`));
        await this.sandbox.exec(["lifeboat", "bootstrap", "--json"], { execa: { stdin: "ignore" } });
        for (const site of siteNames) {
            const directory = join(this.sandbox.directory, "sites", site, "pod");
            mkdirSync(directory, { recursive: true });
            const { store, sandbox } = this;
            const told: SiteOptions = { site, store, directory, checkout: sandbox.checkout, clockOffsetMs: clockOffsetMs[site], password };
            const own = new Cgroup(sandbox.name, site).directory;
            // In the site's cgroup, so that it stands still with the site, and in the sandbox's root network, where pods are attached.
            const enter = ["sh", "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', own, "nsenter", "--net=/proc/1/ns/net"];
            this.sites.set(site, new Remote(this.inside([...enter, tools.node, this.program("site.ts"), JSON.stringify(told)], "harness")));
        }
        await this.site("primary").do("start");
        await this.untilRole("primary", "writable");
        for (const [index, site] of siteNames.entries()) this.sendWriter(site, index * 1e9 + 1);
        await until("a row", 20_000, () => this.acknowledgements.length > 0);
        await this.site("standby").do("start");
        await this.untilRole("standby", "replica");
    }

    private sendWriter(site: SiteName, first: number): void {
        const { database } = estate.stores[this.store]!;
        const kind = engineHere(estate.stores[this.store]!);
        const told: WriterOptions = { site, kind, host: podAddress(site), database, password, first };
        const child = this.inside([tools.node, this.program("writer.ts"), JSON.stringify(told)], `${site}-side`);
        createInterface({ input: child.stdout! }).on("line", (line) => this.acknowledgements.push(JSON.parse(line) as Acknowledgement));
    }

    private site(site: SiteName): Remote {
        return this.sites.get(site)!;
    }

    /** Waits until a site's guard calls its server so; a replica must hear from its peer. */
    private async untilRole(site: SiteName, role: string): Promise<void> {
        await until(`${this.store} in the ${site} to be ${role}`, 60_000, async () => {
            const status = (await this.site(site).do("guard", "--status")) as { role: string; lagSeconds: number | null };
            return status.role === role && (role !== "replica" || status.lagSeconds !== null);
        });
    }

    /**
     * Plays a schedule to its end, heals whatever is still wrong, and waits until the site that took over writes.
     * @returns rows that each site acknowledged while it was played
     */
    async play(events: readonly Event[]): Promise<Record<SiteName, number>> {
        const before = this.acknowledgements.length;
        const began = performance.now();
        const deeds: Promise<unknown>[] = [];
        for (const event of events) {
            await sleep(Math.max(0, event.at - (performance.now() - began)));
            const deed = event.kind === "take over" ? this.takeOver(otherSite(this.active)) : this.happen(event);
            deed.catch(() => undefined); // told below
            deeds.push(deed);
        }
        await sleep(Math.max(0, span - (performance.now() - began)));
        for (const site of siteNames) await this.sandbox.resume(site);
        for (const place of ["primary", "standby", "witness"] as const) await this.sandbox.heal(place);
        await Promise.all(deeds);
        await this.untilRole(this.active, "writable");
        const own = { primary: 0, standby: 0 };
        for (const { site } of this.acknowledgements.slice(before)) own[site]++;
        return own;
    }

    private async happen(event: Exclude<Event, { kind: "take over" }>): Promise<unknown> {
        switch (event.kind) {
            case "cut":
                return this.sandbox.cut(event.place, event.from);
            case "heal":
                return this.sandbox.heal(event.place);
            case "pause":
                return this.sandbox.pause(event.site);
            case "resume":
                return this.sandbox.resume(event.site);
            case "kill":
                return this.site(event.site).do("kill", event.container);
        }
    }

    /** Makes a site active, as an activation does: claims the epoch, fences, promotes; each again and again until it is done. */
    private async takeOver(site: SiteName): Promise<void> {
        const child = this.sandbox.exec([tools.node, this.program("takeover.ts"), site, `schedule-${++this.takeovers}`], {
            actor: "activation",
            execa: { stdin: "ignore" },
        });
        const { stdout } = await child;
        this.tenures.push(JSON.parse(String(stdout)) as Tenure);
        this.active = site;
        await until(`the promotion of the ${site}`, 60_000, () => this.site(site).do("guard", "--promote").then(Boolean));
    }

    /** Makes the site that does not write a replica of the one that does, copied anew. */
    async rebuild(): Promise<void> {
        const passive = otherSite(this.active);
        await this.site(passive).do("stop");
        await this.site(passive).do("forget");
        await this.site(passive).do("start");
        await this.untilRole(passive, "replica");
    }

    /** Every process of it dies with its sandbox. */
    end(): Promise<void> {
        return endSandbox(this.sandbox);
    }
}
