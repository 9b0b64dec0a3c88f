import { join } from "node:path";
import pg from "pg";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { startPostgres } from "../../support/servers.ts";
import type { Harness } from "./store.ts";

async function within<Result>({ socketDirectory, host, ...server }: ServerAddress, work: (client: pg.Client) => Promise<Result>) {
    const client = new pg.Client({ ...server, host: socketDirectory ?? host });
    await client.connect();
    try {
        return await work(client);
    } finally {
        await client.end();
    }
}

export const postgres: Harness = {
    kind: "postgres",
    copier: "pg_basebackup",
    async start() {
        const running = await startPostgres();
        const server = { host: running.host, port: running.port, user: "postgres", password: running.rootPassword, database: "postgres" };
        return { server: { ...server, socketDirectory: running.directory }, data: join(running.directory, "data"), stop: running.stop };
    },
    run: (server, statements) =>
        within(server, async (client) => {
            for (const statement of statements) await client.query(statement);
        }),
    rows: (server, sql) =>
        within(server, async (client) => {
            const found = await client.query<unknown[]>({ text: sql, rowMode: "array" });
            return found.rows.map((row) => row.map((value) => (Buffer.isBuffer(value) ? value.toString("hex") : String(value))));
        }),
    maintenance: "postgres",
    databases: "SELECT datname FROM pg_database",
    rounds: false,
    createMixed: "CREATE TABLE mixed (n int primary key, s text, b bytea, d numeric(30,6), at timestamp(6), f real)",
    bytes: (value) => `'\\x${value.toString("hex")}'::bytea`,
    fillMany: (rows) => [
        "CREATE TABLE many (n int primary key, s varchar(100))",
        `INSERT INTO many SELECT n, 'row ' || n || ' ' || md5(n::text) FROM generate_series(1, ${rows}) AS n`,
    ],
    objects: [
        "CREATE TABLE parent (n int primary key, doubled int)",
        "CREATE TABLE child (n int primary key, of int REFERENCES parent (n) ON DELETE CASCADE)",
        "CREATE FUNCTION double_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.doubled = NEW.n * 2; RETURN NEW; END'",
        "CREATE TRIGGER doubling BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION double_it()",
        "CREATE FUNCTION tripled(n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN n * 3",
        "CREATE VIEW seen AS SELECT p.n, p.doubled, tripled(p.n) AS three FROM parent p JOIN child c ON c.of = p.n",
        "INSERT INTO parent (n) VALUES (5)",
        "INSERT INTO child VALUES (1, 5)",
    ],
    useObjects: {
        run: ["INSERT INTO parent (n) VALUES (6)", "INSERT INTO child VALUES (2, 6)", "DELETE FROM parent WHERE n = 5"],
        rows: "SELECT n, doubled, three FROM seen",
        expect: [["6", "12", "18"]],
    },
};
