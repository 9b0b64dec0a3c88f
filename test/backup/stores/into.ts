import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { restoreInto } from "../../../backup/into.ts";
import { kindOf } from "../../../stores/registry.ts";
import type { Only } from "../../../stores/physical.ts";
import type { Failure } from "../../../model/failure.ts";
import { at } from "../support/account.ts";
import { enterStore, type Harness, type Store } from "../support/store.ts";

/** A database, or one table, brought into a server as text. */
export function intoSuite(harness: Harness): void {
    const store = `shop-${harness.kind}`;
    const { logical } = kindOf({ engine: harness.kind }).operations;

    describe(`a database of ${harness.kind} restored as text`, function () {
        this.timeout(180_000);
        let shop: Store;
        let work: string;
        before(async () => {
            work = await mkdtemp(join(tmpdir(), "lifeboat-into-"));
            shop = await enterStore(harness, work);
            await shop.run("shop", [...harness.objects, ...harness.fillMany(3_000)]);
            await shop.makeDatabase("second");
            await shop.run("second", [harness.createMixed, "INSERT INTO mixed VALUES (1, 'a', NULL, NULL, NULL, 16777215)"]);
            await shop.arrive();
        });
        after(async () => {
            await shop?.leave();
            const left = shop ? await readdir(shop.scratch) : [];
            await rm(work, { recursive: true, force: true });
            assert.deepEqual(left, [], "a scratch is left");
        });
        const bring = (database: string, only?: Only) =>
            restoreInto(at("standby"), store, { to: "newest" }, { ...shop.server, database }, only, shop.quiet);
        const databases = async () => (await shop.rows(harness.maintenance, harness.databases)).flat().sort();

        it("is all there in a database that was not there, and in one that was empty, with its views and triggers at work", async () => {
            await shop.makeDatabase("hollow");
            for (const name of ["young", "hollow"]) {
                const report = await bring(name);
                assert.deepEqual(report.tables, await logical.tables({ ...shop.server, database: "shop" }));
                await shop.run(name, harness.useObjects.run);
                assert.deepEqual(await shop.rows(name, harness.useObjects.rows), harness.useObjects.expect);
            }
            assert.deepEqual(
                (await databases()).filter((name) => name.includes("restore")),
                [],
            );
        });

        it("is refused where anything is in the target, which is left as it is", async () => {
            await shop.makeDatabase("theirs");
            await shop.run("theirs", ["CREATE VIEW theirs AS SELECT 1 AS one"]);
            const before = await databases();
            await assert.rejects(bring("theirs"), (error: Failure) => error.exit === "refused" && /view .*theirs/.test(error.message));
            assert.deepEqual(await shop.rows("theirs", "SELECT one FROM theirs"), [["1"]]);
            assert.deepEqual(await databases(), before);
        });

        if (harness.rounds)
            it("is refused where text rounds a number, and nothing of it is left", async () => {
                const before = await databases();
                await assert.rejects(bring("rounded", { database: "second" }), (error: Failure) => {
                    assert.match(`${error.message}; ${error.next}`, /table (public\.)?mixed of second has other values.*--to-directory/);
                    return error.exit === "no";
                });
                assert.deepEqual(await databases(), before);
            });

        it("may be one table, which comes back with its trigger into the database that it was lost from", async () => {
            await shop.run("shop", ["INSERT INTO parent (n) VALUES (70)", "INSERT INTO child VALUES (70, 70)"]);
            await assert.rejects(bring("shop", { database: "shop", table: "child" }), (error: Failure) => {
                assert.match(error.message, /has a table child/);
                return error.exit === "refused";
            });
            await shop.run("shop", ["DROP VIEW seen", "DROP TABLE child"]);
            const report = await bring("shop", { database: "shop", table: "child" });
            assert.deepEqual(
                report.tables.map(({ name, rows }) => [name, rows]),
                [["child", 1]],
            );
            assert.deepEqual(await shop.rows("shop", "SELECT n FROM child"), [["1"]]);
            assert.deepEqual(
                await shop.rows("shop", "SELECT n FROM parent ORDER BY n"),
                [["5"], ["70"]],
                "what was written since is there",
            );
            await assert.rejects(shop.run("shop", ["INSERT INTO child VALUES (2, 999)"]), /foreign key/i);
        });

        it("says where there is no such table, or no such database", async () => {
            for (const only of [{ database: "shop", table: "nothing" }, { database: "nothing" }])
                await assert.rejects(bring("absent", only));
            assert.ok(!(await databases()).includes("absent"));
        });
    });
}
