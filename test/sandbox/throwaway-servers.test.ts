import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import mysql from "mysql2/promise";
import pg from "pg";
import { startMariadb, startPostgres } from "../../sandbox/throwaway-servers.ts";

const alive = (pid: number) => existsSync(`/proc/${pid}`);

describe("throw-away servers", function () {
    this.timeout(60_000);

    it("starts a MariaDB server that is not root's, answers with its password only, and is gone once stopped", async () => {
        const server = await startMariadb({ database: "orders" });
        try {
            const connection = await mysql.createConnection({
                host: server.host,
                port: server.port,
                user: "root",
                password: server.rootPassword,
                database: "orders",
            });
            await connection.query("CREATE TABLE t (n int primary key)");
            await connection.query("INSERT INTO t VALUES (7)");
            const [rows] = await connection.query("SELECT n, @@gtid_strict_mode AS gtid, @@log_bin AS log FROM t");
            assert.deepEqual(rows, [{ n: 7, gtid: 1, log: 1 }]);
            await connection.end();
            await assert.rejects(mysql.createConnection({ host: server.host, port: server.port, user: "root", password: "wrong" }));
        } finally {
            await server.stop();
        }
        assert.equal(alive(server.pid), false);
        assert.equal(existsSync(server.directory), false);
    });

    it("starts a PostgreSQL server alike", async () => {
        const server = await startPostgres({ database: "orders" });
        try {
            const settings = { host: server.host, port: server.port, user: "postgres", database: "orders" };
            const client = new pg.Client({ ...settings, password: server.rootPassword });
            await client.connect();
            const { rows } = await client.query("SELECT current_database() AS name, current_setting('wal_level') AS level");
            assert.deepEqual(rows, [{ name: "orders", level: "replica" }]);
            await client.end();
            await assert.rejects(new pg.Client({ ...settings, password: "wrong" }).connect(), /password/);
        } finally {
            await server.stop();
        }
        assert.equal(alive(server.pid), false);
        assert.equal(existsSync(server.directory), false);
    });

    it("says what a server said that does not start, and leaves nothing", async () => {
        await assert.rejects(startPostgres({ arguments: ["-c", "no_such_setting=1"] }), /no_such_setting/);
    });
});
