/**
 * Runs inside a sandbox, inside a site's network: an application that writes row after row to the site's own server, and says of each that was acknowledged when it was sent and when
 * the answer came, in ms of the machine's monotonic clock. Until its standard input ends.
 */
import mysql from "mysql2/promise";
import pg from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import type { SiteName } from "../../../model/estate.ts";
import type { Engine } from "../../../sandbox/engines.ts";
import { monotonic } from "../../../sandbox/rehearsal/ledger.ts";

export interface WriterOptions {
    site: SiteName;
    kind: Engine;
    host: string;
    database: string;
    password: string;
    /** Of its first row: writers have numbers of their own. */
    first: number;
}

const { site, kind, host, database, password, first } = JSON.parse(process.argv[2]!) as WriterOptions;
/** A row that is not acknowledged by then is given up, and the connection with it, ms. */
const patience = 1500;
const pause = 15;

interface Connection {
    run(sql: string): Promise<unknown>;
    end(): void;
}
const connect: Record<Engine, () => Promise<Connection>> = {
    async mariadb() {
        const connection = await mysql.createConnection({ host, user: "app", password, database, connectTimeout: patience });
        connection.on("error", () => undefined); // the query that waits is told
        return { run: (sql) => connection.query({ sql, timeout: patience }), end: () => connection.destroy() };
    },
    async postgres() {
        const client = new pg.Client({ host, user: "app", password, database, connectionTimeoutMillis: patience, query_timeout: patience });
        client.on("error", () => undefined); // the query that waits is told
        await client.connect();
        return { run: (sql) => client.query(sql), end: () => void client.end().catch(() => undefined) };
    },
};

let over = false;
process.stdin.on("end", () => (over = true)).resume();
let connection: Connection | undefined;
for (let number = first; !over; number++) {
    try {
        if (!connection) {
            connection = await connect[kind]();
            await connection.run("CREATE TABLE IF NOT EXISTS ticks (number bigint PRIMARY KEY)").catch(() => undefined); // read-only: the row is refused too
        }
        const sentAt = monotonic();
        await connection.run(`INSERT INTO ticks (number) VALUES (${number})`);
        process.stdout.write(`${JSON.stringify({ site, sentAt, receivedAt: monotonic(), order: number })}\n`);
        await sleep(pause);
    } catch {
        // Refused, dropped or silent: whatever it is, an application tries again.
        connection?.end();
        connection = undefined;
        await sleep(pause * 4);
    }
}
process.exit(0);
