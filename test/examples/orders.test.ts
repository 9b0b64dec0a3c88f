import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2/promise";
import pg from "pg";
import { repository, startCommand, type Started } from "../support/cli.ts";
import { startMariadb, startPostgres, type Server } from "../support/servers.ts";

describe("the orders service, on real databases", function () {
    this.timeout(60_000);
    let mariadb: Server;
    let postgres: Server;
    let service: Started;
    let url: string;
    let admin: mysql.Connection;
    let client: pg.Client;

    before(async () => {
        [mariadb, postgres] = await Promise.all([startMariadb({ database: "orders" }), startPostgres({ database: "orders" })]);
        admin = await mysql.createConnection({ host: mariadb.host, port: mariadb.port, user: "root", password: mariadb.rootPassword });
        // Not root: read_only does not hold for an administrator.
        await admin.query(`CREATE USER app IDENTIFIED BY 'app-secret'`);
        await admin.query("GRANT ALL ON orders.* TO app");
        client = new pg.Client({
            host: postgres.host,
            port: postgres.port,
            user: "postgres",
            password: postgres.rootPassword,
            database: "orders",
        });
        await client.connect();
        await writeFile(join(mariadb.directory, "app-password"), "app-secret\n");
        await writeFile(join(postgres.directory, "app-password"), `${postgres.rootPassword}\n`);
        service = startCommand([process.execPath, join(repository, "examples/orders/server.ts")], {
            env: {
                HOST: "127.0.0.1",
                PORT: "0",
                MYSQL_HOST: mariadb.host,
                MYSQL_PORT: String(mariadb.port),
                MYSQL_USER: "app",
                MYSQL_PASSWORD_FILE: join(mariadb.directory, "app-password"),
                MYSQL_DATABASE: "orders",
                POSTGRES_HOST: postgres.host,
                POSTGRES_PORT: String(postgres.port),
                POSTGRES_USER: "postgres",
                POSTGRES_PASSWORD_FILE: join(postgres.directory, "app-password"),
                POSTGRES_DATABASE: "orders",
            },
        });
        for (let port; !port; await sleep(50)) {
            assert.equal(service.child.exitCode, null, service.said());
            port = /listening on (\d+)/.exec(service.said())?.[1];
            url = `http://127.0.0.1:${port}`;
        }
    });

    after(async () => {
        service?.child.kill("SIGKILL");
        await admin?.end();
        await client?.end();
        await Promise.all([mariadb?.stop(), postgres?.stop()]);
    });

    const place = (order: unknown) =>
        fetch(`${url}/orders`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(order) });
    const inMariadb = async (number: number) =>
        ((await admin.query("SELECT customer FROM orders.orders WHERE number = ?", [number]))[0] as { customer: string }[]).map(
            (r) => r.customer,
        );
    const inPostgres = async (number: number) =>
        (await client.query<{ customer: string }>("SELECT customer FROM orders WHERE number = $1", [number])).rows.map((r) => r.customer);

    it("says that it is healthy once both databases take writes, and has made its tables by then", async () => {
        assert.equal((await fetch(`${url}/health`)).status, 200);
        assert.deepEqual(await inMariadb(1), []);
        assert.deepEqual(await inPostgres(1), []);
    });

    it("acknowledges an order that both databases hold", async () => {
        const response = await place({ number: 1, customer: "ada" });
        assert.equal(response.status, 201);
        assert.deepEqual([await inMariadb(1), await inPostgres(1)], [["ada"], ["ada"]]);
        const found = (await (await fetch(`${url}/orders/1`)).json()) as { number: number; kept: { store: string; customer: string }[] };
        assert.deepEqual(
            found.kept.map(({ store, customer }) => [store, customer]),
            [
                ["mariadb", "ada"],
                ["postgres", "ada"],
            ],
        );
    });

    it("acknowledges a repeat of the same order, keeps one row, and refuses another customer's order of that number", async () => {
        assert.equal((await place({ number: 2, customer: "ada" })).status, 201);
        assert.equal((await place({ number: 2, customer: "ada" })).status, 201);
        assert.equal((await place({ number: 2, customer: "bob" })).status, 409);
        assert.deepEqual([await inMariadb(2), await inPostgres(2)], [["ada"], ["ada"]]);
    });

    it("refuses what is not an order", async () => {
        for (const order of [
            {},
            { number: 0, customer: "x" },
            { number: 1.5, customer: "x" },
            { number: 3, customer: "" },
            "text",
            { number: "3", customer: "x" },
        ])
            assert.equal((await place(order)).status, 400, JSON.stringify(order));
        assert.equal((await place({ number: 3, customer: "x".repeat(20_000) })).status, 400);
        assert.equal((await fetch(`${url}/orders/99`)).status, 404);
        assert.deepEqual(await inMariadb(3), []);
    });

    it("does not acknowledge, and is not healthy, while MariaDB is read-only; and is again afterwards", async () => {
        await admin.query("SET GLOBAL read_only = 1");
        try {
            assert.equal((await place({ number: 4, customer: "ada" })).status, 503);
            const response = await fetch(`${url}/health`);
            assert.deepEqual([response.status, await response.json()], [503, { mariadb: "read-only", postgres: "writable" }]);
        } finally {
            await admin.query("SET GLOBAL read_only = 0");
        }
        assert.deepEqual([await inMariadb(4), await inPostgres(4)], [[], []]);
        assert.equal((await fetch(`${url}/health`)).status, 200);
    });

    it("does not acknowledge an order that PostgreSQL did not take, and completes it when it is sent again", async () => {
        await client.query("ALTER SYSTEM SET default_transaction_read_only = on");
        await client.query("SELECT pg_reload_conf()");
        await sleep(300);
        try {
            assert.equal((await place({ number: 5, customer: "ada" })).status, 503);
            assert.equal((await fetch(`${url}/health`)).status, 503);
        } finally {
            await client.query("SET default_transaction_read_only = off");
            await client.query("ALTER SYSTEM RESET default_transaction_read_only");
            await client.query("SELECT pg_reload_conf()");
            await sleep(300);
        }
        assert.deepEqual([await inMariadb(5), await inPostgres(5)], [["ada"], []]);
        assert.equal((await place({ number: 5, customer: "ada" })).status, 201);
        assert.deepEqual([await inMariadb(5), await inPostgres(5)], [["ada"], ["ada"]]);
    });

    it("answers 503 in bounded time while a database is silent, and recovers by itself", async () => {
        process.kill(postgres.pid, "SIGSTOP");
        // The backends that serve the connections are processes of their own; new connections hang in the postmaster.
        await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'orders'");
        try {
            const started = performance.now();
            assert.equal((await place({ number: 6, customer: "ada" })).status, 503);
            assert.ok(performance.now() - started < 6000, `${performance.now() - started} ms`);
        } finally {
            process.kill(postgres.pid, "SIGCONT");
        }
        assert.equal((await place({ number: 6, customer: "ada" })).status, 201);
    });

    it("ends on SIGTERM, with everything that it began answered", async () => {
        service.child.kill("SIGTERM");
        const { code } = await service.ended;
        assert.equal(code, 0, service.said());
    });
});
