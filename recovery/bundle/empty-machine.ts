import { spawn } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { awsClients } from "../../backup/clients.ts";
import type { Estate } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { awsFailure } from "../answers.ts";

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

/** Where a command runs, and all that it is given. */
export interface Machine {
    cwd: string;
    env: Record<string, string> & { PATH: string };
    signal: AbortSignal;
}

/** An empty directory to work in, an empty HOME, and a PATH of links to what `get.sh` calls. */
export async function emptyMachine(folder: string, estate: Estate, signal: AbortSignal): Promise<Machine> {
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

interface Ran {
    code: number;
    stdout: string;
    stderr: string;
}

/** Runs a command to its end, whatever its exit code. @throws Failure "no" where it had not ended after `limit` ms */
export function run(
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
