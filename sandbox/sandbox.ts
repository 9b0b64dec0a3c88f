import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa, type Options, type ResultPromise } from "execa";
import { siteNames, type Estate, type SiteName } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import { regionsOf, resolverAddress, type Actor, type Place } from "./addresses.ts";
import { makeAuthority } from "./aws/authority.ts";
import { Cgroup, cgroupRoot } from "./cgroup.ts";
import { copyCheckout } from "./checkout.ts";
import { callControl } from "./control.ts";
import type { SandboxDeclaration } from "./declaration.ts";
import { tail, until } from "./daemon.ts";
import { prepareEngine } from "./engine/home.ts";
import { neutral, sandboxEnvironment } from "./environment.ts";
import { enter, signalInner, supervisorPid } from "./enter.ts";
import type { Attempt } from "./loss.ts";
import { otherPlaces } from "./partition.ts";
import { withoutRegions } from "./regions.ts";
import { writeStackConfig } from "./stack-config.ts";
import type { SandboxStatus } from "./supervisor.ts";
import { tools } from "./tools.ts";

export type { Attempt } from "./loss.ts";
export type { SandboxStatus } from "./supervisor.ts";

export interface ExecOptions {
    /** Whose address the command's calls come from. @default "operator" */
    readonly actor?: Exclude<Actor, "checkers">;
    /** @default the sandbox's checkout */
    readonly cwd?: string;
    /** Added to what `sandbox.env` sets. */
    readonly env?: Readonly<Record<string, string>>;
    /** Anything else that execa takes (stdio, input, reject, timeout, …). */
    readonly execa?: Options;
}

/** A cloud on this machine, standing. */
export interface Sandbox {
    readonly name: string;
    /** Where its state lies. */
    readonly directory: string;
    /** Copy of the working tree: where people's `pulumi` runs. */
    readonly checkout: string;
    readonly estate: Estate;
    /** What a command inside is given: with it no client needs an endpoint setting. */
    readonly env: Readonly<Record<string, string>>;
    /** Starts a command inside. `kill()` of the child reaches the command itself; killing the child's pid kills the command too. */
    exec(command: readonly string[], options?: ExecOptions): ResultPromise;
    /** Takes a region away: packets first, then its processes. */
    lose(site: SiteName): Promise<{ at: string }>;
    /** Brings a lost region back, with the disks that it had. Resolves when its cluster serves again. */
    restore(site: SiteName): Promise<{ at: string }>;
    /**
     * Cuts a place off from others, alive: packets between them vanish, what is inside it goes on, and its own customers still reach it. Named again it is cut
     * off from these others only.
     * @param from @default every other place
     */
    cut(place: Place, from?: readonly Place[]): Promise<{ at: string }>;
    /** Ends the cut of a place; silent connections go on where they were, if both ends still wait. */
    heal(place: Place): Promise<{ at: string }>;
    /** Stops every process of a site where it is, and lets them go on: connections stay open and silent. */
    pause(site: SiteName): Promise<{ at: string }>;
    resume(site: SiteName): Promise<{ at: string }>;
    /** Who has tried to reach a lost region, or one that is cut off, since. */
    attempts(): Promise<Attempt[]>;
    /** Calls a daemon over its control socket. */
    control(daemon: "gate" | "dns" | "replicator", method: string, path: string, body?: unknown): Promise<unknown>;
    status(): Promise<SandboxStatus>;
    /** Ends it, with every process in it. Its directory stays, for its logs, until the next sandbox of the name. */
    stop(): Promise<void>;
}

export interface StartOptions {
    /** @default "default" */
    readonly name?: string;
    readonly estate: Estate;
    /** The repository to copy. */
    readonly source: string;
    /** Divides the intervals of health checkers and the TTL that the resolver answers with. @default 1 */
    readonly fast?: number;
    /** Whether each site has a Kubernetes cluster: tests of what needs a network and AWS alone do without. @default true */
    readonly clusters?: boolean;
    /** Leaves it standing when this process ends. @default false */
    readonly detached?: boolean;
    /** Told of progress, one line at a time. */
    note?(line: string): void;
    /** Ends the start early; what was started is stopped. */
    readonly signal?: AbortSignal;
}

/** Where every sandbox of this person lies. */
export const sandboxesDirectory = () => join(process.env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "lifeboat", "sandboxes");
const directoryOf = (name: string) => join(sandboxesDirectory(), name);

/**
 * Starts a sandbox and waits until all of it serves. What a killed one of the same name left behind is cleaned away.
 * @throws Failure("prerequisite") without root, or without a tool that it needs; Failure("refused") while one of the name stands.
 */
export async function startSandbox(options: StartOptions): Promise<Sandbox> {
    const { estate, source, fast = 1, clusters = true, name = "default", detached = false, note = () => {} } = options;
    checkPrerequisites();
    if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name))
        throw new Failure("usage", `"${name}" cannot name a sandbox`, "use up to 31 lower-case letters, digits and dashes");
    const directory = directoryOf(name);
    if (supervisorPid(directory)) throw inUse(name, declarationIn(directory));
    for (const site of siteNames) await new Cgroup(name, site).remove();
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(join(directory, "logs"), { recursive: true, mode: 0o755 });

    const declaration: SandboxDeclaration = { name, source, estate, fast, clusters, tied: !detached };
    writeFileSync(join(directory, "sandbox.json"), JSON.stringify(declaration, undefined, 2));
    writeFileSync(join(directory, "resolv.conf"), `nameserver ${resolverAddress}\noptions timeout:1 attempts:3\n`);
    const regions = Object.values(regionsOf(estate));
    await makeAuthority(directory, { regions, domain: estate.domain });
    const checkout = join(directory, "checkout");
    copyCheckout(source, checkout);
    const { bin, env } = prepareEngine({ directory, checkout });
    writeFileSync(join(directory, "engine.json"), JSON.stringify(env));
    writeFileSync(join(bin, "lifeboat"), `#!/bin/sh\nexec "${tools.node}" "${checkout}/scripts/main.ts" "$@"\n`, { mode: 0o755 });

    const log = openSync(join(directory, "logs", "supervisor.log"), "a");
    const here = dirname(fileURLToPath(import.meta.url));
    const namespace = ["--net", "--mount", "--pid", "--fork", "--kill-child=KILL"];
    const child = spawn("unshare", [...namespace, "sh", join(here, "namespace.sh"), directory, tools.node, join(here, "supervisor.ts")], {
        detached: true,
        stdio: [detached ? "ignore" : "pipe", log, log],
    });
    let ended: string | undefined;
    child.on("error", (error) => (ended = error.message));
    child.on("exit", (code, signal) => (ended = `supervisor ended (${signal ?? `code ${code}`})`));
    // Its life hangs on our end of the pipe, not on our event loop.
    child.unref();
    (child.stdin as { unref?(): void } | null)?.unref?.();

    const sandbox = attached(name, declaration);
    try {
        await untilUp(sandbox, () => ended ?? options.signal?.reason, note);
        writeStackConfig(directory, checkout);
    } catch (error) {
        await sandbox.stop();
        throw error;
    }
    return sandbox;
}

/** @throws Failure("unavailable") when no sandbox of the name stands. */
export function attach(name = "default"): Sandbox {
    const directory = directoryOf(name);
    if (!supervisorPid(directory))
        throw new Failure(
            "unavailable",
            `no sandbox ${name} stands`,
            `run \`./lifeboat sandbox up${name === "default" ? "" : ` --name ${name}`}\``,
        );
    return attached(name, declarationIn(directory));
}

const declarationIn = (directory: string) => JSON.parse(readFileSync(join(directory, "sandbox.json"), "utf8")) as SandboxDeclaration;

/** One that is tied ends with what started it: somebody's rehearsal, benchmark or test, and not ours to end. */
const inUse = (name: string, { tied }: SandboxDeclaration): Failure =>
    tied
        ? new Failure(
              "refused",
              `sandbox ${name} is in use: what started it, a rehearsal or the like, still runs in it`,
              "choose another --name, or wait until it has ended",
          )
        : new Failure(
              "refused",
              `sandbox ${name} is up already`,
              `choose another --name; or, if nobody needs it any more, run \`./lifeboat sandbox down --name ${name}\` first`,
          );

function attached(name: string, declaration: SandboxDeclaration): Sandbox {
    const directory = directoryOf(name);
    const checkout = join(directory, "checkout");
    const engine = JSON.parse(readFileSync(join(directory, "engine.json"), "utf8")) as Record<string, string>;
    const env = sandboxEnvironment({ name, directory, estate: declaration.estate, engine });
    const control = (socket: string, method: string, path: string, body?: unknown, limit?: number) =>
        callControl(join(directory, `${socket}.sock`), method, path, body, limit);
    const status = async () => (await control("control", "GET", "/status")) as SandboxStatus;
    /** Changes the network, and tells AWS's stand-ins what follows from it for what they do between regions. */
    const network = async (method: string, path: string, body: unknown, limit = 60_000): Promise<{ at: string }> => {
        const changed = (await control("control", method, path, body, limit)) as { at: string };
        const { gate, replicator } = withoutRegions(await status(), declaration.estate);
        await Promise.all([control("gate", "PUT", "/refuse", gate), control("replicator", "PUT", "/", replicator)]);
        return changed;
    };
    return {
        name,
        directory,
        checkout,
        estate: declaration.estate,
        env,
        exec(command, { actor = "operator", cwd = checkout, env: more, execa: rest } = {}) {
            const pid = supervisorPid(directory);
            if (!pid) throw new Failure("unavailable", `sandbox ${name} is gone`, `see ${join(directory, "logs", "supervisor.log")}`);
            const [file, ...args] = enter(pid, actor, cwd, command);
            const child = execa(file!, args, { ...rest, extendEnv: false, env: { ...neutral(process.env), ...env, ...more } });
            child.kill = ((signal: NodeJS.Signals | number = "SIGTERM") => signalInner(child.pid ?? 0, signal)) as typeof child.kill;
            return child;
        },
        lose: (site) => network("POST", "/lose", { site }),
        restore: (site) => network("POST", "/restore", { site }, 300_000),
        cut: (place, from = otherPlaces(place)) => network("PUT", "/cut", { place, from }),
        heal: (place) => network("PUT", "/cut", { place, from: [] }),
        pause: (site) => network("POST", "/pause", { site }),
        resume: (site) => network("POST", "/resume", { site }),
        attempts: async () => (await control("control", "GET", "/attempts")) as Attempt[],
        control,
        status,
        stop: () => stopSandbox(name),
    };
}

async function stopSandbox(name: string): Promise<void> {
    const directory = directoryOf(name);
    const pid = supervisorPid(directory);
    if (!pid) return;
    await callControl(join(directory, "control.sock"), "POST", "/stop").catch(() => process.kill(pid, "SIGTERM"));
    try {
        await until(`sandbox ${name} to stop`, 5000, () => !supervisorPid(directory));
    } catch {
        // Its first process takes all others with it.
        process.kill(pid, "SIGKILL");
        await until(`sandbox ${name} to be killed`, 5000, () => !supervisorPid(directory));
    }
    for (const site of siteNames) await new Cgroup(name, site).remove();
}

/** Follows the start, noting each daemon as it gets ready. */
async function untilUp(sandbox: Sandbox, ended: () => unknown, note: (line: string) => void): Promise<void> {
    const noted = new Set<string>();
    for (const limit = Date.now() + 400_000; Date.now() < limit; await sleep(50)) {
        const end = ended();
        const log = join(sandbox.directory, "logs", "supervisor.log");
        if (end)
            throw new Failure(
                "unavailable",
                `the sandbox did not start: ${end instanceof Error ? end.message : end}\n${tail(log)}`,
                `see ${dirname(log)}`,
            );
        // Not there before the network is built.
        const status = existsSync(join(sandbox.directory, "control.sock")) ? await sandbox.status().catch(() => undefined) : undefined;
        for (const daemon of status?.daemons ?? [])
            if (daemon.state === "ready" && !noted.has(daemon.name)) {
                noted.add(daemon.name);
                note(`${daemon.name} ready after ${((daemon.took ?? 0) / 1000).toFixed(1)} s`);
            }
        if (status?.phase === "up") return;
        if (status?.phase === "failed")
            throw new Failure("unavailable", `the sandbox did not start: ${status.error}`, `see ${dirname(log)}`);
    }
    throw new Failure("unavailable", "the sandbox was not up after 400 s", `see ${join(sandbox.directory, "logs")}`);
}

function checkPrerequisites(): void {
    if (process.getuid?.() !== 0)
        throw new Failure(
            "prerequisite",
            "a sandbox needs root: it makes network namespaces, and database servers that run as users of their own",
            `sudo -E env PATH="$PATH" ./lifeboat ${process.argv.slice(2).join(" ")}`,
        );
    cgroupRoot();
    for (const [program, debian] of Object.entries({
        ip: "iproute2",
        nft: "nftables",
        unshare: "util-linux",
        nsenter: "util-linux",
        setpriv: "util-linux",
        git: "git",
        openssl: "openssl",
    }))
        try {
            execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
        } catch {
            throw new Failure("prerequisite", `${program} is not there`, `apt-get install --no-install-recommends ${debian}`);
        }
}
