import assert from "node:assert/strict";
import { kindOf } from "../../stores/registry.ts";
import { mariadb } from "../backup/support/mariadb.ts";
import { postgres } from "../backup/support/postgres.ts";

/** Each alone makes a database somebody's; the last are the cases mariadb/26 and postgres/16. */
const kinds = [
    [
        mariadb,
        [
            ["CREATE TABLE t (n int)", /^table t$/],
            ["CREATE TABLE t (n int) WITH SYSTEM VERSIONING", /^versioned table t$/],
            ["CREATE VIEW theirs AS SELECT 1 AS one", /^view theirs$/],
            ["CREATE PROCEDURE theirs() SELECT 'the only copy'", /^procedure theirs$/],
            ["CREATE FUNCTION theirs() RETURNS int RETURN 1", /^function theirs$/],
            ["CREATE EVENT theirs ON SCHEDULE EVERY 1 DAY DO SELECT 1", /^event theirs$/],
            ["CREATE SEQUENCE numbers", /^sequence numbers$/],
        ],
    ],
    [
        postgres,
        [
            ["CREATE TABLE t (n int)", /^table public.t$/],
            ["CREATE FUNCTION theirs() RETURNS text LANGUAGE sql AS $$ SELECT 'the only copy' $$", /^function public.theirs\(\)$/],
            ["CREATE SEQUENCE numbers START 500", /^sequence public.numbers$/],
            ["CREATE VIEW v AS SELECT 1 AS one", /^view public.v$/],
            ["CREATE MATERIALIZED VIEW mv AS SELECT generate_series(1,1000) AS n", /^materialized view public.mv$/],
            ["SELECT lo_from_bytea(99, 'kept nowhere else')", /^large object 99$/],
            ["CREATE TYPE mood AS ENUM ('sad')", /^type public.mood$/],
            ["CREATE DOMAIN positive AS int CHECK (value > 0)", /^type public.positive$/],
            ["CREATE TYPE pair AS (a int, b int)", /pair/],
            ["CREATE SCHEMA other", /^schema other$/],
            ["CREATE FOREIGN DATA WRAPPER elsewhere", /^foreign-data wrapper elsewhere$/],
            ["CREATE PUBLICATION told FOR ALL TABLES", /^publication told$/],
            ['CREATE COLLATION mine FROM "C"', /^collation public.mine$/],
            ["CREATE CAST (int AS box) WITH INOUT", /^cast/],
            ["ALTER DATABASE d SET work_mem = '8MB'", /^setting work_mem=8MB$/],
        ],
    ],
] as const;

for (const [harness, statements] of kinds)
    describe(`an empty ${harness.kind} database`, function () {
        this.timeout(60_000);
        const { logical } = kindOf({ engine: harness.kind }).operations;
        let running: Awaited<ReturnType<typeof harness.start>>;
        before(async () => (running = await harness.start()));
        after(() => running?.stop());

        it("is one that is not there, and one in which nothing was made", async () => {
            const of = { ...running.server, database: "d" };
            assert.deepEqual(await logical.inhabitants(of), []);
            await harness.run(running.server, ["CREATE DATABASE d"]);
            assert.deepEqual(await logical.inhabitants(of), []);
            await harness.run(running.server, ["DROP DATABASE d"]);
        });

        for (const [statement, told] of statements)
            it(`is none in which somebody said ${statement}`, async () => {
                const of = { ...running.server, database: "d" };
                await harness.run(running.server, ["CREATE DATABASE d"]);
                await harness.run(of, [statement]);
                const found = await logical.inhabitants(of);
                assert.equal(found.length, 1, found.join(", "));
                assert.match(found[0]!, told);
                await harness.run(running.server, ["DROP DATABASE d"]);
            });
    });
