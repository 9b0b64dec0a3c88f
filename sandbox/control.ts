import { rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";

/** Answers one call: what it returns is sent as JSON. */
export type Handler = (body: unknown, query: URLSearchParams) => unknown;

/**
 * HTTP and JSON on a unix socket: how a sandbox's daemons are told things. Whoever may open the socket's directory may call.
 * @param routes "METHOD /path" to handler; anything else is 404. A handler that throws answers 500 with `{ error }`.
 */
export async function serveControl(socket: string, routes: Readonly<Record<string, Handler>>): Promise<Server> {
    rmSync(socket, { force: true });
    const server = createServer((incoming, answer) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () => {
            void (async () => {
                const url = new URL(incoming.url ?? "/", "http://control");
                const handler = routes[`${incoming.method} ${url.pathname}`];
                const send = (status: number, document: unknown) => {
                    answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document ?? null));
                };
                if (!handler)
                    return send(404, { error: `no ${incoming.method} ${url.pathname}; there is ${Object.keys(routes).join(", ")}` });
                try {
                    const text = Buffer.concat(chunks).toString();
                    send(200, await handler(text ? JSON.parse(text) : undefined, url.searchParams));
                } catch (error) {
                    send(500, { error: (error as Error).message });
                }
            })();
        });
    });
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socket, resolve));
    return server;
}

/**
 * Calls a daemon over its unix socket.
 * @param limit in ms. @default 10000
 * @throws Error with the daemon's own words when it refuses or fails; ENOENT or ECONNREFUSED when it is not there.
 */
export function callControl(socket: string, method: string, path: string, body?: unknown, limit = 10_000): Promise<unknown> {
    return new Promise((resolve, reject) => {
        const outgoing = request(
            { socketPath: socket, method, path, agent: false, timeout: limit, headers: { "content-type": "application/json" } },
            (answer) => {
                const chunks: Buffer[] = [];
                answer.on("data", (chunk: Buffer) => chunks.push(chunk));
                answer.on("error", reject);
                answer.on("end", () => {
                    const text = Buffer.concat(chunks).toString();
                    if ((answer.statusCode ?? 500) >= 400)
                        return reject(new Error(`${method} ${path} on ${socket}: ${answer.statusCode} ${text}`));
                    if (/json/.test(answer.headers["content-type"] ?? "json")) return resolve(text ? JSON.parse(text) : undefined);
                    return resolve(text);
                });
            },
        );
        outgoing.on("timeout", () => outgoing.destroy(new Error(`${method} ${path} on ${socket}: no answer in ${limit / 1000} s`)));
        outgoing.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
}
