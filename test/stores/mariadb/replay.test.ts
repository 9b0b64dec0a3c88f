import assert from "node:assert/strict";
import { readdirSync, rmSync, truncateSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { connectMariadb } from "../../../stores/mariadb/client.ts";
import { covers } from "../../../stores/mariadb/position.ts";
import { physical } from "../../../stores/mariadb/physical.ts";
import { startMariadb, type Server } from "../../support/servers.ts";
import { Bench, copied, never, started, superuser } from "../support/copied.ts";
import { positionOf, query, receivedLog, sorted } from "./asked.ts";

/** What people do between a copy and the moment that they want back, one session each. */
const sessions: readonly (readonly string[])[] = [
    ["INSERT INTO price VALUES (1, 100)", "UPDATE price SET cents = 120", "DELETE FROM price", "INSERT INTO price VALUES (2, 5)"],
    [
        "CREATE USER reader@'%' IDENTIFIED BY 'pw'",
        "CREATE ROLE auditor",
        "GRANT SELECT ON shop.* TO auditor",
        "GRANT auditor TO reader@'%'",
    ],
    ["GRANT UPDATE (cents) ON shop.price TO reader@'%'", "SET PASSWORD FOR reader@'%' = PASSWORD('other')", "FLUSH PRIVILEGES"],
    ["CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM cache", "CREATE EVENT off ON SCHEDULE EVERY 1 HOUR DISABLE DO SELECT 1"],
    ["UPDATE cache SET n = 2", "INSERT INTO cache VALUES (3)", "DELETE FROM cache WHERE n = 3"],
    ["SET SESSION binlog_format = 'STATEMENT'", "INSERT INTO numbers (t) VALUES (RAND()), (NOW(6)), (CONNECTION_ID())"],
    ["SET SESSION binlog_format = 'STATEMENT'", "SET @@auto_increment_increment = 7", "INSERT INTO numbers (t) VALUES ('a'), ('b')"],
    ["SET SESSION binlog_format = 'STATEMENT'", "SET @x = 0xff00", "INSERT INTO numbers (t) VALUES (HEX(@x))"],
    ["INSERT INTO numbers (t) SELECT t FROM numbers", "CREATE TABLE made SELECT * FROM numbers", "CREATE TABLE empty LIKE made"],
    ["XA START 'x'", "INSERT INTO numbers (t) VALUES ('xa')", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'"],
    [
        "BEGIN",
        "INSERT INTO numbers (t) VALUES ('rolled')",
        "SAVEPOINT s",
        "INSERT INTO numbers (t) VALUES ('back')",
        "ROLLBACK TO s",
        "COMMIT",
    ],
    ["CREATE TEMPORARY TABLE tmp (n int)", "INSERT INTO tmp VALUES (1)", "INSERT INTO numbers (t) SELECT n FROM tmp"],
    ["SET NAMES latin1", "CREATE FUNCTION umlaut() RETURNS varchar(9) DETERMINISTIC RETURN 'äöü'", "INSERT INTO numbers (t) VALUES ('ä')"],
    ["SET SESSION gtid_domain_id = 7", "INSERT INTO numbers (t) VALUES ('seven')"],
    ["SET SESSION server_id = 9", "INSERT INTO numbers (t) VALUES ('nine')"],
    ["SELECT NEXTVAL(s)", "SELECT NEXTVAL(s)", "SELECT SETVAL(s, 900)", "CREATE SEQUENCE z", "SELECT NEXTVAL(z)"],
    [
        "SET SESSION system_versioning_alter_history = KEEP",
        "ALTER TABLE price ADD COLUMN note mediumtext",
        "UPDATE price SET note = REPEAT('x', 100000)",
        "FLUSH BINARY LOGS",
    ],
    [
        "CREATE DATABASE other CHARACTER SET latin1",
        "CREATE TABLE other.t (n int, v int AS (n + 1) STORED, h int INVISIBLE DEFAULT 4)",
        "INSERT INTO other.t (n) VALUES (1)",
    ],
    ["DROP TABLE gone", "TRUNCATE TABLE also", "RENAME TABLE also TO later", "ANALYZE TABLE later", "OPTIMIZE TABLE later"],
];

describe("a copy of MariaDB and the log behind it", function () {
    this.timeout(180_000);
    const bench = new Bench();
    let server: Server;
    let root: ServerAddress;
    let copy: Awaited<ReturnType<typeof copied>>;
    before(async () => {
        server = await startMariadb({ database: "shop" });
        root = superuser(server, "root", dirname(server.socket), "shop");
        await query(
            root,
            // Another server's transactions, as of a standby that was promoted: it knows them from its time as a replica alone.
            "SET GLOBAL gtid_slave_pos = '0-2-1000,5-5-5'",
            "CREATE TABLE price (item int PRIMARY KEY, cents int) WITH SYSTEM VERSIONING",
            "CREATE TABLE numbers (n int AUTO_INCREMENT PRIMARY KEY, t varchar(50))",
            "CREATE TRIGGER again AFTER INSERT ON numbers FOR EACH ROW INSERT INTO audit (t) VALUES (NEW.t)",
            "CREATE TABLE audit (n int AUTO_INCREMENT PRIMARY KEY, t varchar(50))",
            "CREATE TABLE cache (n int) ENGINE=MEMORY",
            "INSERT INTO cache VALUES (1)",
            "CREATE TABLE gone (n int)",
            "CREATE TABLE also (n int)",
            "INSERT INTO also VALUES (1)",
            "CREATE SEQUENCE s",
        );
        copy = await copied(physical, root, join(server.directory, "data"), bench);
        for (const statements of sessions) await query(root, ...statements);
    });
    after(async () => {
        await server?.stop();
        bench.remove();
    });

    it("are what the server holds: accounts, roles, events, versions, statements, other domains and servers", async () => {
        const held = (await physical.contents(root, never))!;
        assert.ok(held.schema);
        assert.equal(copy.facts.position.split(",").length, 2, copy.facts.position);
        const directory = await receivedLog(bench, root, copy.facts.log!.file, held.position);
        await using scratch = await started(
            physical,
            copy.directory,
            { to: "position", position: held.position },
            { directory, from: copy.facts.log! },
        );
        assert.equal(scratch.position, held.position.replace(",7-", ",5-5-5,7-"));
        const found = (await physical.contents(scratch.address, never))!;
        const text = "SELECT CAST(row_start AS CHAR), CAST(row_end AS CHAR), item, cents FROM price FOR SYSTEM_TIME ALL ORDER BY 1, 3";
        const shop = { ...scratch.address, database: "shop" };
        assert.deepEqual(await query(shop, text), await query(root, text));
        for (const sql of [
            "SELECT User, Host, Priv FROM mysql.global_priv ORDER BY 1, 2",
            "SELECT Host, User, Role, Admin_option FROM mysql.roles_mapping ORDER BY 1, 2, 3",
            "SELECT db, name, definer, status, sql_mode, time_zone, body_utf8 FROM mysql.event ORDER BY 1, 2",
            "SELECT * FROM numbers ORDER BY n",
            "SELECT * FROM audit ORDER BY n",
        ])
            assert.deepEqual(await query(shop, sql), await query(root, sql), sql);
        assert.deepEqual(sorted(found), sorted(held));
        await scratch.check(never);
        await scratch.stop();
        const restored = await startMariadb({ restored: { data: copy.directory, rootPassword: server.rootPassword }, serverId: 3 });
        try {
            const address = superuser(restored, "root", dirname(restored.socket), "shop");
            assert.deepEqual(sorted((await physical.contents(address, never))!), sorted(held));
        } finally {
            await restored.stop();
        }
    });

    it("are refused where a file is missing in the middle, or lacks its end, or is of another server", async () => {
        const again = await copied(physical, root, join(server.directory, "data"), bench);
        const { file } = again.facts.log!;
        for (let n = 0; n < 3; n++) await query(root, `INSERT INTO numbers (t) VALUES ('${n}')`, "FLUSH BINARY LOGS");
        await query(root, "INSERT INTO numbers (t) VALUES ('last')");
        const position = await positionOf(root);
        const next = (n: number) => file.replace(/\d+$/, (digits) => String(Number(digits) + n).padStart(digits.length, "0"));
        const start = (directory: string) => started(physical, again.directory, { to: "newest" }, { directory, from: again.facts.log! });
        const whole = await receivedLog(bench, root, file, position);
        rmSync(join(whole, next(2)));
        await assert.rejects(start(whole), /the log has a gap: behind .* comes /);
        const cut = await receivedLog(bench, root, file, position);
        const { size } = statSync(join(cut, next(1)));
        truncateSync(join(cut, next(1)), size - 200);
        await assert.rejects(start(cut), /the log has a gap: .* ends at .* begins behind/);
        const other = await startMariadb({ database: "shop" });
        try {
            const elsewhere = superuser(other, "root", dirname(other.socket), "shop");
            await query(elsewhere, ...Array.from({ length: 30 }, (_, n) => `CREATE TABLE t${n} (n int)`), "FLUSH BINARY LOGS");
            for (let n = 2; n < Number(file.split(".")[1]); n++) await query(elsewhere, "FLUSH BINARY LOGS");
            const foreign = await receivedLog(bench, elsewhere, file, undefined);
            await assert.rejects(start(foreign), /the log is not the copy's|a part of it is missing/);
        } finally {
            await other.stop();
        }
    });

    it("tell who did what, in the words that were used", async () => {
        const { file } = copy.facts.log!;
        await query(root, "CREATE TABLE listed (n int, m int)", "INSERT INTO listed VALUES (1, 1), (2, 2)");
        await query(root, "SET SESSION binlog_format = 'STATEMENT'", "UPDATE listed\nSET n = 5\n# why not\nWHERE m = 2");
        await query(root, "DELETE FROM listed", "DROP TABLE listed");
        const directory = await receivedLog(bench, root, file, await positionOf(root));
        const look = async (like: string) => {
            const found = [];
            for await (const each of physical.log.find(directory, readdirSync(directory).sort(), { like }, never)) found.push(each);
            return found;
        };
        const found = await look("LISTED");
        assert.deepEqual(
            found.map(({ statements }) => statements),
            [
                ["CREATE TABLE listed (n int, m int)"],
                ["INSERT shop.listed: 2 rows"],
                ["UPDATE listed\nSET n = 5\n# why not\nWHERE m = 2"],
                ["DELETE shop.listed: 2 rows"],
                ["DROP TABLE `listed` /* generated by server */"],
            ],
        );
        assert.equal(found.at(-1)!.transaction, (await positionOf(root)).split(",")[0]);
        assert.ok(Math.abs(found.at(-1)!.committedAt.getTime() - Date.now()) < 60_000);
        assert.match((await look("SET PASSWORD"))[0]!.statements[0]!, /^SET PASSWORD FOR/);
        assert.deepEqual((await look("XA COMMIT")).length, 1);
    });

    it("take a GTID that names one domain as that transaction, and everything before it in the log", async () => {
        const again = await copied(physical, root, join(server.directory, "data"), bench);
        await query(root, "SET SESSION gtid_domain_id = 8", "INSERT INTO numbers (t) VALUES ('eight')");
        await query(root, "INSERT INTO numbers (t) VALUES ('wanted')");
        const position = await positionOf(root);
        const wanted = position.split(",").find((gtid) => gtid.startsWith("0-"))!;
        await query(root, "INSERT INTO numbers (t) VALUES ('unwanted')");
        const directory = await receivedLog(bench, root, again.facts.log!.file, await positionOf(root));
        await using scratch = await started(
            physical,
            again.directory,
            { to: "position", position: wanted },
            { directory, from: again.facts.log! },
        );
        const connection = await connectMariadb({ ...scratch.address, database: "shop" });
        const [rows] = await connection.query("SELECT t FROM numbers WHERE t IN ('eight', 'wanted', 'unwanted') ORDER BY n");
        connection.destroy();
        assert.deepEqual(rows, [{ t: "eight" }, { t: "wanted" }]);
        assert.ok(covers(scratch.position, position));
    });
});
