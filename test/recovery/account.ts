/**
 * A throw-away AWS account for a test: the sandbox's moto on a free port of 127.0.0.1. It dies with the test process, however that ends.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { tools } from "../../sandbox/tools.ts";

export const region = "us-west-2";
export const credentials = { accessKeyId: "AKIAOPERATOR000000000", secretAccessKey: "any" };

export interface Account {
    endpoint: string;
    s3: S3Client;
    /** What a process needs to reach this account and no other. */
    env: Record<string, string>;
    makeBucket(name: string): Promise<void>;
    stop(): Promise<void>;
}

async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    return port;
}

export async function startAccount(): Promise<Account> {
    const port = await freePort();
    const program = fileURLToPath(new URL("../../sandbox/aws/moto/server.py", import.meta.url));
    const command = ["--pdeathsig=KILL", "--", tools.motoPython, program, "-H", "127.0.0.1", "-p", String(port)];
    const child = spawn("setpriv", command, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
    const endpoint = `http://127.0.0.1:${port}`;
    for (const deadline = Date.now() + 60_000; ; await sleep(100)) {
        if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}: ${said}`);
        if (Date.now() > deadline) throw new Error(`moto does not answer on ${endpoint}: ${said}`);
        const answer = await fetch(`${endpoint}/moto-api/`).catch(() => undefined);
        await answer?.body?.cancel();
        if (answer?.ok === true) break;
    }
    const s3 = new S3Client({ region, endpoint, credentials, forcePathStyle: true });
    return {
        endpoint,
        s3,
        env: {
            AWS_ENDPOINT_URL: endpoint,
            AWS_ACCESS_KEY_ID: credentials.accessKeyId,
            AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
            AWS_REGION: region,
        },
        async makeBucket(name) {
            await s3.send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: region } }));
        },
        async stop() {
            s3.destroy();
            const ended = once(child, "exit");
            if (child.exitCode === null && child.kill("SIGKILL")) await ended;
        },
    };
}
