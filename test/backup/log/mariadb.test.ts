import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchLog } from "../../../backup/log/fetch.ts";
import { searchLog, type Hit } from "../../../backup/log/search.ts";
import { shipLog, type Shipping } from "../../../backup/log/ship.ts";
import { verifyLog } from "../../../backup/log/verify.ts";
import { kindOf } from "../../../stores/registry.ts";
import { enterAccount } from "../support/account.ts";
import { mariadb } from "../support/mariadb.ts";
import { Bench, never, standby } from "./support/fixture.ts";

const { covers } = kindOf({ engine: "mariadb" });

describe("the log of a real MariaDB", function () {
    this.timeout(120_000);
    let leave: () => void;
    let running: Awaited<ReturnType<typeof mariadb.start>>;
    before(async () => {
        leave = await enterAccount();
        running = await mariadb.start();
        await mariadb.run(running.server, ["CREATE DATABASE shop", "CREATE TABLE shop.orders (n int primary key, pad text)"]);
    });
    after(async () => {
        await running.stop();
        leave();
    });

    const shipping = (bench: Bench, directory = bench.directory("shipper")) => {
        const stop = new AbortController();
        const histories: string[] = [];
        const shipped = shipLog(standby, bench.store, running.server, directory, {
            signal: stop.signal,
            note: (line) => bench.notes.push(line),
            onNewHistory: (history) => histories.push(history),
            sealAfter: 200,
            sealBytes: 20_000,
        });
        const end = async () => (stop.abort(), shipped.ended);
        return { ...shipped, histories, stop: end, [Symbol.asyncDispose]: end };
    };
    const insert = (from: number, to: number) =>
        mariadb.run(
            running.server,
            Array.from(
                { length: to - from + 1 },
                (_, at) => `INSERT INTO shop.orders VALUES (${from + at}, repeat('x', ${(from + at) % 700}))`,
            ),
        );
    const gtid = async () => (await mariadb.rows(running.server, "SELECT @@gtid_binlog_pos"))[0]![0]!;
    /** Until the vault's names say that it has all. */
    const arrived = async (bench: Bench, { seal }: Pick<Shipping, "seal">) => {
        const wanted = await gtid();
        for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
            await seal();
            const position = (await bench.list()).at(-1)?.files.findLast((file) => file.position !== undefined)?.position;
            if (position !== undefined && covers(position, wanted)) return wanted;
            assert.ok(Date.now() < deadline, `the vault has ${position}, the server ${wanted}`);
        }
    };
    const fetched = (bench: Bench, history: string, until: Parameters<typeof fetchLog>[2]["until"] = { to: "newest" }) =>
        fetchLog(standby, bench.store, { history, from: { file: "binlog.000001", offset: 0 }, until }, bench.directory("fetched"), never);

    it("is shipped without gap or repeat over rotations and restarts of the shipper, verified, and searched", async () => {
        await using bench = await Bench.open("real");
        const directory = bench.directory("shipper");
        await using first = shipping(bench, directory);
        const history = await first.history();
        await insert(1, 150);
        await mariadb.run(running.server, ["FLUSH BINARY LOGS"]);
        await insert(151, 200);
        await first.stop();
        await insert(201, 300);
        await mariadb.run(running.server, ["FLUSH BINARY LOGS", "FLUSH BINARY LOGS"]);
        await using second = shipping(bench);
        assert.equal(await second.history(), history);
        await insert(301, 400);
        const before = await arrived(bench, second);
        await mariadb.run(running.server, ["DROP TABLE shop.orders", "CREATE TABLE shop.orders (n int primary key, pad text)"]);
        const newest = await arrived(bench, second);
        const log = await fetched(bench, history);
        assert.equal(log.position, newest);
        assert.equal(log.files.length, 4);
        const partly = await fetched(bench, history, { to: "position", position: before });
        assert.ok(partly.reached && covers(partly.position!, before));
        const [found] = await verifyLog(standby, bench.store, { signal: never, note: (line) => bench.notes.push(line) });
        assert.ok(found?.outcome === "looked" && !found.trouble && found.record.good?.position === newest, JSON.stringify(found));
        const hits: Hit[] = [];
        await searchLog(standby, bench.store, { like: "drop table", signal: never, note: () => {} }, (hit) => hits.push(hit));
        assert.equal(hits.length, 1);
        assert.match(hits[0]!.statements.join(), /DROP TABLE/i);
        const rows: Hit[] = [];
        await searchLog(standby, bench.store, { like: "shop.orders", signal: never, note: () => {} }, (hit) => rows.push(hit));
        assert.ok(rows.length >= 402, String(rows.length));
        await second.stop();
        assert.deepEqual([...first.histories, ...second.histories], [history]);
    });

    it("begins a new history after RESET MASTER while the shipper was away", async () => {
        await using bench = await Bench.open("real-reset");
        await using former = shipping(bench);
        const history = await former.history();
        await insert(1_000, 1_040);
        await arrived(bench, former);
        await former.stop();
        await mariadb.run(running.server, ["RESET MASTER"]);
        await insert(2_000, 2_100);
        await using second = shipping(bench);
        const next = await second.history();
        assert.notEqual(next, history);
        const newest = await arrived(bench, second);
        assert.equal((await fetched(bench, next)).position, newest);
        assert.ok(bench.notes.some((line) => line.includes("NEW HISTORY") && line.includes("was reset")));
        await second.stop();
    });

    it("is under 2 s behind while transactions are written without pause", async () => {
        await using bench = await Bench.open("real-lag");
        const stop = new AbortController();
        const shipped = shipLog(standby, bench.store, running.server, bench.directory("shipper"), {
            signal: stop.signal,
            note: (line) => bench.notes.push(line),
        });
        await shipped.history();
        const lags: number[] = [];
        const watching = setInterval(() => lags.push(shipped.lag().seconds), 50);
        for (let n = 5_000; n < 9_000; n += 400) await insert(n, n + 399);
        clearInterval(watching);
        await arrived(bench, shipped);
        stop.abort();
        await shipped.ended;
        assert.ok(Math.max(...lags) < 2, `${Math.max(...lags)} s, ${bench.notes.join()}`);
    });
});
