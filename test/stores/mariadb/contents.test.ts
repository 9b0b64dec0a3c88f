import assert from "node:assert/strict";
import { dirname } from "node:path";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { connectMariadb } from "../../../stores/mariadb/client.ts";
import { physical } from "../../../stores/mariadb/physical.ts";
import { startMariadb, type Server } from "../../support/servers.ts";
import { query } from "./asked.ts";
import { never, superuser } from "../support/copied.ts";

describe("what a MariaDB server holds", function () {
    this.timeout(120_000);
    let server: Server;
    let root: ServerAddress;
    before(async () => {
        server = await startMariadb({
            database: "shop",
            arguments: ["--default-time-zone=+05:00", "--sql-mode=ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH"],
        });
        root = superuser(server, "root", dirname(server.socket), "shop");
    });
    after(async () => {
        await server?.stop();
    });

    const relation = async (table: string) => {
        const { relations } = (await physical.contents(root, never, { database: "shop", table }))!;
        assert.equal(relations.length, 1, table);
        return relations[0]!;
    };
    /** Checksum of a table with these rows. */
    async function sum(columns: string, ...rows: string[]): Promise<string> {
        await query(root, "DROP TABLE IF EXISTS t", `CREATE TABLE t (${columns})`, ...rows.map((row) => `INSERT INTO t VALUES ${row}`));
        const { rows: counted, checksum } = await relation("t");
        assert.equal(counted, rows.length);
        return checksum;
    }

    const differing: readonly (readonly [columns: string, one: string, other: string])[] = [
        ["a varchar(9), b varchar(9)", "('ab', 'c')", "('a', 'bc')"],
        ["a varchar(9), b varchar(9)", "('', NULL)", "(NULL, '')"],
        ["a varchar(9), b varchar(9)", "('-', '')", "(NULL, '')"],
        ["a varchar(9)", "('a')", "('A')"],
        ["a varchar(9)", "('a')", "('a ')"],
        ["a float", "(16777215)", "(16777216)"],
        ["a float", "(1.2345678)", "(1.2345679)"],
        ["a double", "(0.1)", "(0.10000000000000002)"],
        ["a double(20, 1)", "(9007199254740991)", "(9007199254740990)"],
        ["a decimal(40, 20)", "(1.00000000000000000001)", "(1.00000000000000000002)"],
        ["a bigint unsigned", "(18446744073709551615)", "(18446744073709551614)"],
        ["a bit(64)", "(1)", "(256)"],
        ["a enum('', 'x')", "('')", "('x')"],
        ["a set('x', 'y')", "('x')", "('x,y')"],
        ["a datetime(6)", "('2026-01-01 00:00:00.000001')", "('2026-01-01 00:00:00.000002')"],
        ["a timestamp(6) NULL", "('2026-01-01 00:00:00.000001')", "('2026-01-01 00:00:00.000002')"],
        ["a time(3)", "('-00:00:00.001')", "('00:00:00.001')"],
        ["a varchar(9) CHARACTER SET latin1", "(0xe4)", "(0xe5)"],
        ["a varbinary(300)", "(0xff00)", "(0xff)"],
        ["a longblob", "(CONCAT(REPEAT('x', 100000), 'a'))", "(CONCAT(REPEAT('x', 100000), 'b'))"],
        ["a json", `('{"a":1}')`, `('{"a": 1}')`],
        ["a geometry", "(ST_GeomFromText('POINT(1 1)', 0))", "(ST_GeomFromText('POINT(1 1)', 4326))"],
        ["a inet6", "('::1')", "('::2')"],
        ["a uuid", "('123e4567-e89b-12d3-a456-426655440000')", "('123e4567-e89b-12d3-a456-426655440001')"],
        ["a text COMPRESSED", "(REPEAT('x', 1000))", "(CONCAT(REPEAT('x', 999), 'y'))"],
    ];
    for (const [columns, one, other] of differing)
        it(`differs for ${one} and ${other} of ${columns}`, async () => {
            assert.notEqual(await sum(columns, one), await sum(columns, other));
            assert.equal(await sum(columns, one, other), await sum(columns, other, one));
            assert.notEqual(await sum(columns, one, one), await sum(columns, other, other));
        });

    it("differs when two rows swap the values of a column, thousands of times", async () => {
        const swapped = async (by: number) => {
            await query(root, "DROP TABLE IF EXISTS t", "CREATE TABLE t (a int, b int)");
            await query(root, `INSERT INTO t SELECT seq, (seq + ${by}) % 5000 FROM seq_0_to_4999`);
            return (await relation("t")).checksum;
        };
        assert.notEqual(await swapped(1), await swapped(2));
    });

    it("reads names with dots, backticks and quotes, tables without rows or key, and one of 500 columns", async () => {
        const names = ["a.b", "`", "n", "h", "total", "q", "COUNT(*)", '"', "'", " x", "row_start", "ä"];
        const many = Array.from({ length: 500 }, (_, n) => `c${n} varchar(8)`);
        const connection = await connectMariadb(root, "shop");
        try {
            await connection.query("SET NAMES utf8mb4");
            const quoted = names.map((name) => `\`${name.replaceAll("`", "``")}\``);
            await connection.query(`CREATE TABLE \`odd.\`\`name\` (${quoted.map((name) => `${name} varchar(9)`).join(", ")})`);
            await connection.query(`INSERT INTO \`odd.\`\`name\` VALUES (${names.map((_, index) => `'${index}'`).join(", ")})`);
            await connection.query("CREATE TABLE empty (n int)");
            await connection.query(`CREATE TABLE wide (${many.join(", ")})`);
            await connection.query(`INSERT INTO wide VALUES (${many.map((_, n) => (n % 3 ? `REPEAT('x', 8)` : "NULL")).join(", ")})`);
        } finally {
            connection.destroy();
        }
        assert.equal((await relation("odd.`name")).rows, 1);
        assert.deepEqual(await relation("empty"), { database: "shop", name: "empty", kind: "table", rows: 0, checksum: "0" });
        const before = await relation("wide");
        await query(root, "UPDATE wide SET c498 = 'y'");
        assert.notEqual((await relation("wide")).checksum, before.checksum);
    });

    it("counts invisible and stored columns, and leaves out what is computed by whoever reads", async () => {
        await query(
            root,
            "CREATE TABLE g (n int, i int INVISIBLE DEFAULT 1, s int AS (n + 1) STORED, v varchar(90) AS (CONCAT(n, CONNECTION_ID())) VIRTUAL)",
        );
        await query(root, "INSERT INTO g (n) VALUES (1)");
        const before = await relation("g");
        assert.deepEqual(await relation("g"), before);
        await query(root, "UPDATE g SET i = 2");
        assert.notEqual((await relation("g")).checksum, before.checksum);
    });

    it("has the history of versioned tables, by declared times and by numbers of transactions, and of partitions the sum", async () => {
        for (const period of ["timestamp(6)", "bigint unsigned"]) {
            await query(
                root,
                `CREATE OR REPLACE TABLE p (n int, s ${period} GENERATED ALWAYS AS ROW START, e ${period} GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME(s, e)) WITH SYSTEM VERSIONING`,
                "INSERT INTO p (n) VALUES (1), (2)",
                "DELETE FROM p WHERE n = 1",
            );
            const before = await relation("p");
            assert.equal(before.rows, 2);
            await query(root, "DELETE FROM p");
            assert.notEqual((await relation("p")).checksum, before.checksum, period);
        }
        await query(root, "CREATE TABLE parts (n int) PARTITION BY HASH (n) PARTITIONS 3", "INSERT INTO parts VALUES (1), (2), (3), (4)");
        assert.equal((await relation("parts")).rows, 4);
    });

    it("is the same for a table that is altered while it is read, or says nothing of it", async () => {
        await query(root, "CREATE OR REPLACE TABLE moving (n int)", "INSERT INTO moving SELECT seq FROM seq_1_to_50000");
        let going = true;
        const altering = (async () => {
            for (let n = 0; going; n++) await query(root, `ALTER TABLE moving ${n % 2 ? "DROP COLUMN m" : "ADD COLUMN m int DEFAULT 1"}`);
        })();
        try {
            const found = await physical.contents(root, never);
            if (found !== undefined) assert.equal(found.relations.find(({ name }) => name === "moving")?.rows, 50_000);
        } finally {
            going = false;
            await altering;
        }
    });

    it("names what no copy brings back", async () => {
        await query(
            root,
            "CREATE TABLE m (n int) ENGINE=MEMORY",
            "CREATE TABLE i (n int) ENGINE=MyISAM",
            "CREATE TABLE a (n int) ENGINE=Aria",
        );
        const { unprotected } = (await physical.contents(root, never, { database: "shop" }))!;
        assert.deepEqual(unprotected.map(({ name }) => name).sort(), ["shop.a", "shop.i", "shop.m"]);
    });

    it("has accounts and rights in its schema, and no counters", async () => {
        const schema = async () => (await physical.contents(root, never))!.schema;
        await query(root, "CREATE TABLE counted (n int AUTO_INCREMENT PRIMARY KEY)");
        const first = await schema();
        await query(root, "BEGIN", "INSERT INTO counted VALUES (DEFAULT)", "ROLLBACK");
        assert.equal(await schema(), first);
        let last = first;
        for (const statement of [
            "CREATE USER one@'%'",
            "GRANT SELECT (n) ON counted TO one@'%'",
            "CREATE ROLE two",
            "GRANT two TO one@'%'",
            "CREATE VIEW seen AS SELECT n FROM counted",
            "ALTER DATABASE shop COLLATE utf8mb4_bin",
            "CREATE TABLE fresh (n int)",
        ]) {
            await query(root, statement);
            const now = await schema();
            assert.notEqual(now, last, statement);
            last = now;
        }
    });
});
