import { Writable } from "node:stream";
import { Exec, type KubeConfig, type V1Status } from "@kubernetes/client-node";

export interface ExecRequest {
    context: string;
    namespace: string;
    pod: string;
    container: string;
    command: string[];
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
export async function execIn(config: KubeConfig, { namespace, pod, container, command }: Omit<ExecRequest, "context">): Promise<string> {
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
