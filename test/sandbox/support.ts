import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { attach, startSandbox, type ExecOptions, type Sandbox } from "../../sandbox/sandbox.ts";
import { tools } from "../../sandbox/tools.ts";
import type { Operations } from "./inside.ts";
import { estate } from "../../stacks/estate.ts";
import { source } from "./source.ts";

const inside = fileURLToPath(new URL("inside.ts", import.meta.url));

/** Starts a sandbox of a test's own. */
export const ownSandbox = (name: string): Promise<Sandbox> => startSandbox({ name: `test-${name}-${process.pid}`, estate, source });

/** Ends a test's sandbox and takes its directory away. */
export async function endSandbox(sandbox: Sandbox): Promise<void> {
    await sandbox.stop();
    rmSync(sandbox.directory, { recursive: true, force: true });
}

/** A client inside a sandbox, with the address of an actor: what it is asked (inside.ts) it does there. */
export class Client {
    readonly pid: number;
    private readonly child: ReturnType<Sandbox["exec"]>;
    private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
    private next = 0;

    constructor(sandbox: Sandbox, actor: NonNullable<ExecOptions["actor"]> = "operator") {
        this.child = sandbox.exec([tools.node, inside], {
            actor,
            execa: { stdin: "pipe", stdout: "pipe", stderr: "inherit", buffer: false, reject: false },
        });
        this.pid = this.child.pid ?? -1;
        createInterface({ input: this.child.stdout! }).on("line", (line) => {
            const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
            const call = this.waiting.get(id);
            this.waiting.delete(id);
            if (error === undefined) call?.resolve(result);
            else call?.reject(new Error(error));
        });
        void this.child.then(() => {
            for (const { reject } of this.waiting.values()) reject(new Error("the client inside has ended"));
        });
    }

    /** Calls one of the operations of inside.ts. */
    do<Name extends keyof Operations>(name: Name, ...args: Parameters<Operations[Name]>): ReturnType<Operations[Name]> {
        const id = this.next++;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            this.child.stdin!.write(`${JSON.stringify({ id, name, args })}\n`);
        }) as ReturnType<Operations[Name]>;
    }

    async end(): Promise<void> {
        this.child.stdin!.end();
        await this.child;
    }
}

let shared: Promise<{ sandbox: Sandbox; client: Client }> | undefined;

/** A sandbox that stands already (`lifeboat sandbox up --name NAME`), to try tests on without waiting for one. */
const standing = process.env["LIFEBOAT_TEST_SANDBOX"];

/** Names that no other run of the tests has used. */
export const unique = (name: string): string => `${name}-${process.pid}`;

/** The sandbox of all tests that leave it standing; started by the first that asks. Objects of a test have a namespace of their own (`unique`). */
export function sharedSandbox(): Promise<{ sandbox: Sandbox; client: Client }> {
    return (shared ??= (async () => {
        const sandbox = standing ? attach(standing) : await ownSandbox("shared");
        return { sandbox, client: new Client(sandbox) };
    })());
}

after(async function () {
    this.timeout(20_000);
    if (!shared) return;
    const { sandbox, client } = await shared;
    await client.end();
    if (!standing) await endSandbox(sandbox);
});
