import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { tools } from "../../sandbox/tools.ts";
import { freePort } from "./free-port.ts";

/** Python imports a few hundred modules: seconds on an idle machine, a minute on one that runs everybody's tests (ms). */
const startLimit = 110_000;

export interface Moto {
    url: string;
    /** What a process needs to reach this account and no other. */
    env: Record<string, string>;
    stop(): Promise<void>;
}

/** An empty AWS account: the sandbox's moto, with its repairs, on a free port of 127.0.0.1. It dies with this process, however that ends. */
export async function startMoto(): Promise<Moto> {
    const port = await freePort();
    const program = fileURLToPath(new URL("../../sandbox/aws/moto/server.py", import.meta.url));
    const child = spawn("setpriv", ["--pdeathsig=KILL", "--", tools.motoPython, "-B", program, "-H", "127.0.0.1", "-p", String(port)], {
        stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(child, "close");
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
    const url = `http://127.0.0.1:${port}`;
    const stop = async () => {
        child.kill("SIGKILL");
        await ended;
    };
    for (const deadline = Date.now() + startLimit; ; await sleep(100)) {
        if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}: ${said}`);
        const answer = await fetch(`${url}/_sandbox/replication`).catch(() => undefined);
        await answer?.body?.cancel();
        if (answer?.ok === true) break;
        if (Date.now() < deadline) continue;
        await stop();
        throw new Error(`moto does not answer on ${url}: ${said}`);
    }
    const env = {
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: "AKIAOPERATOR000000000",
        AWS_SECRET_ACCESS_KEY: "any",
        AWS_REGION: "us-west-2",
        AWS_EC2_METADATA_DISABLED: "true",
    };
    return { url, env, stop };
}
