import assert from "node:assert/strict";
import { PassThrough, type Writable } from "node:stream";
import { text } from "node:stream/consumers";
import mysql from "mysql2/promise";
import pg from "pg";
import { readAside, saveAside } from "../../backup/aside.ts";
import { findOrphans } from "../../backup/orphans.ts";
import type { ServerAddress } from "../../stores/adapter.ts";
import { dataKey, listPoints, type Standpoint } from "../../backup/vault.ts";
import type { Engine } from "../../sandbox/engines.ts";
import type { Failure } from "../../model/failure.ts";
import { seconds } from "../../model/units.ts";
import { startMariadb, startPostgres } from "../support/servers.ts";
import { at, clientsOf, derived, enterAccount } from "./support/account.ts";

const never = new AbortController().signal;
const quiet = { signal: never, note: () => undefined };

interface Dialect {
    start(): Promise<{ server: Omit<ServerAddress, "database">; stop(): Promise<void> }>;
    run(server: ServerAddress, statements: readonly string[]): Promise<void>;
    /** Columns of a table: a number, a single and a double float. */
    floats: string;
    /** A row that is hard to write down, and how its JSON has it. */
    hard: { columns: string; values: string; json: Record<string, unknown> };
}
const dialects: Record<Engine, Dialect> = {
    mariadb: {
        async start() {
            const { host, port, rootPassword, stop } = await startMariadb();
            return { server: { host, port, user: "root", password: rootPassword }, stop };
        },
        async run({ host, port, user, password, database }, statements) {
            const connection = await mysql.createConnection({ host, port, user, password, database });
            try {
                for (const statement of statements) await connection.query(statement);
            } finally {
                connection.destroy();
            }
        },
        floats: "n int primary key, single float, twice double",
        hard: {
            columns: "n bigint primary key, s varchar(100), b varbinary(10), d decimal(30,6), j json, at timestamp(6) null",
            values: `9007199254740993, 'a "b" \\\\ \n \u{1f6a3}', 0x00ff, 123456789012345678901234.567891, '{"k": 1}', '2026-11-21 15:40:10.123456'`,
            json: { s: 'a "b" \\ \n \u{1f6a3}', b: "00FF" },
        },
    },
    postgres: {
        async start() {
            const { host, port, rootPassword, stop } = await startPostgres();
            return { server: { host, port, user: "postgres", password: rootPassword }, stop };
        },
        async run({ host, port, user, password, database }, statements) {
            const client = new pg.Client({ host, port, user, password, database });
            await client.connect();
            try {
                for (const statement of statements) await client.query(statement);
            } finally {
                await client.end();
            }
        },
        floats: "n int primary key, single real, twice double precision",
        hard: {
            columns: "n bigint primary key, s text, b bytea, d numeric(30,6), j jsonb, at timestamptz(6)",
            values: `9007199254740993, E'a "b" \\\\ \\n \u{1f6a3}', '\\x00ff', 123456789012345678901234.567891, '{"k": 1}', '2026-11-21 15:40:10.123456+00'`,
            json: { s: 'a "b" \\ \n \u{1f6a3}', b: "\\x00ff" },
        },
    },
};

for (const kind of ["mariadb", "postgres"] as const)
    describe(`what a ${kind} server holds alone`, function () {
        this.timeout(60_000);
        const { start, run, hard } = dialects[kind];
        const store = `shop-${kind}`;
        const primary: Standpoint = at("primary");
        let running: Awaited<ReturnType<Dialect["start"]>>;
        let leave: () => void;
        let made = 0;
        const show = async (id: string, from = primary) => {
            const sink = new PassThrough();
            const [, said] = await Promise.all([readAside(from, store, id, sink as Writable, never), text(sink)]);
            return said;
        };
        /** Two databases of one server: what is compared are databases. */
        async function pair(ours: readonly string[], theirs: readonly string[]) {
            made += 1;
            const [here, there] = [`here${made}`, `there${made}`].map((database) => ({ ...running.server, database }));
            const admin = { ...running.server, database: kind === "mariadb" ? "mysql" : "postgres" };
            const charset = kind === "mariadb" ? " CHARACTER SET utf8mb4" : "";
            await run(
                admin,
                [here!, there!].map(({ database }) => `CREATE DATABASE ${database}${charset}`),
            );
            await run(here!, ours);
            await run(there!, theirs);
            return [here!, there!] as const;
        }

        before(async () => {
            leave = await enterAccount();
            running = await start();
        });
        after(async () => {
            await running?.stop();
            leave?.();
        });

        it("is sealed in the site's vault as JSON, a line a row, and can be read back to the last digit", async () => {
            const table = `CREATE TABLE hard (${hard.columns})`;
            const insert = `INSERT INTO hard VALUES (${hard.values})`;
            const [ours, theirs] = await pair([table, insert], [table]);
            const found = await saveAside(primary, store, ours, theirs, quiet);
            assert.deepEqual(found.tables, [{ name: "hard", absent: 1, differs: 0 }]);
            assert.equal(found.rows, 1);
            assert.deepEqual([found.saved?.bucket, found.saved?.key], [derived.vaultBucket("primary"), dataKey(store, found.saved!.id)]);
            const line = await show(found.saved!.id);
            assert.match(line, /9007199254740993.*123456789012345678901234\.567891/);
            assert.match(line, /2026-11-21[ T]15:40:10\.123456/);
            const {
                table: name,
                kind: difference,
                row,
            } = JSON.parse(line) as { table: string; kind: string; row: Record<string, unknown> };
            assert.deepEqual([name, difference], ["hard", "absent"]);
            for (const [column, value] of Object.entries(hard.json)) assert.deepEqual(row[column], value);
        });

        it("is nothing where both hold the same, whatever order it was written in: then nothing is saved", async () => {
            const table = "CREATE TABLE t (n int primary key, s varchar(20))";
            const [ours, theirs] = await pair(
                [table, "INSERT INTO t VALUES (1, 'a'), (2, NULL)"],
                [table, "INSERT INTO t VALUES (2, NULL)", "INSERT INTO t VALUES (1, 'a'), (3, 'theirs alone')"],
            );
            const found = await saveAside(primary, store, ours, theirs, quiet);
            assert.deepEqual([found.rows, found.tables, found.saved], [0, [], undefined]);
        });

        it("is told from NULL, from its neighbour, and of more rows than are read at once", async () => {
            const table = "CREATE TABLE t (n int primary key, a varchar(20), b varchar(20))";
            const many = Array.from({ length: 2_500 }, (_, n) => `(${n + 10}, 'row', '${n}')`).join(", ");
            const [ours, theirs] = await pair(
                [table, "INSERT INTO t VALUES (1, NULL, 'x'), (2, 'a,b', 'c'), (3, 'NULL', 'x')", `INSERT INTO t VALUES ${many}`],
                [table, "INSERT INTO t VALUES (1, '', 'x'), (2, 'a', 'b,c'), (3, NULL, 'x')"],
            );
            const found = await saveAside(primary, store, ours, theirs, quiet);
            assert.deepEqual(found.tables, [{ name: "t", absent: 2_500, differs: 3 }]);
            assert.equal((await show(found.saved!.id)).trimEnd().split("\n").length, 2_503);
        });

        it("is told by the exact values of numbers, not by what their text rounds them to", async () => {
            const table = `CREATE TABLE floats (${dialects[kind].floats})`;
            const [ours, theirs] = await pair(
                [table, "INSERT INTO floats VALUES (1, 16777215, NULL), (2, NULL, 0.30000000000000004)"],
                [table, "INSERT INTO floats VALUES (1, 16777214, NULL), (2, NULL, 0.3)"],
            );
            const found = await saveAside(primary, store, ours, theirs, quiet);
            assert.deepEqual(found.tables, [{ name: "floats", absent: 0, differs: 2 }]);
            const lines = (await show(found.saved!.id)).trimEnd().split("\n");
            const rows = lines.map((line) => (JSON.parse(line) as { row: { n: number; single: number; twice: number } }).row);
            const byNumber = rows.toSorted((one, other) => one.n - other.n);
            assert.deepEqual([byNumber[0]!.single, byNumber[1]!.twice], [16777215, 0.30000000000000004]);
        });

        it("is no recovery point, and nobody's orphan", async () => {
            const { s3 } = clientsOf("primary");
            assert.ok(
                ![...(await listPoints(s3, derived.vaultBucket("primary"), store)).keys()].some((point) => point.startsWith("aside")),
            );
            const { withoutManifest } = await findOrphans(
                s3,
                derived.vaultBucket("primary"),
                store,
                seconds(0),
                new Date(Date.now() + 1e9),
            );
            assert.deepEqual(withoutManifest, []);
        });

        it("cannot be shown where it is not, and the answer says where it may be", () =>
            assert.rejects(
                show("aside-20261121T154010Z-0000", at("standby")),
                (error: Failure) => error.exit === "no" && /on its way/.test(error.next),
            ));
    });
