import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey } from "@aws-sdk/client-s3";
import { parse } from "yaml";
import { z } from "zod";
import { awsClients } from "../backup/clients.ts";
import type { Estate } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import { names, stateBackend } from "../model/names.ts";
import { awsFailure } from "./answers.ts";

/** Where the state of both stacks lies: the standby's bucket. An S3 endpoint of the standard AWS environment is honoured. */
export function backendUrl(estate: Estate, account: string): string {
    const endpoint = process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"];
    const url = stateBackend(estate, account);
    return endpoint === undefined ? url : `${url}&${new URLSearchParams({ endpoint, use_path_style: "true" })}`;
}

/** The key that encrypts the stacks' secrets, as Pulumi writes it: no passphrase. */
export const secretsProvider = (estate: Estate, account: string): string =>
    `awskms://${names(estate, account).stateKeyAlias}?region=${estate.sites.standby.region}`;

/** A stack's state as `pulumi stack export` gives it, as far as an activation reads it; the rest is kept as it is. */
const deployment = z.looseObject({
    version: z.number(),
    deployment: z.looseObject({
        resources: z.array(z.looseObject({ urn: z.string(), type: z.string() })).default([]),
        pending_operations: z.array(z.looseObject({ resource: z.looseObject({ urn: z.string() }) })).default([]),
    }),
});
export type StackState = z.output<typeof deployment>;

/** The process of an update, as the lock that it took says. */
const stackLock = z
    .looseObject({ pid: z.int(), username: z.string(), hostname: z.string(), timestamp: z.string() })
    .transform(({ pid, username, hostname, timestamp }) => ({ pid, by: username, host: hostname, since: timestamp }));
export type StackLock = z.output<typeof stackLock>;

export interface RunOptions {
    /** Stops the command and all that it started. */
    signal?: AbortSignal;
    /** Each line that it says. */
    line?: (text: string) => void;
}

/** The Pulumi CLI on the standby's state. */
export interface Pulumi {
    /** Name of the project in Pulumi.yaml. */
    project: string;
    /** Runs `pulumi ARGS`, without a question; gives what it printed. @throws Failure with its last lines. */
    run(args: readonly string[], options?: RunOptions): Promise<string>;
    stacks(options?: RunOptions): Promise<string[]>;
    export(stack: string, options?: RunOptions): Promise<StackState>;
    import(stack: string, state: StackState, options?: RunOptions): Promise<void>;
    /** Whether somebody, alive or dead, holds the stack; what the lock says does not matter. */
    isLocked(stack: string): Promise<boolean>;
    /** Who that is. */
    lock(stack: string): Promise<StackLock | undefined>;
}

const leash = fileURLToPath(new URL("./leash.ts", import.meta.url));
/** Lines of a failed command that its Failure repeats. */
const lastLines = 15;

/**
 * Drives the `pulumi` on PATH in a checkout, on the standby's state. Nothing it starts outlives this process.
 * @param directory the folder of Pulumi.yaml
 * @throws Failure where Pulumi.yaml or the CLI is missing.
 */
export function pulumiIn(directory: string, estate: Estate, account: string): Pulumi {
    const region = estate.sites.standby.region;
    const project = projectName(directory);
    const env = {
        // The CLI asks whose process it is; a machine without a user database has no other answer.
        USER: "lifeboat",
        ...process.env,
        PULUMI_BACKEND_URL: backendUrl(estate, account),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        // The global STS endpoint lies in us-east-1, which may be what was lost.
        AWS_STS_REGIONAL_ENDPOINTS: "regional",
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
    };

    const run: Pulumi["run"] = async (args, { signal, line } = {}) => {
        signal?.throwIfAborted();
        const child = spawn(process.execPath, [leash, "pulumi", ...args, "--non-interactive", "--color", "never"], {
            cwd: directory,
            env,
            stdio: ["pipe", "pipe", "pipe"],
        });
        const letGo = () => child.stdin.end();
        child.stdin.on("error", () => undefined); // the child ended first
        signal?.addEventListener("abort", letGo, { once: true });
        try {
            const ended = once(child, "close") as Promise<[number | null]>;
            const last: string[] = [];
            const follow = async (stream: Readable) => {
                for await (const text of createInterface({ input: stream })) {
                    line?.(text);
                    last.push(text);
                    if (last.length > lastLines) last.shift();
                }
            };
            const printed: Buffer[] = [];
            child.stdout.on("data", (chunk: Buffer) => printed.push(chunk));
            await Promise.all([follow(child.stdout), follow(child.stderr), ended]);
            signal?.throwIfAborted();
            const [code] = await ended;
            if (code === 0) return Buffer.concat(printed).toString("utf8");
            throw commandFailure(args, code, last);
        } finally {
            signal?.removeEventListener("abort", letGo);
            letGo();
        }
    };

    const { s3 } = awsClients(region);
    const Bucket = names(estate, account).stateBucket;
    /** Where Pulumi's own backend keeps its locks, and what they say: pkg/backend/diy/lock.go. */
    const lockKey = async (stack: string): Promise<string | undefined> => {
        const Prefix = `.pulumi/locks/organization/${project}/${stack}/`;
        try {
            return (await s3.send(new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1 }))).Contents?.[0]?.Key;
        } catch (error) {
            throw awsFailure(error, `looking for locks of ${stack} in ${Bucket}`);
        }
    };

    return {
        project,
        run,
        async stacks(options) {
            const listed = z.array(z.looseObject({ name: z.string() })).parse(JSON.parse(await run(["stack", "ls", "--json"], options)));
            return listed.map(({ name }) => name.split("/").at(-1) ?? name);
        },
        async export(stack, options) {
            return deployment.parse(JSON.parse(await run(["stack", "export", "-s", stack], options)));
        },
        async import(stack, state, options) {
            // Secrets in it are ciphertext, as they came from the export; it is for this user's eyes all the same.
            const folder = mkdtempSync(join(tmpdir(), "lifeboat-"));
            try {
                const file = join(folder, "state.json");
                writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
                await run(["stack", "import", "-s", stack, "--file", file], options);
            } finally {
                rmSync(folder, { recursive: true, force: true });
            }
        },
        isLocked: async (stack) => (await lockKey(stack)) !== undefined,
        async lock(stack) {
            const Key = await lockKey(stack);
            if (Key === undefined) return undefined;
            try {
                const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
                return stackLock.parse(JSON.parse((await Body?.transformToString()) ?? ""));
            } catch (error) {
                if (error instanceof NoSuchKey) return undefined; // it was given back in between
                throw awsFailure(error, `reading the lock of ${stack} in ${Bucket}`);
            }
        },
    };
}

function projectName(directory: string): string {
    try {
        return z.looseObject({ name: z.string() }).parse(parse(readFileSync(join(directory, "Pulumi.yaml"), "utf8"))).name;
    } catch (error) {
        throw new Failure("usage", `no Pulumi project in ${directory}`, "run this in the checkout, where Pulumi.yaml lies", {
            cause: error,
        });
    }
}

function commandFailure(args: readonly string[], code: number | null, last: readonly string[]): Failure {
    const command = `pulumi ${args.slice(0, 4).join(" ")}`;
    if (code === 127)
        return new Failure("prerequisite", `pulumi does not start: ${last.join(" ")}`, "install the Pulumi CLI, or run `lifeboat setup`");
    const said = last.filter((text) => text.trim() !== "").map((text) => `\n    ${text}`);
    return new Failure(
        "unavailable",
        `${command} ended with ${code ?? "a signal"}:${said.join("")}`,
        "mend what it says, then repeat the command",
    );
}
