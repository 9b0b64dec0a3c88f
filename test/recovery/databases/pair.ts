import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoreKind } from "../../../model/estate.ts";
import type { Failure } from "../../../model/failure.ts";
import { guardOnce, promote, status } from "../../../recovery/databases/guard.ts";
import { readMarker, writeMarker } from "../../../recovery/databases/marker.ts";
import { makePair, passwords, type Epoch, type Pod } from "./pod.ts";

/** How an application, or the backup, meets a server of some kind, over TCP. */
export interface Client {
    /** Runs statements as a user in the database `shop`. */
    run(port: number, user: "app" | "backup", password: string, statements: readonly string[]): Promise<void>;
    /** Numbers of the rows of `orders`, read as `app`. */
    orders(port: number): Promise<number[]>;
    /** A session that stays; answers whether it is still alive. */
    session(port: number): Promise<{ alive(): Promise<boolean>; end(): Promise<void> }>;
}

/** A primary and its replica, from an empty volume to the day after an activation. The tests are one story, told in order. */
export function pairSuite(kind: StoreKind, client: Client): void {
    describe(`a pair of ${kind} servers`, function () {
        this.timeout(120_000);
        let epoch: Epoch;
        let primary: Pod;
        let standby: Pod;
        const insert = (pod: Pod, n: number) =>
            client.run(pod.place.port, "app", passwords.app, [`INSERT INTO orders (number) VALUES (${n})`]);
        const until = async (what: string, holds: () => Promise<boolean>) => {
            for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) if (await holds()) return;
            assert.fail(`${what}: not within 20 s`);
        };
        const refused = (error: Failure) => error.exit === "refused";

        // A chapter that failed leaves the later ones without their beginning: they are skipped, in sight, and not failed again.
        let failed = false;
        beforeEach(function () {
            if (failed) this.skip();
        });
        afterEach(function () {
            failed ||= this.currentTest?.state === "failed";
        });

        before(async () => {
            ({ epoch, primary, standby } = await makePair(kind));
        });
        after(async () => {
            await primary?.remove();
            await standby?.remove();
        });

        it("makes its own data in the active site, and starts read-only", async () => {
            assert.equal(await primary.seed(), "origin");
            await primary.start();
            assert.equal((await status(primary.tools)).role, "read-only");
            await assert.rejects(client.run(primary.place.port, "app", passwords.app, ["CREATE TABLE orders (number int primary key)"]));
        });

        it("changes nothing while the epoch cannot be read", async () => {
            const { record } = epoch;
            epoch.record = undefined;
            await assert.rejects(guardOnce(primary.tools), /does not answer/);
            epoch.record = record;
            assert.equal((await status(primary.tools)).role, "read-only");
        });

        it("is opened by its guard, and serves the application", async () => {
            assert.match((await guardOnce(primary.tools)) ?? "", /^writable: epoch 1/);
            assert.equal(await guardOnce(primary.tools), undefined);
            await client.run(primary.place.port, "app", passwords.app, ["CREATE TABLE orders (number int primary key)"]);
            await insert(primary, 1);
            assert.deepEqual(await client.orders(primary.place.port), [1]);
        });

        it("gives the backup user no right to write", async () => {
            await client.run(primary.place.port, "backup", passwords.backup, ["SELECT number FROM orders"]);
            await assert.rejects(client.run(primary.place.port, "backup", passwords.backup, ["DELETE FROM orders"]));
        });

        it("does not seed while the peer is away, and leaves the copy marked as unfinished", async () => {
            await primary.stop();
            if (kind === "postgres") await assert.rejects(standby.seed());
            else {
                await standby.seed();
                await standby.start();
                await assert.rejects(guardOnce(standby.tools), /does not let/);
            }
            assert.notEqual(readMarker(standby.place.volume)?.seed, "done");
            await primary.seed();
            await primary.start();
            await guardOnce(primary.tools);
        });

        it("refuses to promote, or to open, an unfinished copy", async () => {
            epoch.set(1, "standby");
            if (kind === "mariadb") {
                await assert.rejects(promote(standby.tools), refused);
                await assert.rejects(guardOnce(standby.tools), refused);
                assert.equal((await status(standby.tools)).problem, "its seed is not finished");
            }
            await assert.rejects(standby.seed(), refused);
            epoch.set(1, "primary");
        });

        it("wipes what an interrupted seed left, and copies the peer", async () => {
            await standby.stop();
            assert.equal(await standby.seed(), "seed");
            await standby.start();
            if (kind === "mariadb") assert.match((await guardOnce(standby.tools)) ?? "", /^seeded/);
            assert.equal(readMarker(standby.place.volume)?.seed, "done");
            await until("the replica follows", async () => (await status(standby.tools)).lagSeconds === 0);
            assert.deepEqual(await client.orders(standby.place.port), [1]);
        });

        it("follows its peer, takes no writes, and is left alone by its guard", async () => {
            await insert(primary, 2);
            await until("row 2 arrives", async () => (await client.orders(standby.place.port)).includes(2));
            assert.equal((await status(standby.tools)).role, "replica");
            await assert.rejects(insert(standby, 99));
            assert.equal(await guardOnce(standby.tools), undefined);
        });

        it("follows on after a restart of its pod", async () => {
            await standby.stop();
            await insert(primary, 3);
            assert.equal(await standby.seed(), "keep");
            await standby.start();
            await until("row 3 arrives", async () => (await client.orders(standby.place.port)).includes(3));
            await assert.rejects(insert(standby, 99));
        });

        it("refuses promotion while the epoch names the other site, or cannot be read", async () => {
            await assert.rejects(promote(standby.tools), refused);
            const { record } = epoch;
            epoch.record = undefined;
            await assert.rejects(promote(standby.tools), /does not answer/);
            epoch.record = record;
            assert.equal((await status(standby.tools)).role, "replica");
        });

        it("is promoted in place once the primary is gone and the epoch says so, with its users, and keeps every row", async () => {
            await until("it has caught up", async () => (await client.orders(standby.place.port)).length === 3);
            await primary.stop();
            epoch.set(2, "standby");
            assert.equal(await guardOnce(standby.tools), undefined, "a guard alone never promotes");
            const answer = await promote(standby.tools);
            assert.equal(answer.store, standby.place.store);
            assert.ok(answer.position);
            assert.equal((await status(standby.tools)).role, "writable");
            await insert(standby, 4);
            assert.deepEqual(await client.orders(standby.place.port), [1, 2, 3, 4]);
            await client.run(standby.place.port, "backup", passwords.backup, ["SELECT number FROM orders"]);
        });

        it("answers the same when it is promoted again", async () => {
            const again = await promote(standby.tools);
            assert.equal(again.promotedAt, readMarker(standby.place.volume)?.promotedAt);
            assert.equal((await status(standby.tools)).role, "writable");
        });

        it("starts read-only after a restart, and is opened again", async () => {
            await standby.stop();
            assert.equal(await standby.seed(), "keep");
            await standby.start();
            assert.equal((await status(standby.tools)).role, "read-only");
            assert.match((await guardOnce(standby.tools)) ?? "", /^writable: epoch 2/);
            await insert(standby, 5);
        });

        it("stays read-only where the old primary comes back, though it was writable when it died", async () => {
            assert.equal(await primary.seed(), "keep");
            await primary.start();
            assert.equal((await status(primary.tools)).role, "read-only");
            assert.equal(await guardOnce(primary.tools), undefined);
            await assert.rejects(insert(primary, 98));
        });

        it("is closed by its guard when the epoch moves away, and drops the sessions that it had", async () => {
            const session = await client.session(standby.place.port);
            assert.equal(await session.alive(), true);
            epoch.set(3, "primary");
            assert.match((await guardOnce(standby.tools)) ?? "", /^read-only: epoch 3/);
            assert.equal(await session.alive(), false);
            await session.end();
            await assert.rejects(insert(standby, 97));
            assert.match((await guardOnce(primary.tools)) ?? "", /^writable: epoch 3/);
            await insert(primary, 6);
        });

        it("guesses nothing from a damaged marker", async () => {
            const file = join(standby.place.volume, "lifeboat.json");
            const whole = readFileSync(file, "utf8");
            writeFileSync(file, "{");
            await assert.rejects(guardOnce(standby.tools), refused);
            writeFileSync(file, whole);
            writeMarker(standby.place.volume, readMarker(standby.place.volume)!);
            assert.equal(readFileSync(file, "utf8"), whole);
        });
    });
}
