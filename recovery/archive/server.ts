import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { TLSSocket } from "node:tls";
import { Failure } from "../../model/failure.ts";
import type { Copy } from "../../stores/physical.ts";
import { probeAfter, serverSide, type Identity } from "./channel.ts";
import { asciiJson, factsTrailer, failureTrailer, requests, told } from "./messages.ts";
import type { Turn } from "./turn.ts";

export interface ArchiveTools {
    readonly store: string;
    /** Address to listen on; port 0 takes a free one. */
    readonly listen: { readonly host: string; readonly port: number };
    password(identity: Identity): string;
    /** Takes a backup; what it returns is the report, as JSON. */
    backup(options: { signal: AbortSignal; note: (line: string) => void }): Promise<unknown>;
    /** Starts a full copy. What it made is removed by `done`. */
    copy(signal: AbortSignal): Promise<{ copy: Copy; done(): Promise<void> }>;
    readonly turn: Turn;
    note(line: string): void;
    readonly signal: AbortSignal;
    /** A peer that takes no byte for so long (ms) is given up. Default 2 min. */
    readonly silence?: number;
    /** While a backup has nothing to say, it says so this often (ms). Default 5 s. */
    readonly heartbeat?: number;
}

const may: Readonly<Record<string, readonly Identity[]>> = {
    [requests.backup]: ["backup", "root"],
    [requests.copy]: ["replication", "backup", "root"],
};

/** Serves copies of the server beside it to whoever proves with a password that it may have them. */
export async function serveArchive(tools: ArchiveTools): Promise<{ port: number; close(): Promise<void> }> {
    const { listen, note, store, silence = 120_000 } = tools;
    const side = serverSide(tools.password, note);
    const server = createServer(side.options, (request, response) => {
        const identity = side.identityOf(request.socket as TLSSocket);
        const asked = `${request.method} ${request.url}`;
        const allowed = may[asked];
        const refuse = (status: number, failure: Failure) =>
            response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(told(failure)));
        if (!allowed)
            return void refuse(404, new Failure("usage", `an archive is not asked ${asked}`, "ask with this release's `lifeboat`"));
        if (!identity || !allowed.includes(identity))
            return void refuse(
                403,
                new Failure("refused", `${identity ?? "nobody"} may not ask for ${asked}`, `${allowed.join(" and ")} may`),
            );
        answer(asked, identity, request, response).catch((error: Error) => {
            note(`${store}: the answer to ${asked} broke off: ${error.message}`);
            response.destroy();
        });
    });
    server.headersTimeout = 10_000;
    server.timeout = silence;
    server.on("secureConnection", (socket: TLSSocket) => socket.setKeepAlive(true, probeAfter));
    server.on("tlsClientError", (error, socket) =>
        note(`${store}: ${socket.remoteAddress ?? "somebody"} did not get in: ${error.message}`),
    );

    async function answer(asked: string, identity: Identity, request: IncomingMessage, response: ServerResponse): Promise<void> {
        request.resume();
        const what = `${asked === requests.backup ? "a backup" : "a copy"} for ${identity} at ${request.socket.remoteAddress}`;
        let held: Disposable;
        try {
            held = tools.turn.take(what);
        } catch (error) {
            response.writeHead(409, { "content-type": "application/json" }).end(JSON.stringify(told(error)));
            return;
        }
        using turn = held;
        void turn;
        const gone = new AbortController();
        response.on("close", () => {
            if (!response.writableFinished) gone.abort(new Error("whoever asked is gone"));
        });
        const signal = AbortSignal.any([tools.signal, gone.signal]);
        note(`${store}: ${what} begins`);
        const failed = await (asked === requests.backup ? sendBackup(tools, response, signal) : sendCopy(tools, response, signal));
        note(`${store}: ${what} ${failed === undefined ? "is done" : `failed: ${failed}`}`);
    }

    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(listen.port, listen.host, resolve));
    server.on("error", (error) => note(`${store}: the archive's server: ${error.message}`));
    return {
        port: (server.address() as AddressInfo).port,
        close: () =>
            new Promise((resolve) => {
                server.close(() => resolve());
                server.closeAllConnections();
            }),
    };
}

/** @returns why it failed */
async function sendBackup({ backup, note, heartbeat = 5_000 }: ArchiveTools, response: ServerResponse, signal: AbortSignal) {
    const say = (line: object) => void (response.writable && response.write(`${JSON.stringify(line)}\n`));
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.flushHeaders();
    const alive = setInterval(() => say({ alive: true }), heartbeat);
    try {
        const report = await backup({
            signal,
            note: (line) => {
                note(line);
                say({ note: line });
            },
        });
        response.end(`${JSON.stringify({ report })}\n`);
        return undefined;
    } catch (error) {
        const failure = told(error);
        if (response.writable) response.end(`${JSON.stringify({ failure })}\n`);
        return failure.message;
    } finally {
        clearInterval(alive);
    }
}

/** The stream, then its facts. What is cut off has neither an end nor facts. @returns why it failed */
async function sendCopy({ copy: start, silence = 120_000 }: ArchiveTools, response: ServerResponse, signal: AbortSignal) {
    let done: (() => Promise<void>) | undefined;
    try {
        const started = await start(signal);
        done = () => started.done();
        const { copy } = started;
        response.writeHead(200, { "content-type": "application/octet-stream", trailer: `${factsTrailer}, ${failureTrailer}` });
        response.flushHeaders();
        let bytes = 0;
        const counting = new Transform({
            transform(chunk: Buffer, _, next) {
                bytes += chunk.length;
                next(undefined, chunk);
            },
        });
        // The program has time to think as long as it lives: only a peer that takes nothing is silent.
        response.socket?.setTimeout(0);
        const stalled = watchStall(response, silence);
        try {
            await pipeline(copy.program.stdout, counting, response, { signal: AbortSignal.any([signal, stalled.signal]), end: false });
        } catch (error) {
            copy.program.kill();
            throw stalled.signal.aborted ? stalled.signal.reason : error;
        } finally {
            stalled.stop();
        }
        await copy.program.ended;
        response.addTrailers({ [factsTrailer]: asciiJson({ bytes, facts: await copy.facts() }) });
        response.end();
        return undefined;
    } catch (error) {
        const failure = told(signal.aborted ? signal.reason : error);
        if (!response.headersSent) response.writeHead(503, { "content-type": "application/json" }).end(JSON.stringify(failure));
        else if (response.writable) {
            response.addTrailers({ [failureTrailer]: asciiJson(failure) });
            response.end();
        }
        return failure.message;
    } finally {
        await done?.();
    }
}

/** Aborts when bytes wait for the peer and none of them leaves for `silence` ms. */
function watchStall(response: ServerResponse, silence: number): { signal: AbortSignal; stop(): void } {
    const controller = new AbortController();
    let sent = 0;
    let at = performance.now();
    const timer = setInterval(
        () => {
            const now = response.socket?.bytesWritten ?? 0;
            const left = now - (response.socket?.writableLength ?? 0);
            if (left !== sent || response.writableLength === 0) {
                sent = left;
                at = performance.now();
            } else if (performance.now() - at > silence) controller.abort(new Error(`the peer took no byte for ${silence / 1000} s`));
        },
        Math.min(1_000, silence / 4),
    );
    return { signal: controller.signal, stop: () => clearInterval(timer) };
}
