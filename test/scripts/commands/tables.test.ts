import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { lifeboat } from "../../support/cli.ts";
import { startMariadb, type Server } from "../../support/servers.ts";

describe("lifeboat tables", function () {
    this.timeout(60_000);
    let server: Server;
    let directory: string;
    before(async () => {
        server = await startMariadb({ database: "orders" });
        directory = mkdtempSync(join(tmpdir(), "lifeboat-tables-"));
        writeFileSync(join(directory, "root"), server.rootPassword);
        const connection = await mysql.createConnection({
            host: server.host,
            port: server.port,
            user: "root",
            password: server.rootPassword,
        });
        await connection.query("CREATE TABLE orders.people (id int PRIMARY KEY, name varchar(20))");
        await connection.query("INSERT INTO orders.people VALUES (1, 'Zoë'), (2, NULL)");
        await connection.query("CREATE TABLE orders.nobody (id int)");
        await connection.end();
    });
    after(async () => {
        await server.stop();
        rmSync(directory, { recursive: true, force: true });
    });
    const tables = (...argv: string[]) =>
        lifeboat(["tables", ...argv], { env: { LIFEBOAT_ACCOUNT: "123456789012", LIFEBOAT_PASSWORDS: directory } });

    it("counts and sums up every table, the empty ones too", async () => {
        const url = `mariadb://root@${server.host}:${server.port}/orders`;
        const { code, stdout, stderr } = await tables("orders-mysql", "--of", url, "--json");
        assert.equal(code, 0, stderr);
        const { store, tables: found } = JSON.parse(stdout) as {
            store: string;
            tables: { name: string; rows: number; checksum: string }[];
        };
        assert.equal(store, "orders-mysql");
        assert.deepEqual(
            found.map(({ name, rows }) => [name, rows]),
            [
                ["nobody", 0],
                ["people", 2],
            ],
        );
        assert.match(found[1]!.checksum, /^[1-9]\d+$/);
        const shown = await tables("orders-mysql", "--of", url);
        assert.match(shown.stdout, /^people +2 rows +\d+$/m);
    });
    it("says which store is unknown, and which server does not answer", async () => {
        assert.equal((await tables("nothing", "--of", "mariadb://root@127.0.0.1:1/orders")).code, 2);
        assert.equal((await tables("orders-mysql", "--of", "mariadb://root@127.0.0.1:1/orders")).code, 5);
    });
});
