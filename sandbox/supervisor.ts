import { readFileSync, rmSync } from "node:fs";
import { siteNames, type SiteName } from "../model/estate.ts";
import { Cgroup } from "./cgroup.ts";
import { serveControl } from "./control.ts";
import type { SandboxDeclaration } from "./declaration.ts";
import { startDaemon, type Daemon, type RunningDaemon } from "./daemon.ts";
import { startCloud, startCluster } from "./cloud.ts";
import { places, type Place } from "./addresses.ts";
import { countAttempts, dropPackets, passPackets } from "./loss.ts";
import { buildNetwork, detachPods } from "./network.ts";
import { countCutAttempts, cutOff, otherPlaces } from "./partition.ts";

export interface DaemonStatus {
    readonly name: string;
    readonly site?: SiteName;
    readonly pid: number;
    /** `ended` is never brought about silently: the log and this line say how. */
    readonly state: "starting" | "ready" | "ended";
    /** Time from its start to ready, ms. */
    readonly took?: number;
    readonly exit?: string;
}

/** `paused`: every process of the site stands still; its packets would go. */
export type SiteStatus =
    { readonly state: "standing" } | { readonly state: "paused" } | { readonly state: "lost"; readonly lostAt: string };

export interface SandboxStatus {
    readonly name: string;
    readonly phase: "starting" | "up" | "failed" | "stopping";
    readonly error?: string;
    readonly startedAt: string;
    readonly sites: Readonly<Record<SiteName, SiteStatus>>;
    /** What is cut off from what: each place that was named in a cut, and those that it is cut off from. */
    readonly cuts: Readonly<Partial<Record<Place, readonly Place[]>>>;
    readonly daemons: readonly DaemonStatus[];
}

/** Starts the daemons of one sandbox, reports them, loses sites and stops. Runs as the child of namespace.sh, in the sandbox's namespaces. */
class Supervisor {
    private readonly directory: string;
    private readonly declaration: SandboxDeclaration;
    private readonly cgroups: Record<SiteName, Cgroup>;
    private readonly running: RunningDaemon[] = [];
    private readonly daemons = new Map<string, DaemonStatus>();
    private readonly lostAt: Partial<Record<SiteName, string>> = {};
    private readonly paused = new Set<SiteName>();
    private readonly cuts: Partial<Record<Place, readonly Place[]>> = {};
    private readonly startedAt = new Date().toISOString();
    private phase: SandboxStatus["phase"] = "starting";
    private error: string | undefined;

    constructor(directory: string) {
        this.directory = directory;
        this.declaration = JSON.parse(readFileSync(`${directory}/sandbox.json`, "utf8")) as SandboxDeclaration;
        const { name } = this.declaration;
        this.cgroups = { primary: new Cgroup(name, "primary"), standby: new Cgroup(name, "standby") };
    }

    status(): SandboxStatus {
        const site = (name: SiteName): SiteStatus => {
            const lostAt = this.lostAt[name];
            if (lostAt !== undefined) return { state: "lost", lostAt };
            return { state: this.paused.has(name) ? "paused" : "standing" };
        };
        return {
            name: this.declaration.name,
            phase: this.phase,
            ...(this.error !== undefined && { error: this.error }),
            startedAt: this.startedAt,
            sites: { primary: site("primary"), standby: site("standby") },
            cuts: this.cuts,
            daemons: [...this.daemons.values()],
        };
    }

    async run(): Promise<void> {
        process.on("SIGTERM", () => void this.stop());
        process.on("SIGINT", () => void this.stop());
        if (this.declaration.tied)
            process.stdin
                .on("end", () => void this.stop())
                .on("error", () => void this.stop())
                .resume();
        buildNetwork();
        for (const site of siteNames) this.cgroups[site].create();
        await serveControl(`${this.directory}/control.sock`, {
            "GET /status": () => this.status(),
            "POST /lose": (body) => this.lose(known(siteNames, (body as { site: SiteName }).site)),
            "POST /restore": (body) => this.restore(known(siteNames, (body as { site: SiteName }).site)),
            "POST /pause": (body) => this.pause(known(siteNames, (body as { site: SiteName }).site)),
            "POST /resume": (body) => this.resume(known(siteNames, (body as { site: SiteName }).site)),
            "PUT /cut": (body) => {
                const { place, from } = body as { place: Place; from: Place[] };
                return this.cut(known(places, place), from);
            },
            "GET /attempts": () => [...siteNames.flatMap(countAttempts), ...places.flatMap(countCutAttempts)],
            "POST /stop": () => void setImmediate(() => void this.stop()),
        });
        try {
            await startCloud(this.cloud);
            // Ready once is not enough: whoever has ended since is missing.
            const ended = [...this.daemons.values()].find(({ state }) => state === "ended");
            if (ended) throw new Error(`${ended.name} ended (${ended.exit}) while the others started; see logs/${ended.name}.log`);
            this.phase = "up";
        } catch (error) {
            if (this.phase === "stopping") return;
            this.error = (error as Error).message;
            this.phase = "failed";
            this.note(`failed: ${this.error}`);
        }
    }

    private get cloud() {
        return { directory: this.directory, declaration: this.declaration, start: (daemon: Daemon) => this.start(daemon) };
    }

    private async start(daemon: Daemon): Promise<void> {
        const began = Date.now();
        const base = { name: daemon.name, ...(daemon.site && { site: daemon.site }), pid: -1 };
        this.daemons.set(daemon.name, { ...base, state: "starting" });
        const running = await startDaemon(daemon, {
            log: `${this.directory}/logs/${daemon.name}.log`,
            ...(daemon.site && { cgroup: this.cgroups[daemon.site].directory }),
        });
        this.running.push(running);
        const ready = { ...base, pid: running.pid, state: "ready", took: Date.now() - began } as const;
        this.daemons.set(daemon.name, ready);
        this.note(`${daemon.name} is ready after ${ready.took} ms`);
        void running.exited.then(({ code, signal }) => {
            const exit = signal ?? `code ${code}`;
            this.daemons.set(daemon.name, { ...ready, state: "ended", exit });
            this.note(`${daemon.name} ended (${exit})`);
        });
    }

    /** Takes a region away: its packets vanish first, so that no dying process can say goodbye; then all stand still; then all are killed. */
    private async lose(site: SiteName): Promise<{ at: string }> {
        const lostAt = this.lostAt[site];
        if (lostAt) return { at: lostAt };
        const at = new Date().toISOString();
        dropPackets(site);
        this.lostAt[site] = at;
        this.note(`${site} is lost`);
        await this.cgroups[site].freeze();
        await this.cgroups[site].kill();
        return { at };
    }

    /**
     * Brings a lost region back: its machines boot with the disks that they had. What was in memory or in an emptyDir is gone, and every pod that was bound to them is started
     * again. Resolves when the cluster serves; its pods come by and by.
     */
    private async restore(site: SiteName): Promise<{ at: string }> {
        if (!this.lostAt[site]) throw new Error(`${site} is not lost`);
        detachPods(site);
        rmSync(`${this.directory}/sites/${site}/pods`, { recursive: true, force: true });
        this.cgroups[site].thaw();
        passPackets(site);
        await startCluster(this.cloud, site);
        delete this.lostAt[site];
        this.note(`${site} is back`);
        return { at: new Date().toISOString() };
    }

    /** Sets what a place is cut off from; its processes live on. */
    private cut(place: Place, from: readonly Place[]): { at: string } {
        for (const other of from) known(otherPlaces(place), other);
        const at = new Date().toISOString();
        cutOff(place, from);
        if (from.length > 0) this.cuts[place] = from;
        else delete this.cuts[place];
        this.note(from.length > 0 ? `${place} is cut off from ${from.join(", ")}` : `${place} is whole again`);
        return { at };
    }

    /** Stops all processes of a site where they are, as SIGSTOP does; connections stay open. */
    private async pause(site: SiteName): Promise<{ at: string }> {
        const at = new Date().toISOString();
        await this.cgroups[site].freeze();
        this.paused.add(site);
        this.note(`${site} stands still`);
        return { at };
    }

    private resume(site: SiteName): { at: string } {
        this.cgroups[site].thaw();
        this.paused.delete(site);
        this.note(`${site} goes on`);
        return { at: new Date().toISOString() };
    }

    private async stop(): Promise<void> {
        if (this.phase === "stopping") return;
        this.phase = "stopping";
        this.note("stopping");
        // Throw-away state: nothing in it is worth a clean shutdown. Whatever else there is dies with the pid namespace.
        await Promise.all(siteNames.map((site) => this.cgroups[site].remove()));
        await Promise.all(this.running.map((daemon) => daemon.stop(200)));
        process.exit(0);
    }

    private note(line: string): void {
        process.stdout.write(`${new Date().toISOString()} ${line}\n`);
    }
}

function known<Name extends string>(names: readonly Name[], name: Name): Name {
    if (names.includes(name)) return name;
    throw new Error(`"${name}" is none of ${names.join(", ")}`);
}

const directory = process.argv[2];
if (!directory) throw new Error("usage: supervisor.ts DIRECTORY");
process.on("unhandledRejection", (error) =>
    process.stdout.write(`${new Date().toISOString()} unhandled: ${(error as Error).stack ?? error}\n`),
);
await new Supervisor(directory).run();
