import { connect, createServer, type Socket } from "node:net";
import { Failure } from "../../model/failure.ts";
import { gateAddress } from "../../model/servers.ts";

/** Where the gate listens and what it stands in front of. */
export interface GateOptions {
    /** The pod's own address, and the port that clients know. */
    readonly listen: { readonly host: string; readonly port: number };
    /** The server's port on 127.0.0.1. */
    readonly server: number;
    /** Whether the server's answers may leave at this instant. Asked for every chunk, so it must be cheap and its clock monotonic. */
    passes(): boolean;
}

export interface Gate {
    readonly port: number;
    /** Clients that are connected. */
    sessions(): number;
    /** Ends every session at once; what a client has not received yet it never will. */
    drop(): void;
    close(): Promise<void>;
}

/** A vanished client is noticed after this many ms of silence, as the kernel's probes find. */
const keepAlive = 10_000;
/** A client that does not take the last of its answers is given up after this many ms. */
const lingering = 30_000;

/**
 * The one way to a store's server over the network. What the server says is passed on only at an instant at which it may be said: a process that was stopped for an hour
 * and goes on asks the clock before its next byte. So it does not depend on the server's being reached, or on a timer's being on time, that no write is acknowledged
 * after the lease has run out. What was handed to the kernel in time may arrive late, as on a slow network; and between the look at the clock and the system call that
 * follows there is an instant (microseconds) that no program can close.
 *
 * Sessions reach the server from `gateAddress`. Backpressure and half-closed connections are passed on.
 * @throws Failure("prerequisite") where it cannot listen there: somebody else does, or the address is not this machine's
 */
export async function startGate({ listen, server: port, passes }: GateOptions): Promise<Gate> {
    const sessions = new Map<Socket, Socket>();
    const listener = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAlive }, (client) => {
        if (!passes()) return void client.on("error", () => undefined).resetAndDestroy();
        const server = connect({ host: "127.0.0.1", port, localAddress: gateAddress, allowHalfOpen: true, noDelay: true });
        sessions.set(client, server);
        const end = () => {
            sessions.delete(client);
            client.resetAndDestroy();
            server.resetAndDestroy();
        };
        client.pipe(server);
        // Not a pipe: a chunk that waits in a stream's buffer would pass after it was asked about.
        server.on("data", (chunk: Buffer) => {
            if (!passes()) return end();
            if (!client.write(chunk)) server.pause();
        });
        client.on("drain", () => server.resume());
        server.on("end", () => {
            client.end();
            client.setTimeout(lingering, end);
        });
        client.on("error", end).on("close", () => {
            sessions.delete(client);
            if (!server.writableEnded) server.destroy();
        });
        server.on("error", end);
    });
    await new Promise<void>((resolve, reject) => listener.once("error", reject).listen(listen.port, listen.host, resolve)).catch(
        (error: NodeJS.ErrnoException) => {
            const where = `${listen.host}:${listen.port}`;
            const taken = error.code === "EADDRINUSE";
            throw new Failure(
                "prerequisite",
                taken ? `somebody listens on ${where} already` : `cannot listen on ${where}: ${error.message}`,
                taken
                    ? `see who it is, and end it: ss -ltnp 'sport = ${listen.port}'; a server beside a guard listens on 127.0.0.1 only`
                    : "LIFEBOAT_POD_ADDRESS is to be the pod's own address",
                { cause: error },
            );
        },
    );
    const drop = () => {
        for (const [client, server] of sessions) {
            client.resetAndDestroy();
            server.resetAndDestroy();
        }
        sessions.clear();
    };
    return {
        port: (listener.address() as { port: number }).port,
        sessions: () => sessions.size,
        drop,
        async close() {
            const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
            drop();
            await closed;
        },
    };
}
