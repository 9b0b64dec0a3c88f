/**
 * What these tests stand on: the real engine on a program of the test's own, moto, and a real Kubernetes API; all on loopback, all gone at the end.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { prepareEngine } from "../../../sandbox/engine/home.ts";
import { controlPlane, controlPlaneFiles } from "../../../sandbox/kubernetes/control-plane.ts";
import { tools } from "../../../sandbox/tools.ts";
import { freePort } from "../../support/free-port.ts";
import { startMoto, type Moto } from "../../support/moto.ts";

const repository = resolve(import.meta.dirname, "../../..");
const cleanups: (() => Promise<void>)[] = [];

/** Ends all that the tests of one file started. */
export async function cleanUp(): Promise<void> {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** Starts a server that dies with this process, and waits until it is ready. */
export async function start(
    command: readonly string[],
    ready: () => Promise<boolean>,
    env: Record<string, string> = {},
): Promise<ChildProcess> {
    const child = spawn("setpriv", ["--pdeathsig=KILL", "--", ...command], {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
        stream.on("data", (data: Buffer) => (output = (output + data.toString()).slice(-4000)));
    const ended = new Promise<void>((done) => child.once("close", () => done()));
    cleanups.push(async () => {
        child.kill("SIGKILL");
        await ended;
    });
    for (const limit = Date.now() + 60_000; !(await ready().catch(() => false)); await sleep(100)) {
        if (child.exitCode !== null) throw new Error(`${command[0]} ended with ${child.exitCode}:\n${output}`);
        if (Date.now() > limit) throw new Error(`${command[0]} is not ready after 60 s:\n${output}`);
    }
    return child;
}

/** A directory that goes with the test. */
export async function scratch(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), "lifeboat-providers-"));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    return directory;
}

/** An AWS account of the test's own. */
export async function startAccount(): Promise<Moto> {
    const moto = await startMoto();
    cleanups.push(() => moto.stop());
    return moto;
}

/** A real API server with etcd and the controllers, and no node: nothing that needs a pod to run becomes ready unless the test says so. */
export async function startCluster(): Promise<{ kubeconfig: string; env: Record<string, string> }> {
    const directory = await scratch();
    const [etcdPort, etcdPeer, api, controllers] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const options = {
        name: "standby",
        directory,
        address: "127.0.0.1",
        ports: { etcd: etcdPort, etcdPeer, api, controllers },
        serviceRange: "10.2.128.0/24",
    };
    for (const daemon of controlPlane(options)) await start(daemon.command, () => daemon.ready().then(() => true), daemon.env);
    const { kubeconfig } = controlPlaneFiles(directory);
    return { kubeconfig, env: { KUBECONFIG: kubeconfig } };
}

export interface Outcome {
    code: number | null;
    /** stdout and stderr as they came. */
    text: string;
    stdout: string;
}

/** A project of its own with a file backend, on the real engine with the stand-ins of this checkout. */
export class Workspace {
    readonly directory: string;
    readonly #env: Record<string, string>;

    private constructor(directory: string, env: Record<string, string>) {
        this.directory = directory;
        this.#env = env;
    }

    static async make(env: Record<string, string>): Promise<Workspace> {
        const directory = await scratch();
        const engine = prepareEngine({ directory: join(directory, "engine"), checkout: repository });
        const project = join(directory, "project");
        await mkdir(join(directory, "state"));
        await mkdir(project);
        await symlink(join(repository, "node_modules"), join(project, "node_modules"));
        await writeFile(join(project, "package.json"), '{"type":"module"}');
        await writeFile(
            join(project, "Pulumi.yaml"),
            "name: probe\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: index.js\n",
        );
        const workspace = new Workspace(project, {
            ...engine.env,
            PULUMI_BACKEND_URL: `file://${join(directory, "state")}`,
            PULUMI_CONFIG_PASSPHRASE: "test",
            ...env,
        });
        const made = await workspace.pulumi("stack", "init", "test");
        if (made.code !== 0) throw new Error(made.text);
        return workspace;
    }

    /** Takes a module of test/fixtures/providers as the program, or its text. */
    async program(source: string): Promise<void> {
        const text = source.endsWith(".js") ? await readFile(join(repository, "test/fixtures/providers", source), "utf8") : source;
        await writeFile(join(this.directory, "index.js"), text);
    }

    pulumi(...args: string[]): Promise<Outcome> {
        const child = spawn("pulumi", [...args, "--non-interactive", ...(process.env.PV ? ["-v=9", "--logtostderr"] : [])], {
            cwd: this.directory,
            env: { ...process.env, AWS_PROFILE: "", ...this.#env },
            stdio: ["ignore", "pipe", "pipe"],
        });
        let [text, stdout] = ["", ""];
        child.stdout.on("data", (data: Buffer) => ((text += data.toString()), (stdout += data.toString())));
        child.stderr.on("data", (data: Buffer) => (text += data.toString()));
        return new Promise((done, failed) => child.once("error", failed).once("close", (code) => done({ code, text, stdout })));
    }

    /** Runs a command that has to succeed. */
    async succeed(...args: string[]): Promise<Outcome> {
        const outcome = await this.pulumi(...args);
        if (outcome.code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${outcome.code}:\n${outcome.text}`);
        return outcome;
    }

    up = (): Promise<Outcome> => this.succeed("up", "--yes", "--skip-preview", "--stack", "test");
    preview = (...more: string[]): Promise<Outcome> => this.pulumi("preview", "--diff", "--stack", "test", ...more);
    destroy = (): Promise<Outcome> => this.succeed("destroy", "--yes", "--skip-preview", "--stack", "test");

    async outputs(): Promise<Record<string, unknown>> {
        return JSON.parse((await this.succeed("stack", "output", "--json", "--stack", "test")).stdout) as Record<string, unknown>;
    }

    async exported(): Promise<string> {
        return (await this.succeed("stack", "export", "--stack", "test")).stdout;
    }
}

export const haveTools = (): boolean => existsSync(join(tools.cache, "tools"));
