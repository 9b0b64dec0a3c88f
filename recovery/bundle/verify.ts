import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { z } from "zod";
import { awsClients } from "../../backup/clients.ts";
import { readText } from "../../backup/vault.ts";
import { bundleManifest, releaseKeys, type BundleManifest } from "../../model/bundle.ts";
import type { Estate } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { names } from "../../model/names.ts";
import { seconds, type Seconds } from "../../model/units.ts";
import { awsFailure } from "../answers.ts";
import { exitName } from "../cluster.ts";
import { checkSignature, tellFinding } from "../evidence/signature.ts";
import { places } from "./contents.ts";
import { getScript } from "./get-script.ts";

/** One thing that was seen to work, and how long it took. */
export interface Proof {
    what: string;
    /** What it said of itself, where that is of interest. */
    said: string;
    seconds: Seconds;
}

export interface Verified {
    /** Its id. */
    bundle: string;
    manifest: BundleManifest;
    /** As downloaded. */
    bytes: number;
    proofs: Proof[];
    /** From nothing to a program that answers. */
    seconds: Seconds;
}

/** What `get.sh` calls, and nothing more: no Node, no npm, no git, no Pulumi, no AWS CLI. */
const commands = [
    "sh",
    "cat",
    "chmod",
    "cp",
    "curl",
    "cut",
    "dirname",
    "grep",
    "gzip",
    "mkdir",
    "mv",
    "printf",
    "readlink",
    "rm",
    "sed",
    "sha256sum",
    "tail",
    "tar",
    "uname",
    "wc",
];
/** Of the environment only what leads to the account, and what this machine trusts. */
const passed = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "AWS_CA_BUNDLE",
    "LIFEBOAT_ACCOUNT",
];
/** In ms: getting it, and one command of it. */
const limits = { get: 20 * 60_000, command: 60_000 };

/**
 * Gets the present bundle as a person on an empty machine would: into an empty directory, with an empty HOME and hardly more than coreutils on PATH; checks
 * every hash on the way and who signed it, and only then starts what it brings. What the network reaches is the caller's affair: it is not narrowed here.
 * @param trusted fingerprints of the keys whose signature counts
 * @throws Failure "no" where the bundle is damaged, cut off, swapped, not signed by one who is trusted, or does not start; "prerequisite" where none was released
 */
export async function verifyBundle({
    estate,
    account,
    trusted,
    signal,
    note,
}: {
    estate: Estate;
    account: string;
    trusted: readonly string[];
    signal: AbortSignal;
    note: (proof: Proof) => void;
}): Promise<Verified> {
    const started = performance.now();
    const folder = mkdtempSync(join(tmpdir(), "lifeboat-empty-"));
    try {
        const machine = await emptyMachine(folder, estate, signal);
        const proofs: Proof[] = [];
        const prove = async (what: string, work: () => Promise<string> | string) => {
            const start = performance.now();
            const said = await work();
            const proof = { what, said, seconds: seconds((performance.now() - start) / 1000) };
            proofs.push(proof);
            note(proof);
        };
        await prove("fetched, checked and unpacked", () => getIt(machine, estate, account));
        const { root, bundle, manifest } = unpackedIn(machine.cwd);
        await prove("signed", () => vouchedFor(root, trusted));
        const own: Machine = { ...machine, cwd: root, env: { ...machine.env, ...bundleEnvironment(root, machine.env.PATH) } };
        // The launcher finds the rest by itself, as it does for a person.
        const lifeboat = (...args: string[]) => answer({ ...machine, cwd: root }, ["./lifeboat", ...args]);
        await prove("lifeboat starts", () => lifeboat("--version"));
        const read = async <T>(shape: z.ZodType<T>, ...args: string[]): Promise<T> => {
            const said = await lifeboat(...args, "--json");
            try {
                return shape.parse(JSON.parse(said));
            } catch (error) {
                throw broken(`lifeboat ${args.join(" ")} --json in it says: ${said.slice(0, 200)}`, error);
            }
        };
        await prove("it knows the plan", async () => (await read(planOf, "activate", "--plan")).plan.scenario);
        await prove("it reads the epoch in the standby", async () => {
            const { epoch, active } = await read(epochOf, "epoch");
            return `epoch ${epoch}, ${active} is active`;
        });
        await prove("pulumi starts", () => answer(own, ["pulumi", "version"]));
        for (const { name, version } of manifest.plugins)
            await prove(`the plugin ${name} ${version} starts`, () =>
                startPlugin(own, join(root, places.plugins, `resource-${name}-v${version}`, `pulumi-resource-${name}`)),
            );
        const bytes = manifest.layers.reduce((sum, layer) => sum + layer.bytes, 0);
        return { bundle, manifest, bytes, proofs, seconds: seconds((performance.now() - started) / 1000) };
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

const planOf = z.object({ plan: z.object({ scenario: z.string() }) });
const epochOf = z.object({ epoch: z.int(), active: z.string() });

interface Machine {
    cwd: string;
    env: Record<string, string> & { PATH: string };
    signal: AbortSignal;
}

/** An empty directory to work in, an empty HOME, and a PATH of links to what `get.sh` calls. */
async function emptyMachine(folder: string, estate: Estate, signal: AbortSignal): Promise<Machine> {
    const [cwd, home, bin] = ["work", "home", "bin"].map((name) => join(folder, name)) as [string, string, string];
    for (const directory of [cwd, home, bin]) mkdirSync(directory);
    for (const command of commands) {
        const found = (process.env["PATH"] ?? "")
            .split(delimiter)
            .map((directory) => join(directory, command))
            .find((path) => existsSync(path));
        if (found !== undefined) symlinkSync(found, join(bin, command));
    }
    const region = estate.sites.standby.region;
    const { accessKeyId, secretAccessKey, sessionToken } = await awsClients(region)
        .s3.config.credentials()
        .catch((error: unknown) => {
            throw awsFailure(error, "looking for credentials");
        });
    const surroundings = Object.fromEntries(passed.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
    const env = {
        ...surroundings,
        PATH: bin,
        HOME: home,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
        AWS_EC2_METADATA_DISABLED: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    return { cwd, env, signal };
}

/** What the launcher of a bundle sets (`lifeboat`, in the bundle's root). */
const bundleEnvironment = (root: string, path: string) => ({
    PATH: [join(root, places.bin), path].join(delimiter),
    PULUMI_HOME: join(root, places.plugins, ".."),
    LIFEBOAT_BUNDLE: root,
});

function unpackedIn(directory: string): { root: string; bundle: string; manifest: BundleManifest } {
    const root = join(directory, readdirSync(directory).find((name) => name.startsWith("lifeboat-")) ?? "");
    const text = readFileSync(join(root, places.manifest), "utf8");
    return { root, bundle: createHash("sha256").update(text).digest("hex"), manifest: bundleManifest.parse(JSON.parse(text)) };
}

/** Runs the bucket's own `get.sh`, as `aws s3 cp … - | sh` would. It is compared first: who can change it can change everything below it. */
async function getIt(machine: Machine, estate: Estate, account: string): Promise<string> {
    const { s3, region } = awsClients(estate.sites.standby.region);
    const bucket = names(estate, account).releaseBucket;
    const script = await readText(s3, bucket, releaseKeys.get).catch((error: unknown) => {
        throw awsFailure(error, `reading ${releaseKeys.get} in ${bucket} in ${region}`);
    });
    if (script === undefined) throw new Failure("prerequisite", `${bucket} holds no released bundle`, "run `lifeboat bundle`");
    if (script !== getScript(estate, account))
        throw new Failure(
            "no",
            `${releaseKeys.get} in ${bucket} is not that of this release`,
            "verify with the release that was put last; if you do, somebody changed it: put it again with `lifeboat bundle`",
        );
    const { code, stderr } = await run(machine, ["sh"], { input: script, limit: limits.get });
    if (code === 0) return "";
    const { message, next } = toldBy(stderr);
    throw new Failure(exitName(code), message, next);
}

/** Who signed the manifest, and with it every byte. @throws Failure "no" unless it is one who is trusted */
function vouchedFor(root: string, trusted: readonly string[]): string {
    const path = join(root, places.signature);
    const finding = checkSignature(
        readFileSync(join(root, places.manifest)),
        existsSync(path) ? readFileSync(path, "utf8") : undefined,
        trusted,
    );
    if (finding.state === "holds") return finding.fingerprint;
    throw new Failure(
        "no",
        `the bundle is whole, and nobody should start it: ${tellFinding(finding)}`,
        finding.state === "another key"
            ? "compare the fingerprint with the releaser's (`lifeboat evidence` there names it), then: --trusted FINGERPRINT"
            : "put a new one, where your key is: `lifeboat bundle`",
    );
}

/** Finds a message and its next step as `lifeboat` and `get.sh` write them. */
function toldBy(stderr: string): { message: string; next: string } {
    const [, message, next] = /(?:^|\n)lifeboat: ([^\n]*)\n {2}next: ([^\n]*)\s*$/.exec(stderr) ?? [];
    return { message: message ?? stderr.trim(), next: next ?? "mend what it says, then put a new bundle: `lifeboat bundle`" };
}

const broken = (what: string, cause?: unknown): Failure =>
    new Failure("no", `the bundle is whole, and ${what}`, "mend what it says, then put a new bundle: `lifeboat bundle`", { cause });

async function answer(machine: Machine, command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(machine, command, { limit: limits.command });
    if (code === 0) return stdout.trim();
    throw broken(`${command.map((word) => word.split("/").at(-1)).join(" ")} in it ends with ${code}: ${toldBy(stderr).message}`);
}

interface Ran {
    code: number;
    stdout: string;
    stderr: string;
}

function run(
    { cwd, env, signal }: Machine,
    [file = "", ...args]: readonly string[],
    { input = "", limit }: { input?: string; limit: number },
): Promise<Ran> {
    const { promise, resolve, reject } = Promise.withResolvers<Ran>();
    const child = spawn(file, args, {
        cwd,
        env,
        stdio: ["pipe", "pipe", "pipe"],
        signal: AbortSignal.any([signal, AbortSignal.timeout(limit)]),
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (stdout += data));
    child.stderr.on("data", (data: Buffer) => (stderr += data));
    child.on("error", (error) =>
        reject(
            signal.aborted || error.name !== "AbortError"
                ? error
                : new Failure(
                      "no",
                      `${file} had not ended after ${limit / 1000} s: ${stderr.trim()}`,
                      "see what it waits for, then verify again",
                  ),
        ),
    );
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
    child.stdin.on("error", () => undefined); // it ended before it had read all: its exit code tells
    child.stdin.end(input);
    return promise;
}

/** Starts a plugin as the engine does, with the engine's address: it says on which port it listens. */
async function startPlugin({ cwd, env, signal }: Machine, file: string): Promise<string> {
    accessSync(file, constants.X_OK);
    const child = spawn(file, ["127.0.0.1:1"], {
        cwd,
        env,
        stdio: ["ignore", "pipe", "pipe"],
        signal: AbortSignal.any([signal, AbortSignal.timeout(limits.command)]),
    });
    try {
        const said = await new Promise<string>((resolve, reject) => {
            let stderr = "";
            child.stderr.on("data", (data: Buffer) => (stderr += data));
            child.stdout.once("data", (data: Buffer) => resolve(data.toString()));
            child.on("error", reject).on("close", (code) => reject(new Error(`it ended with ${code}: ${stderr.trim()}`)));
        });
        if (!/^\d+\s/.test(said)) throw new Error(`it named no port: ${said}`);
        return `port ${said.trim()}`;
    } catch (error) {
        signal.throwIfAborted();
        throw broken(`its plugin ${file.split("/").at(-1)} does not start: ${(error as Error).message}`, error);
    } finally {
        child.kill("SIGKILL");
    }
}
