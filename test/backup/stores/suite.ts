import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { recover, type Recovered } from "../../../backup/recover.ts";
import { drill, restoreToDirectory } from "../../../backup/restore.ts";
import { kindOf } from "../../../stores/registry.ts";
import type { Failure } from "../../../model/failure.ts";
import { at, clientsOf, derived, keysIn } from "../support/account.ts";
import { killChild } from "../support/kill.ts";
import { enterStore, type Harness, type Store } from "../support/store.ts";

/** Backup, verification and restore of one kind of store: passes for every kind. */
export function physicalSuite(harness: Harness): void {
    const { kind } = harness;
    const store = `shop-${kind}`;
    const { logical } = kindOf({ engine: kind }).operations;

    describe(`${kind} through backup, verification and restore`, function () {
        this.timeout(180_000);
        let shop: Store;
        let work: string;

        before(async () => {
            work = await mkdtemp(join(tmpdir(), "lifeboat-suite-"));
            shop = await enterStore(harness, work);
        });
        after(async () => {
            await shop?.leave();
            const left = shop ? await readdir(shop.scratch) : [];
            await rm(work, { recursive: true, force: true });
            assert.deepEqual(left, [], "a scratch is left");
        });

        /** Recovers the point's own moment, looks, and removes it. */
        async function within<Result>(look: (recovered: Recovered) => Promise<Result>): Promise<Result> {
            const directory = await mkdtemp(join(work, "recovered-"));
            await using recovered = await recover(at("standby"), store, { to: "newest" }, directory, shop.quiet);
            return await look(recovered);
        }

        it("brings an empty store back empty", async () => {
            const { verified } = (await shop.arrive()).record;
            assert.equal(verified.started, true);
            assert.equal(verified.notCompared, undefined);
            assert.deepEqual((await drill(at("standby"), store, { to: "newest" }, shop.quiet)).tables, []);
        });

        it("brings every kind of value back as it was, in every database of the server", async () => {
            const every = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
            await shop.run("shop", [
                harness.createMixed,
                `INSERT INTO mixed VALUES (1, 'äöü 漢字 😀 ''quoted'' "x" back\\\\slash', ${harness.bytes(every)}, 12345678901234567890.123456, '2026-01-31 23:59:59.123456', 16777215)`,
                "INSERT INTO mixed VALUES (2, '', NULL, NULL, NULL, NULL), (3, NULL, NULL, -0.000001, '1999-12-31 00:00:00', 1.2345678)",
            ]);
            await shop.makeDatabase("second");
            await shop.run("second", ["CREATE TABLE t (n int primary key)", "INSERT INTO t VALUES (7)"]);
            const { record } = await shop.arrive();
            assert.equal(record.verified.notCompared, undefined);
            assert.ok(record.manifest.stored.bytes < record.manifest.dump.bytes, "it is compressed");
            const all = "SELECT * FROM mixed ORDER BY n";
            const before = await shop.rows("shop", all);
            await within(async ({ server }) => {
                assert.deepEqual(await shop.rowsOn(server.address, "shop", all), before);
                assert.deepEqual(await shop.rowsOn(server.address, "second", "SELECT n FROM t"), [["7"]]);
                const tables = await logical.tables({ ...server.address, database: "shop" });
                assert.deepEqual(tables, await logical.tables({ ...shop.server, database: "shop" }));
            });
        });

        it("brings many rows back, and rows of several MB, and tells a difference of one", async () => {
            await shop.run("shop", harness.fillMany(60_000));
            await shop.run("shop", [`INSERT INTO mixed VALUES (9, NULL, ${harness.bytes(randomBytes(2_500_000))}, NULL, NULL, NULL)`]);
            await shop.arrive();
            const report = await drill(at("standby"), store, { to: "newest" }, shop.quiet);
            assert.equal(report.tables.find(({ name }) => name === "many")?.rows, 60_000);
            assert.deepEqual(report.tables, await logical.tables({ ...shop.server, database: "shop" }));
            await shop.run("shop", ["UPDATE many SET s = 'other' WHERE n = 33333"]);
            assert.notDeepEqual(report.tables, await logical.tables({ ...shop.server, database: "shop" }));
        });

        it("brings views, triggers, functions and foreign keys back at work", async () => {
            await shop.run("shop", harness.objects);
            await shop.arrive();
            await within(async ({ server }) => {
                await shop.runOn(server.address, "shop", harness.useObjects.run);
                assert.deepEqual(await shop.rowsOn(server.address, "shop", harness.useObjects.rows), harness.useObjects.expect);
            });
        });

        it("shows one moment, while others write", async () => {
            await shop.run("shop", ["CREATE TABLE a (n int primary key)", "CREATE TABLE b (n int primary key)"]);
            let writing = true;
            const writer = (async () => {
                for (let n = 1; writing; n++)
                    await shop.run("shop", ["BEGIN", `INSERT INTO a VALUES (${n})`, `INSERT INTO b VALUES (${n})`, "COMMIT"]);
            })();
            await sleep(100);
            const manifest = await shop.take().finally(() => (writing = false));
            await writer;
            await shop.replicate(manifest);
            const finding = await shop.check(manifest.point);
            assert.equal(finding.outcome, "verified");
            // Nobody ships the log here, so that what was written after the copy cannot be compared.
            const [[a], [b]] = await within(async ({ server, short }) => {
                assert.match(short!, /no log was shipped/);
                return [
                    (await shop.rowsOn(server.address, "shop", "SELECT count(*) FROM a"))[0]!,
                    (await shop.rowsOn(server.address, "shop", "SELECT count(*) FROM b"))[0]!,
                ] as const;
            });
            assert.ok(Number(a) > 0);
            assert.equal(a, b);
        });

        it("leaves a data directory, twice, and refuses one that has something in it", async () => {
            const [one, two] = [join(work, "one"), join(work, "two")];
            const first = await restoreToDirectory(at("standby"), store, { to: "newest" }, one, shop.quiet);
            const second = await restoreToDirectory(at("standby"), store, { to: "newest" }, two, shop.quiet);
            assert.deepEqual(second.tables, first.tables);
            assert.ok((await readdir(one)).length > 5);
            const before = await readdir(one);
            await assert.rejects(
                restoreToDirectory(at("standby"), store, { to: "newest" }, one, shop.quiet),
                (error: Failure) => error.exit === "refused" && /not empty/.test(error.message),
            );
            assert.deepEqual(await readdir(one), before);
        });

        it("restores the newest point that is not after the moment asked for, and says how far before it that is", async () => {
            await shop.run("shop", ["CREATE TABLE moments (n int primary key)", "INSERT INTO moments VALUES (1)"]);
            const early = (await shop.arrive()).record.manifest;
            await sleep(1100);
            await shop.run("shop", ["INSERT INTO moments VALUES (2)"]);
            const late = (await shop.arrive()).record.manifest;
            const moment = (instant: Date) => drill(at("standby"), store, { to: "time", at: instant }, shop.quiet);
            const between = await moment(new Date(Date.parse(late.copiedAt) - 1));
            assert.equal(between.point, early.point);
            assert.match(between.short!, /up to \d+\.\d s before/);
            const newest = await drill(at("standby"), store, { to: "newest" }, shop.quiet);
            assert.equal(newest.point, late.point);
            assert.equal(newest.tables.find(({ name }) => name === "moments")?.rows, 2);
            await assert.rejects(moment(new Date("2001-01-01")), /no verified recovery point/);
        });

        it("leaves no object, no manifest and no upload when the copy is killed half-way", async () => {
            await shop.run("shop", ["DROP TABLE IF EXISTS mixed", harness.createMixed]);
            for (let n = 20; n <= 28; n++)
                await shop.run("shop", [
                    `INSERT INTO mixed VALUES (${n}, NULL, ${harness.bytes(randomBytes(2_000_000))}, NULL, NULL, NULL)`,
                ]);
            const before = await keysIn("primary", `${store}/`);
            const failing = shop.take();
            const killed = killChild(harness.copier);
            await assert.rejects(failing, (error: Failure) => {
                assert.match(String(error.cause), /SIGKILL|137/);
                return error.exit === "no";
            });
            assert.equal(await killed, true);
            assert.deepEqual(await keysIn("primary", `${store}/`), before);
            const uploads = await clientsOf("primary").s3.send(new ListMultipartUploadsCommand({ Bucket: derived.vaultBucket("primary") }));
            assert.deepEqual(uploads.Uploads ?? [], []);
        });

        it("says that a server which does not answer is unavailable", () =>
            assert.rejects(shop.take("/nowhere"), (error: Failure) => error.exit === "unavailable"));
    });
}
