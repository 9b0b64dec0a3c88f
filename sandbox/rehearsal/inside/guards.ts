import { Writable } from "node:stream";
import { Exec, type KubeConfig, type V1Status } from "@kubernetes/client-node";
import { z } from "zod";

/** What `lifeboat guard STORE --status` prints. */
export const guardStatus = z.looseObject({
    role: z.enum(["writable", "read-only", "replica"]),
    lagSeconds: z.number().nullish(),
});
export type GuardStatus = z.output<typeof guardStatus>;

export interface GuardsRequest {
    context: string;
    namespace: string;
    stores: string[];
}

class Text extends Writable {
    readonly chunks: Buffer[] = [];
    override _write(chunk: Buffer, _encoding: string, done: () => void): void {
        this.chunks.push(chunk);
        done();
    }
    override toString(): string {
        return Buffer.concat(this.chunks).toString();
    }
}

/** Runs a command in a container and gives back what it printed. @throws Error with what it said on stderr when it failed. */
export async function execIn(config: KubeConfig, namespace: string, pod: string, container: string, command: string[]): Promise<string> {
    const out = new Text();
    const err = new Text();
    const status = await new Promise<V1Status>((resolve, reject) => {
        new Exec(config).exec(namespace, pod, container, command, out, err, null, false, resolve).then((socket) => {
            socket.on("error", reject);
            socket.on("close", () => reject(new Error(`the connection closed before ${command[0]} ended`)));
        }, reject);
    });
    if (status.status !== "Success") throw new Error(`${command.join(" ")} in ${pod}: ${status.message}: ${err.toString().trim()}`);
    return out.toString();
}

/** Asks the guard of each store's database how it stands. A guard that does not answer is in `failures`. */
export async function guards(
    config: KubeConfig,
    { namespace, stores }: GuardsRequest,
): Promise<{ statuses: Record<string, GuardStatus>; failures: Record<string, string> }> {
    const statuses: Record<string, GuardStatus> = {};
    const failures: Record<string, string> = {};
    await Promise.all(
        stores.map(async (store) => {
            try {
                const said = await execIn(config, namespace, `${store}-0`, "guard", ["lifeboat", "guard", store, "--status"]);
                statuses[store] = guardStatus.parse(JSON.parse(said));
            } catch (error) {
                failures[store] = (error as Error).message;
            }
        }),
    );
    return { statuses, failures };
}
