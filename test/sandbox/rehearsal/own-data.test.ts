import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { compareOwnData } from "../../../sandbox/rehearsal/own-data/comparison.ts";
import { inspectDump } from "../../../sandbox/rehearsal/own-data/dump.ts";
import { tryDump } from "../../../sandbox/rehearsal/own-data/trial.ts";
import { estate } from "../../../stacks/estate.ts";
import { lifeboat } from "../../support/cli.ts";

const mariadb = `-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS \`people\`;
CREATE TABLE \`people\` (
  \`id\` int NOT NULL
) ENGINE=InnoDB;
INSERT INTO \`people\` VALUES (1),(2);
-- Dump completed on 2026-01-01  0:00:00
`;
const postgres = `--
-- PostgreSQL database dump
--

\\restrict abc
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.people (id integer);
COPY public.people (id) FROM stdin;
1
2
\\.

--
-- PostgreSQL database dump complete
--

\\unrestrict abc

`;

describe("a user's dump", function () {
    this.timeout(20_000);
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-dump-"));
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));
    const put = (content: string | Buffer, name = "mine.sql") => {
        const file = join(directory, name);
        writeFileSync(file, content);
        return file;
    };
    const inspect = (content: string | Buffer) => inspectDump(put(content), estate);

    it("is told by its content, whatever it is called, and goes to the store of its kind", async () => {
        assert.deepEqual([(await inspect(mariadb)).store, (await inspect(mariadb)).compression], ["orders-mysql", "none"]);
        const packed = await inspect(gzipSync(postgres));
        assert.deepEqual([packed.store, packed.compression, packed.bytes], ["orders-postgres", "gzip", postgres.length]);
        assert.deepEqual((await inspect(zstdCompressSync(mariadb))).compression, "zstd");
        assert.equal((await inspect(zstdCompressSync(mariadb))).sha256, (await inspect(mariadb)).sha256);
    });
    it("may hold anything in its data, also what would be refused as a statement", async () => {
        const data = "1\tUSE it\n\\\\connect nobody\nGRANT ALL\nCREATE TABLE orders (\nINSERT INTO `a`\n";
        assert.equal((await inspect(postgres.replace("1\n2\n", data))).kind, "postgres");
        const long = `INSERT INTO \`people\` VALUES ('${"x".repeat(3_000_000)}\\nUSE \`other\`;');\n`;
        assert.equal((await inspect(mariadb.replace("-- Dump completed", `${long}-- Dump completed`))).kind, "mariadb");
    });

    const refused: [string, string | (() => Buffer), RegExp][] = [
        ["is empty", "", /it is empty/],
        ["is text, and no dump", "dear diary\n", /nothing in it is of a dump/],
        ["is no text", () => Buffer.from([0, 1, 2, 3]), /it is not text/],
        ["is in PostgreSQL's own format", "PGDMP\u0001\u000e", /own format, not SQL/],
        ["is of both kinds", mariadb + postgres, /lines of MariaDB or MySQL and lines of PostgreSQL/],
        ["was cut off, as MariaDB's", mariadb.slice(0, -60), /it is cut off: a dump of MariaDB or MySQL has an end/],
        ["was cut off in PostgreSQL's data", postgres.slice(0, postgres.indexOf("2\n\\.")), /it is cut off: a dump of PostgreSQL/],
        ["was cut off when compressed with gzip", () => gzipSync(mariadb).subarray(0, -20), /cut off or damaged \(gzip\)/],
        ["was cut off when compressed with zstd", () => zstdCompressSync(mariadb).subarray(0, -20), /cut off or damaged \(zstd\)/],
        [
            "was damaged when compressed",
            () => Buffer.from(gzipSync(mariadb).map((byte, at) => (at === 60 ? byte ^ 255 : byte))),
            /cut off or damaged \(gzip\)/,
        ],
        ["goes to another database", mariadb.replace("DROP TABLE", "USE `shop`;\nDROP TABLE"), /line 3: it goes to a database of its own/],
        ["connects elsewhere", postgres.replace("SET client", "\\connect shop\nSET client"), /line 6: it goes to a database of its own/],
        ["runs commands", postgres.replace("SET client", "\\! rm -rf x\nSET client"), /line 6: it holds a command for psql/],
        [
            "names roles",
            postgres.replace("COPY", "ALTER TABLE public.people OWNER TO bob;\nCOPY"),
            /names roles that the store does not have/,
        ],
        ["has a definer", mariadb.replace("-- Dump", "/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */\n-- Dump"), /DEFINER/],
        ["has the service's own table", mariadb.replaceAll("`people`", "`orders`"), /line 3: it has the table that the example's service/],
        [
            "has the service's own table in PostgreSQL",
            postgres.replace("TABLE public.people", "TABLE public.orders"),
            /the table that the example's service/,
        ],
    ];
    for (const [what, content, message] of refused)
        it(`is refused when it ${what}`, async () => {
            await assert.rejects(inspect(typeof content === "string" ? content : content()), (error: Error) => message.test(error.message));
        });
    it("is refused when no store, or more than one, is of its kind", async () => {
        const { "orders-mysql": mysql, ...others } = estate.stores;
        await assert.rejects(inspectDump(put(mariadb), { ...estate, stores: others }), /no store of the estate is/);
        await assert.rejects(inspectDump(put(mariadb), { ...estate, stores: { a: mysql!, b: mysql! } }), /a and b both are/);
    });
    it("that is wrong ends the rehearsal with 2 before anything is made", async () => {
        const { code, stderr } = await lifeboat(["rehearse", "region-loss", "--load", put(mariadb.slice(0, -60))], {
            env: { XDG_STATE_HOME: directory },
        });
        assert.equal(code, 2);
        assert.match(stderr, /mine\.sql cannot be loaded: it is cut off/);
        assert.doesNotMatch(stderr, /rehearsing/);
        assert.equal(
            (await lifeboat(["rehearse", "region-loss", "--load", join(directory, "absent.sql")], { env: { XDG_STATE_HOME: directory } }))
                .code,
            2,
        );
    });
});

describe("a trial of a dump", function () {
    this.timeout(60_000);
    let directory: string;
    before(() => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-trial-"));
    });
    after(() => rmSync(directory, { recursive: true, force: true }));
    const tried = async (content: string | Buffer) => {
        const file = join(directory, "mine.sql");
        writeFileSync(file, content);
        await tryDump(await inspectDump(file, estate), estate);
    };
    it("passes what a server like the store's takes, compressed or not", async () => {
        await tried(mariadb);
        await tried(zstdCompressSync(postgres));
    });
    it("tells MariaDB's own words of what it refuses", async () => {
        await assert.rejects(
            tried(mariadb.replace("VALUES (1)", "VALUE S (1)")),
            /cannot be loaded: a server like that of orders-mysql refuses it: ERROR 1064 .* at line 7/,
        );
    });
    it("tells PostgreSQL's own words, also of rights that the application's user lacks", async () => {
        await assert.rejects(
            tried(postgres.replace("1\n2\n", "1\ntwo\n")),
            /orders-postgres refuses it: .*invalid input syntax for type integer: "two"/s,
        );
        await assert.rejects(tried(postgres.replace("COPY", "CREATE ROLE bob;\nCOPY")), /permission denied to create role/);
    });
});

describe("own data after the loss", () => {
    const table = (rows: number, checksum = "c") => ({ rows, checksum });
    const loaded = {
        store: "s",
        file: "mine.sql",
        bytes: 1,
        sha256: "a",
        loadSeconds: 1,
        tables: { people: table(2), towns: table(0, "0") },
    };

    it("is the same when every table has its rows and checksum in both places", () => {
        const { evidence, reasons } = compareOwnData(loaded, { ...loaded.tables, orders: table(9) }, loaded.tables);
        assert.deepEqual(reasons, []);
        assert.ok(evidence.tables.every(({ same }) => same));
    });
    it("is not when a row, a change in a row, or a table is missing, empty tables too", () => {
        const { towns } = loaded.tables;
        const cases: [object, object, RegExp][] = [
            [{ people: table(1), towns }, loaded.tables, /people was loaded with 2 rows.*in the standby it is 1 rows/],
            [loaded.tables, { people: table(2, "d"), towns }, /in the restored point it is 2 rows, checksum d/],
            [{ people: table(2) }, loaded.tables, /towns was loaded with 0 rows.*in the standby it is not there/],
        ];
        for (const [standby, restored, reason] of cases) {
            const found = compareOwnData(loaded, standby as never, restored as never);
            assert.equal(found.reasons.length, 1);
            assert.match(found.reasons[0]!, reason);
        }
    });
});
