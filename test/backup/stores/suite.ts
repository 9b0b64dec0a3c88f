import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DeleteObjectCommand, ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { CreateKeyCommand } from "@aws-sdk/client-kms";
import { backup } from "../../../backup/backup.ts";
import { encrypting } from "../../../backup/envelope.ts";
import { Meter } from "../../../stores/meter.ts";
import { restore, type RestoreOptions } from "../../../backup/restore.ts";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { kindOf } from "../../../stores/registry.ts";
import { dataKey, manifestKey, readText } from "../../../backup/vault.ts";
import { verify, type Finding } from "../../../backup/verification.ts";
import type { Engine } from "../../../sandbox/engines.ts";
import type { Failure } from "../../../model/failure.ts";
import type { Manifest } from "../../../model/manifest.ts";
import { at, clientsOf, derived, enterAccount, isInCatalog, keysIn, replicate, tamper } from "../support/account.ts";

/** What the suite needs to know of a kind of store: a running server, and its dialect. */
export interface Harness {
    kind: Engine;
    /** Program that dumps: the one that a test kills. */
    dumper: string;
    start(): Promise<{
        server: ServerAddress;
        /** Runs statements in a database. */
        run(database: string, statements: readonly string[]): Promise<void>;
        /** Rows of a query, as text. */
        rows(database: string, sql: string): Promise<string[][]>;
        /** Names of all databases. */
        databases(): Promise<string[]>;
        makeDatabase(name: string): Promise<void>;
        stop(): Promise<void>;
    }>;
    /** A table with a number, a text, bytes, a decimal and a moment. */
    createMixed: string;
    /** Literal of bytes. */
    bytes(value: Buffer): string;
    /** Fills a table `many (n int primary key, s …)` with so many rows, by itself. */
    fillMany(rows: number): readonly string[];
    /** A table, a view on it, a trigger that doubles what is inserted, a function, and a child table with a foreign key. */
    objects: readonly string[];
    /** Shows that all of `objects` work in a database: one row, these values. */
    useObjects: { run: readonly string[]; rows: string; expect: string[][] };
}

export function adapterSuite(harness: Harness): void {
    const { kind } = harness;
    const store = `shop-${kind}`;
    const adapter = kindOf({ engine: kind }).operations.logical;
    const quiet = { signal: new AbortController().signal, note: () => {} };

    describe(`${kind} through backup, verification and restore`, function () {
        this.timeout(60_000);
        let running: Awaited<ReturnType<Harness["start"]>>;
        let leave: () => void;
        let next = 0;

        before(async () => {
            leave = await enterAccount();
            running = await harness.start();
        });
        after(async () => {
            await running?.stop();
            leave?.();
        });

        /** A database of its own for a test. */
        const fresh = async (statements: readonly string[] = []): Promise<ServerAddress> => {
            const database = `db_${++next}`;
            await running.makeDatabase(database);
            await running.run(database, statements);
            return { ...running.server, database };
        };
        const take = async (server: ServerAddress): Promise<Manifest> => (await backup(at("primary"), store, server, quiet)).manifest;
        const check = async (point: string): Promise<Finding> => {
            const findings = await verify(at("standby"), store, quiet);
            const found = findings.find((finding) => finding.point === point);
            assert.ok(found, `${point} was not looked at`);
            return found;
        };
        const arrive = async (server: ServerAddress): Promise<Manifest> => {
            const manifest = await take(server);
            await replicate(store, manifest.point);
            assert.equal((await check(manifest.point)).outcome, "verified");
            return manifest;
        };
        /** Every test restores the point that it means, whatever others made before and after. */
        const bring = (manifest: Manifest, target: ServerAddress, options: Partial<RestoreOptions> = {}) =>
            restore(at("standby"), store, target, { ...quiet, at: new Date(manifest.startedAt), ...options });
        const mustBeRefused = async (manifest: Manifest, like: RegExp) => {
            const target = await fresh(["CREATE TABLE mine (n int primary key)", "INSERT INTO mine VALUES (7)"]);
            const before = await running.databases();
            await assert.rejects(bring(manifest, target, { replace: true }), (error: Failure) => {
                assert.match(`${error.message} ${String(error.cause)}`, like);
                return error.exit === "no";
            });
            assert.deepEqual(await running.rows(target.database, "SELECT n FROM mine"), [["7"]]);
            assert.deepEqual(await running.databases(), before, "a scratch is left");
        };

        it("brings an empty store back empty", async () => {
            const manifest = await arrive(await fresh());
            const report = await bring(manifest, await fresh());
            assert.deepEqual(report.tables, []);
        });

        it("brings every kind of value back as it was", async () => {
            const every = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
            const source = await fresh([
                harness.createMixed,
                `INSERT INTO mixed VALUES (1, 'äöü 漢字 😀 ''quoted'' "x" back\\\\slash', ${harness.bytes(every)}, 12345678901234567890.123456, '2026-01-31 23:59:59.123456')`,
                "INSERT INTO mixed VALUES (2, '', NULL, NULL, NULL), (3, NULL, NULL, -0.000001, '1999-12-31 00:00:00')",
                "INSERT INTO mixed VALUES (4, '-- Dump completed\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict x', NULL, 0, NULL)",
            ]);
            const manifest = await arrive(source);
            const target = await fresh();
            const report = await bring(manifest, target);
            const all = "SELECT * FROM mixed ORDER BY n";
            assert.deepEqual(await running.rows(target.database, all), await running.rows(source.database, all));
            assert.deepEqual(report.tables, await adapter.tables(source));
            assert.equal(report.tables[0]?.rows, 4);
        });

        it("brings rows of several MB back", async () => {
            const source = await fresh([harness.createMixed]);
            for (const n of [1, 2])
                await running.run(source.database, [
                    `INSERT INTO mixed VALUES (${n}, NULL, ${harness.bytes(randomBytes(2_500_000))}, NULL, NULL)`,
                ]);
            const target = await fresh();
            const report = await bring(await arrive(source), target);
            assert.deepEqual(report.tables, await adapter.tables(source));
        });

        it("brings many rows back, and tells a difference of one", async () => {
            const source = await fresh(harness.fillMany(60_000));
            const manifest = await arrive(source);
            assert.ok(manifest.stored.bytes < manifest.dump.bytes, "it is compressed");
            const report = await bring(manifest, await fresh());
            assert.equal(report.tables[0]?.rows, 60_000);
            assert.deepEqual(report.tables, await adapter.tables(source));
            await running.run(source.database, ["UPDATE many SET s = 'other' WHERE n = 33333"]);
            assert.notDeepEqual(report.tables, await adapter.tables(source));
        });

        it("brings views, triggers, functions and foreign keys back at work", async () => {
            const manifest = await arrive(await fresh(harness.objects));
            const into = await fresh(harness.objects);
            await bring(manifest, into, { replace: true });
            const empty = await fresh();
            await bring(manifest, empty);
            for (const { database } of [into, empty]) {
                await running.run(database, harness.useObjects.run);
                assert.deepEqual(await running.rows(database, harness.useObjects.rows), harness.useObjects.expect);
            }
        });

        it("shows one moment, while others write", async () => {
            const source = await fresh(["CREATE TABLE a (n int primary key)", "CREATE TABLE b (n int primary key)"]);
            let writing = true;
            const writer = (async () => {
                for (let n = 1; writing; n++)
                    await running.run(source.database, ["BEGIN", `INSERT INTO a VALUES (${n})`, `INSERT INTO b VALUES (${n})`, "COMMIT"]);
            })();
            await sleep(100);
            const manifest = await take(source);
            writing = false;
            await writer;
            await replicate(store, manifest.point);
            assert.equal((await check(manifest.point)).outcome, "verified");
            const [a, b] = (await bring(manifest, await fresh())).tables;
            assert.ok(a!.rows > 0);
            assert.equal(a!.rows, b!.rows);
        });

        it("restores the same point twice, and keeps what was there before", async () => {
            const manifest = await arrive(await fresh(["CREATE TABLE t (n int primary key)", "INSERT INTO t VALUES (1), (2)"]));
            const target = await fresh();
            const first = await bring(manifest, target);
            await running.run(target.database, ["INSERT INTO t VALUES (3)"]);
            await assert.rejects(
                bring(manifest, target),
                (error: Failure) => error.exit === "refused" && /holds 1 table/.test(error.message),
            );
            const second = await bring(manifest, target, { replace: true });
            assert.deepEqual(second.tables, first.tables);
            assert.deepEqual(await running.rows(target.database, "SELECT n FROM t ORDER BY n"), [["1"], ["2"]]);
            assert.ok(second.kept);
            assert.deepEqual(await running.rows(second.kept, "SELECT n FROM t ORDER BY n"), [["1"], ["2"], ["3"]]);
        });

        it("restores the newest point that is not after the moment asked for", async () => {
            const source = await fresh(["CREATE TABLE t (n int primary key)", "INSERT INTO t VALUES (1)"]);
            const early = await arrive(source);
            await running.run(source.database, ["INSERT INTO t VALUES (2)"]);
            await sleep(1100);
            const late = await arrive(source);
            const between = new Date(new Date(late.startedAt).getTime() - 1);
            assert.equal((await bring(late, await fresh(), { at: between })).point, early.point);
            const newest = await restore(at("standby"), store, await fresh(), quiet);
            assert.equal(newest.point, late.point);
            assert.equal(newest.tables[0]?.rows, 2);
            await assert.rejects(bring(early, await fresh(), { at: new Date("2001-01-01") }), /no verified recovery point/);
        });

        it("leaves no object, no manifest and no upload when the dump is killed half-way", async () => {
            const source = await fresh([harness.createMixed]);
            for (let n = 1; n <= 8; n++)
                await running.run(source.database, [
                    `INSERT INTO mixed VALUES (${n}, NULL, ${harness.bytes(randomBytes(2_000_000))}, NULL, NULL)`,
                ]);
            const before = await keysIn("primary", `${store}/`);
            const failing = take(source);
            const killed = killChild(harness.dumper);
            await assert.rejects(failing, (error: Failure) => {
                assert.match(String(error.cause), /SIGKILL/);
                return error.exit === "no";
            });
            assert.equal(await killed, true);
            assert.deepEqual(await keysIn("primary", `${store}/`), before);
            const uploads = await clientsOf("primary").s3.send(new ListMultipartUploadsCommand({ Bucket: derived.vaultBucket("primary") }));
            assert.deepEqual(uploads.Uploads ?? [], []);
        });

        it("says that a server which does not answer is unavailable", async () => {
            const dead = { ...running.server, port: 9 };
            await assert.rejects(take(dead), (error: Failure) => error.exit === "unavailable");
        });

        it("waits for data that arrives after its manifest", async () => {
            const manifest = await take(await fresh(["CREATE TABLE t (n int primary key)"]));
            await replicate(store, manifest.point, ["manifest.json"]);
            assert.deepEqual(await check(manifest.point), { outcome: "waiting", point: manifest.point, late: false });
            assert.equal(await isInCatalog(store, manifest.point), false);
            await replicate(store, manifest.point, ["data"]);
            assert.equal((await check(manifest.point)).outcome, "verified");
        });

        for (const [what, change] of [
            ["cut off", (bytes: Buffer) => bytes.subarray(0, -20)],
            ["changed in one bit", flip],
        ] as const) {
            it(`rejects an object that is ${what}`, async () => {
                const manifest = await take(await fresh(["CREATE TABLE t (n int primary key)", "INSERT INTO t VALUES (1)"]));
                await replicate(store, manifest.point);
                await tamper(dataKey(store, manifest.point), change);
                assert.equal((await check(manifest.point)).outcome, "rejected");
                assert.equal(await isInCatalog(store, manifest.point), false);
                assert.equal((await verify(at("standby"), store, quiet)).length, 0, "it is looked at once");
            });

            it(`does not restore a verified object that was ${what} later`, async () => {
                const manifest = await arrive(await fresh(["CREATE TABLE t (n int primary key)", "INSERT INTO t VALUES (1)"]));
                await tamper(dataKey(store, manifest.point), change);
                await mustBeRefused(manifest, /bytes at|not restored/);
            });
        }

        it("rejects data whose manifest describes another point", async () => {
            const [one, other] = [
                await take(await fresh(["CREATE TABLE one (n int)"])),
                await take(await fresh(["CREATE TABLE two (n int)"])),
            ];
            await replicate(store, one.point);
            await replicate(store, other.point);
            const { s3 } = clientsOf("standby");
            const text = (await readText(s3, derived.vaultBucket("standby"), manifestKey(store, one.point)))!;
            await tamper(manifestKey(store, other.point), () => Buffer.from(text));
            assert.match(JSON.stringify(await check(other.point)), /rejected.*describes/);
        });

        it("rejects the data of one point under the name of another, though every hash was made to match", async () => {
            const [one, other] = [
                await take(await fresh(["CREATE TABLE one (n int)"])),
                await take(await fresh(["CREATE TABLE two (n int)"])),
            ];
            await replicate(store, one.point);
            await replicate(store, other.point, ["manifest.json"]);
            const { s3 } = clientsOf("standby");
            const Bucket = derived.vaultBucket("standby");
            await replicate(store, other.point, ["data"]);
            let data: Buffer = Buffer.alloc(0);
            await tamper(dataKey(store, one.point), (bytes) => (data = bytes));
            await tamper(dataKey(store, other.point), () => data);
            const forged = { ...other, stored: one.stored, dump: one.dump };
            await s3.send(new PutObjectCommand({ Bucket, Key: manifestKey(store, other.point), Body: JSON.stringify(forged) }));
            assert.match(JSON.stringify(await check(other.point)), /rejected.*was made for/);
        });

        it("does not verify what was encrypted under a key that the standby does not have", async () => {
            const manifest = await take(await fresh(["CREATE TABLE t (n int)"]));
            await replicate(store, manifest.point);
            const { kms } = clientsOf("primary");
            const single = (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
            const sealed = encrypting(kms, single, { store, point: manifest.point });
            const meter = new Meter();
            sealed.pipe(meter).resume();
            const parts: Buffer[] = [];
            meter.on("data", (part: Buffer) => parts.push(part));
            sealed.end("-- Dump completed\n");
            await new Promise((resolve) => meter.once("end", resolve));
            await tamper(dataKey(store, manifest.point), () => Buffer.concat(parts));
            await tamper(manifestKey(store, manifest.point), () => Buffer.from(JSON.stringify({ ...manifest, stored: meter.measure() })));
            assert.notEqual((await check(manifest.point)).outcome, "verified");
            assert.equal(await isInCatalog(store, manifest.point), false);
            // Nothing was found about the data, so it would be asked for in every later test.
            await clientsOf("standby").s3.send(
                new DeleteObjectCommand({ Bucket: derived.vaultBucket("standby"), Key: manifestKey(store, manifest.point) }),
            );
        });

        it("knows the end of a whole dump from the end of a cut one", async () => {
            const source = await fresh(["CREATE TABLE t (n int primary key)"]);
            const dump = adapter.dump(source, await adapter.describe(source), quiet.signal);
            dump.stdin.end();
            const parts: Buffer[] = [];
            for await (const part of dump.stdout) parts.push(part as Buffer);
            const whole = Buffer.concat(parts);
            assert.equal(adapter.isWhole(whole), true);
            for (const cut of [40, 60, 100, 200]) assert.equal(adapter.isWhole(whole.subarray(0, -cut)), false, `${cut} bytes short`);
            assert.equal(adapter.isWhole(Buffer.alloc(0)), false);
        });
    });
}

function flip(bytes: Buffer): Buffer {
    const changed = Buffer.from(bytes);
    const middle = Math.floor(changed.length / 2);
    changed[middle]! ^= 1;
    return changed;
}

/** Kills a child of this process by its program's name, as soon as there is one. */
async function killChild(name: string): Promise<boolean> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(5))
        for (const pid of readdirSync("/proc").filter((each) => /^\d+$/.test(each)))
            try {
                const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
                if (
                    stat.includes(`(${name.slice(0, 15)})`) &&
                    stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] === String(process.pid)
                ) {
                    await sleep(20);
                    process.kill(Number(pid), "SIGKILL");
                    return true;
                }
            } catch {
                // it was not a process any more
            }
    return false;
}
