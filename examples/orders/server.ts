/**
 * The example service: takes orders and keeps each in two databases. It promises that an order which it acknowledged with 201 is committed in
 * both; whoever got no 201 may send the same order again.
 *
 *   POST /orders {"number": 7, "customer": "ada"}   201 kept in both · 400 · 409 another customer has that number · 503 not kept in both
 *   GET  /orders/7                                  200 · 404 · 503
 *   GET  /health                                    200 both databases take writes · 503
 *
 * Environment: PORT (default 8080), HOST (default 0.0.0.0), and for MYSQL and POSTGRES each: _HOST, _PORT (default 3306, 5432), _USER,
 * _PASSWORD_FILE, _DATABASE.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { openMariadb } from "./mariadb.ts";
import { openPostgres } from "./postgres.ts";
import { longestCustomer, type Connection } from "./store.ts";

/** Largest body (bytes) that an order may have. */
const largestBody = 10_000;

interface Answer {
    status: number;
    body: unknown;
}

function connection(prefix: string, defaultPort: number): Connection {
    const value = (name: string) => {
        const text = process.env[`${prefix}_${name}`];
        if (!text) throw new Error(`${prefix}_${name} is not set`);
        return text;
    };
    return {
        host: value("HOST"),
        port: Number(process.env[`${prefix}_PORT`] ?? defaultPort),
        user: value("USER"),
        password: readFileSync(value("PASSWORD_FILE"), "utf8").trim(),
        database: value("DATABASE"),
    };
}

const mariadb = openMariadb(connection("MYSQL", 3306));
const postgres = openPostgres(connection("POSTGRES", 5432));
const stores = [mariadb, postgres];

async function bodyOf(request: IncomingMessage): Promise<unknown> {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) {
        text += String(chunk);
        if (text.length > largestBody) return undefined;
    }
    try {
        return JSON.parse(text) as unknown;
    } catch {
        return undefined; // not JSON: answered with 400
    }
}

function asOrder(body: unknown): { number: number; customer: string } | undefined {
    if (typeof body !== "object" || body === null) return undefined;
    const { number, customer } = body as { number?: unknown; customer?: unknown };
    if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 1) return undefined;
    if (typeof customer !== "string" || customer === "" || customer.length > longestCustomer) return undefined;
    return { number, customer };
}

async function place(request: IncomingMessage): Promise<Answer> {
    const order = asOrder(await bodyOf(request));
    if (!order)
        return { status: 400, body: { error: `send {"number": a positive integer, "customer": 1 to ${longestCustomer} characters}` } };
    // In this order, and the second only after the first has committed: an order in one database alone was never acknowledged.
    for (const store of stores) {
        const kept = await store.put(order.number, order.customer);
        if (kept !== order.customer) return { status: 409, body: { error: `order ${order.number} is another customer's` } };
    }
    return { status: 201, body: order };
}

async function find(number: number): Promise<Answer> {
    const found = await Promise.all(stores.map(async (store) => ({ store: store.name, order: await store.get(number) })));
    const kept = found.flatMap(({ store, order }) => (order ? [{ store, ...order }] : []));
    if (kept.length === 0) return { status: 404, body: { error: `there is no order ${number}` } };
    return { status: 200, body: { number, kept } };
}

async function health(): Promise<Answer> {
    const states = await Promise.all(
        stores.map(async (store) => {
            try {
                return [store.name, (await store.writable()) ? "writable" : "read-only"] as const;
            } catch (error) {
                return [store.name, `unreachable: ${(error as Error).message}`] as const;
            }
        }),
    );
    const healthy = states.every(([, state]) => state === "writable");
    return { status: healthy ? 200 : 503, body: Object.fromEntries(states) };
}

async function answer(request: IncomingMessage): Promise<Answer> {
    const { pathname } = new URL(request.url ?? "/", "http://orders");
    const number = /^\/orders\/([1-9]\d{0,15})$/.exec(pathname)?.[1];
    if (request.method === "POST" && pathname === "/orders") return place(request);
    if (request.method === "GET" && pathname === "/health") return health();
    if (request.method === "GET" && number !== undefined) return find(Number(number));
    return { status: 404, body: { error: "there are POST /orders, GET /orders/NUMBER and GET /health" } };
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let result: Answer;
    try {
        result = await answer(request);
    } catch (error) {
        console.error(`${request.method} ${request.url}: ${(error as Error).message}`);
        result = { status: 503, body: { error: "a database did not take it; send it again" } };
    }
    response.writeHead(result.status, { "content-type": "application/json" }).end(`${JSON.stringify(result.body)}\n`);
}

const server = createServer((request, response) => void respond(request, response));
server.listen(Number(process.env["PORT"] ?? 8080), process.env["HOST"] ?? "0.0.0.0", () => {
    const address = server.address();
    console.log(`orders: listening on ${typeof address === "object" ? address?.port : address}`);
});

process.once("SIGTERM", () => {
    // What was begun is answered; then the pod may go.
    server.close(() => void Promise.allSettled(stores.map((store) => store.close())).then(() => process.exit(0)));
    server.closeIdleConnections();
});
