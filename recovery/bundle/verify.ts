import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
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
import { readSignature } from "../evidence/signature-file.ts";
import { places } from "./contents.ts";
import { emptyMachine, run, type Machine } from "./empty-machine.ts";
import { getScript } from "./get-script.ts";
import { readReleases } from "./publish.ts";
import { reasonIn, toldBy } from "./told.ts";

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
        const empty = await emptyMachine(folder, estate, signal);
        const proofs: Proof[] = [];
        const prove = async (what: string, work: () => Promise<string> | string) => {
            const start = performance.now();
            const said = await work();
            const proof = { what, said, seconds: seconds((performance.now() - start) / 1000) };
            proofs.push(proof);
            note(proof);
        };
        await prove("fetched, checked and unpacked", () => getIt(empty, estate, account));
        const { root, bundle, manifest } = unpackedIn(empty.cwd);
        const machine: Proving = { ...empty, cwd: root, older: await bundleBefore(bundle, estate, account) };
        await prove("signed", () => vouchedFor(root, trusted));
        const own: Proving = { ...machine, env: { ...machine.env, ...bundleEnvironment(root, machine.env.PATH) } };
        // The launcher finds the rest by itself, as it does for a person.
        const lifeboat = (...args: string[]) => answer(machine, ["./lifeboat", ...args]);
        await prove("lifeboat starts", () => lifeboat("--version"));
        const read = async <T>(shape: z.ZodType<T>, ...args: string[]): Promise<T> => {
            const said = await lifeboat(...args, "--json");
            try {
                return shape.parse(JSON.parse(said));
            } catch (error) {
                throw broken(machine, `lifeboat ${args.join(" ")} --json in it says: ${said.slice(0, 200)}`, error);
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
    const path = join(root, places.manifest);
    const finding = checkSignature(readFileSync(path), readSignature(path), trusted);
    if (finding.state === "holds") return finding.fingerprint;
    throw new Failure(
        "no",
        `the bundle is whole, and nobody should start it: ${tellFinding(finding)}`,
        finding.state === "another key"
            ? "compare the fingerprint with the releaser's (`lifeboat evidence` there names it), then: --trusted FINGERPRINT"
            : "put a new one, where your key is: `lifeboat bundle`",
    );
}

/** What to take instead at 03:00, as `get.sh` finds it where a bundle is damaged. */
async function bundleBefore(bundle: string, estate: Estate, account: string): Promise<string | undefined> {
    const { bundles } = (await readReleases(estate, account))?.record ?? { bundles: [] };
    return bundles.find((other) => other.bundle !== bundle)?.bundle;
}

/** One that holds the bundle that is proved. */
interface Proving extends Machine {
    /** The bundle before it. */
    older: string | undefined;
}

function broken({ older }: Proving, what: string, cause?: unknown): Failure {
    const meanwhile = older === undefined ? "" : `take the one before it: end the runbook's command with \`| sh -s -- ${older}\`; and `;
    return new Failure(
        "no",
        `the bundle is whole, and ${what}`,
        `${meanwhile}mend what it says, then put a new bundle: \`lifeboat bundle\``,
        {
            cause,
        },
    );
}

async function answer(machine: Proving, command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(machine, command, { limit: limits.command });
    if (code === 0) return stdout.trim();
    throw broken(machine, `${command.map((word) => word.split("/").at(-1)).join(" ")} in it ends with ${code}: ${toldBy(stderr).message}`);
}

/** Starts a plugin as the engine does, with the engine's address: it says on which port it listens. */
async function startPlugin(machine: Proving, file: string): Promise<string> {
    const { cwd, env, signal } = machine;
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
            child.on("error", reject).on("close", (code) => reject(new Error(`it ended with ${code}: ${reasonIn(stderr)}`)));
        });
        if (!/^\d+\s/.test(said)) throw new Error(`it named no port: ${said}`);
        return `port ${said.trim()}`;
    } catch (error) {
        signal.throwIfAborted();
        // Without a cause, which would be told once more.
        throw broken(machine, `its plugin ${file.split("/").at(-1)} does not start: ${(error as Error).message}`);
    } finally {
        child.kill("SIGKILL");
    }
}
