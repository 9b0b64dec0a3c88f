import assert from "node:assert/strict";
import { kindOf } from "../../stores/registry.ts";
import { mariadb } from "../backup/support/mariadb.ts";
import { postgres } from "../backup/support/postgres.ts";

/** One that gives two tables of different values one checksum would call a damaged restore good. */
for (const [harness, statements] of [
    [
        postgres,
        [
            ["CREATE TABLE readings (t timestamp primary key, value int)", "INSERT INTO readings VALUES ('2026-01-01', 1)"],
            ["UPDATE readings SET value = 999"],
            ["ALTER TABLE readings ADD f real", "UPDATE readings SET f = 16777215"],
            ["UPDATE readings SET f = 16777214"],
        ],
    ],
    [
        mariadb,
        [
            ["CREATE TABLE readings (t datetime primary key, value int)", "INSERT INTO readings VALUES ('2026-01-01', 1)"],
            ["UPDATE readings SET value = 999"],
            ["ALTER TABLE readings ADD f float", "UPDATE readings SET f = 16777215"],
            ["UPDATE readings SET f = 16777214"],
        ],
    ],
] as const)
    describe(`the checksum of a ${harness.kind} table`, function () {
        this.timeout(60_000);
        const { logical } = kindOf({ engine: harness.kind }).operations;

        it("changes with every value, whatever the columns are called", async () => {
            const { server, stop } = await harness.start();
            try {
                await harness.run(server, ["CREATE DATABASE readings"]);
                const of = { ...server, database: "readings" };
                const seen = new Set<string>();
                for (const some of statements) {
                    await harness.run(of, some);
                    seen.add((await logical.tables(of))[0]!.checksum);
                }
                assert.equal(seen.size, statements.length);
            } finally {
                await stop();
            }
        });
    });

describe("the tables of MariaDB", function () {
    this.timeout(60_000);
    it("are the versioned ones, too", async () => {
        const { server, stop } = await mariadb.start();
        try {
            await mariadb.run(server, ["CREATE DATABASE kept"]);
            const of = { ...server, database: "kept" };
            await mariadb.run(of, [
                "CREATE TABLE price (item int PRIMARY KEY, cents int) WITH SYSTEM VERSIONING",
                "INSERT INTO price VALUES (1, 100)",
            ]);
            const { operations } = kindOf({ engine: "mariadb" });
            assert.deepEqual(
                (await operations.logical.tables(of)).map(({ name, rows }) => [name, rows]),
                [["price", 1]],
            );
            await using rows = await operations.openRows(of);
            assert.deepEqual(await rows.tables(), ["price"]);
        } finally {
            await stop();
        }
    });
});
