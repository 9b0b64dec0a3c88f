import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Seconds } from "../../model/units.ts";
import { timeBox } from "./time-box.ts";

export interface Delay {
    /** Milliseconds that an answer comes later, on average. */
    ms: number;
    /** At most so much more or less. */
    jitterMs: number;
}

/** More than this waiting for its time (bytes), and the sender is not read for a while. */
const mostWaiting = 1 << 20;

export interface Delayed {
    connections: number;
    /** Bytes of answers that came late. */
    bytes: number;
}

/**
 * Stands before servers and hands on what they answer later, in its order: what a slow network is to a client. Ends by itself.
 * @param to servers, as "10.1.0.7:3306"; taken in turn
 * @param draw from 0 to 1
 */
export async function delayAnswers(
    { to, listen, delay, span, draw }: { to: readonly string[]; listen: number; delay: Delay; span: Seconds; draw: () => number },
    signal: AbortSignal,
): Promise<Delayed> {
    using box = timeBox(span, signal);
    const sockets = new Set<Socket>();
    const result: Delayed = { connections: 0, bytes: 0 };
    const server = createServer((client) => {
        const [host = "", port = ""] = to[result.connections % to.length]!.split(":");
        result.connections += 1;
        const upstream = connect({ host, port: Number(port) });
        for (const socket of [client, upstream]) {
            sockets.add(socket);
            // A broken connection closes too: that is where it is handled.
            socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
        }
        client.on("close", () => upstream.destroy());
        client.pipe(upstream);
        late(upstream, client, delay, draw, (bytes) => (result.bytes += bytes));
    });
    server.listen(listen);
    await once(server, "listening");
    if (!box.over.aborted) await once(box.over, "abort");
    server.close();
    for (const socket of sockets) socket.destroy();
    return result;
}

/** Writes to `client` what `upstream` says, each piece after its delay and never before the piece that came before it. */
function late(upstream: Socket, client: Socket, { ms, jitterMs }: Delay, draw: () => number, count: (bytes: number) => void): void {
    let waiting = 0;
    let last = 0;
    const due: (() => void)[] = [];
    const after = (then: () => void) => {
        last = Math.max(last, performance.now() + ms + (draw() * 2 - 1) * jitterMs);
        due.push(then);
        // Timers of different lengths that end at once may fire in any order: each lets go of whatever is first.
        setTimeout(() => due.shift()?.(), last - performance.now());
    };
    upstream.on("data", (chunk: Buffer) => {
        waiting += chunk.length;
        count(chunk.length);
        if (waiting > mostWaiting) upstream.pause();
        after(() => {
            waiting -= chunk.length;
            if (!client.destroyed) client.write(chunk);
            if (waiting <= mostWaiting) upstream.resume();
        });
    });
    upstream.on("close", () => after(() => client.end()));
}
