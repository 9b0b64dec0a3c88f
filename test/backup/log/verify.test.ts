import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchLog } from "../../../backup/log/fetch.ts";
import { logReach, tellReach } from "../../../backup/log/record.ts";
import { searchLog, type Hit } from "../../../backup/log/search.ts";
import { verifyLog } from "../../../backup/log/verify.ts";
import { at, clientsOf, derived, enterAccount, keysIn, tamper } from "../support/account.ts";
import { covers, lineLog, numbersIn } from "./support/engine.ts";
import { Bench, never, standby, upTo } from "./support/fixture.ts";

const Bucket = derived.vaultBucket("standby");

/** A log of 90 transactions in three files and some ten pieces. */
async function shipped(name: string) {
    const bench = await Bench.open(name);
    const server = bench.server();
    const shipping = bench.ship(server, bench.directory("shipper"), { sealBytes: 300 });
    for (let file = 0; file < 3; file += 1) {
        server.write(30, 20);
        if (file < 2) server.rotate();
    }
    const history = await shipping.history();
    for (let tries = 0; tries < 100; tries += 1) {
        await sleep(30);
        await shipping.seal();
        const [, , last] = (await bench.list())[0]?.files ?? [];
        if (last?.position === "90") break;
    }
    const keys = await keysIn("standby", `${bench.store}/log/`);
    const verified = () =>
        verifyLog(standby, bench.store, { signal: never, note: (line) => bench.notes.push(line), log: lineLog(), scratch: bench.root });
    return { bench, server, shipping, history, keys, verified };
}

const lose = (key: string) => clientsOf("standby").s3.send(new DeleteObjectCommand({ Bucket, Key: key }));

async function move(from: string, to: string): Promise<void> {
    let bytes: Buffer = Buffer.alloc(0);
    await tamper(from, (found) => (bytes = found));
    await clientsOf("standby").s3.send(new PutObjectCommand({ Bucket, Key: to, Body: bytes }));
}

describe("a shipped log", function () {
    this.timeout(30_000);
    let leave: () => void;
    before(async () => void (leave = await enterAccount()));
    after(() => leave());

    it("is looked at piece by piece, each once, and its reach is written down", async () => {
        const { bench, server, shipping, history, keys, verified } = await shipped("looked");
        await using _ = bench;
        const [first] = await verified();
        assert.ok(first?.outcome === "looked" && first.pieces === keys.length && !first.trouble, JSON.stringify(first));
        assert.deepEqual(
            (await verified()).map((found) => found.outcome === "looked" && found.pieces),
            [0],
        );
        server.write(3, 20);
        await sleep(100);
        await shipping.seal();
        const [again] = await verified();
        assert.ok(again?.outcome === "looked" && again.pieces >= 1 && again.pieces <= 2);
        const [record] = await logReach(standby, bench.store);
        assert.equal(record?.history, history);
        assert.deepEqual(record.good?.position, "93");
        assert.equal(record.good.committedAt, new Date(93_000).toISOString());
        assert.match(tellReach(record, new Date()).line, /good up to 93, committed 1970/);
    });

    it("with a piece missing in the middle is known up to there, and no further, until the piece is there", async () => {
        const { bench, history, keys, verified } = await shipped("missing");
        await using _ = bench;
        const middle = keys[Math.floor(keys.length / 2)]!;
        let bytes: Buffer = Buffer.alloc(0);
        await tamper(middle, (found) => (bytes = found));
        await lose(middle);
        const [found] = await verified();
        assert.ok(found?.outcome === "looked" && !found.trouble);
        assert.match(found.record.gap!.why, /^bytes \d+ to \d+ of log\.000002 are missing|log\.000002 is missing from byte/);
        assert.equal(tellReach(found.record, new Date(Date.now() + 3_600_000)).trouble, true);
        await assert.rejects(bench.fetch(history), /has a gap: .*log\.000002/);
        const early = await bench.fetch(history, { until: { to: "position", position: "30" } });
        assert.deepEqual(numbersIn(early.directory, early.files), upTo(30));
        await clientsOf("standby").s3.send(new PutObjectCommand({ Bucket, Key: middle, Body: bytes }));
        const [whole] = await verified();
        assert.ok(whole?.outcome === "looked" && whole.record.gap === undefined && whole.record.good?.position === "90");
    });

    for (const [what, change] of [
        ["a flipped bit", (bytes: Buffer) => (bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 4, bytes.length >> 1), bytes)],
        ["a cut-off end", (bytes: Buffer) => bytes.subarray(0, bytes.length - 7)],
        ["nothing in it", () => Buffer.alloc(0)],
    ] as const)
        it(`with ${what} in one piece is refused there, by the verifier and before a restore`, async () => {
            const { bench, history, keys, verified } = await shipped(`tampered-${what.replaceAll(/\W/g, "")}`);
            await using _ = bench;
            await tamper(keys[4]!, change);
            const [found] = await verified();
            assert.ok(found?.outcome === "looked" && found.trouble && found.record.damaged, JSON.stringify(found));
            assert.ok(bench.notes.some((line) => line.includes("DAMAGED")));
            await assert.rejects(bench.fetch(history), /are not what was put there/);
        });

    it("takes no piece in another's place, nor another store's, nor one that says to end a file", async () => {
        const { bench, history, keys, verified } = await shipped("swapped");
        await using _ = bench;
        const other = await shipped("foreign");
        await using __ = other.bench;
        const whole = numbersIn(...(await bench.fetched(history)));
        assert.deepEqual(whole, upTo(90));
        const [one, two] = [keys[1]!, keys[2]!];
        let first: Buffer = Buffer.alloc(0);
        await tamper(one, (bytes) => (first = bytes));
        await tamper(two, () => first);
        await assert.rejects(bench.fetch(history), /are not what was put there/);
        await move(other.keys[2]!, two);
        await assert.rejects(bench.fetch(history), /are not what was put there/);
        await lose(two);
        // What is left of the file, said to be all of it.
        const rest = keys.filter((key) => key.includes("/log.000001/")).slice(2);
        for (const key of rest) await lose(key).catch(() => {});
        await move(one, `${one.replace(/(\.cut|\.end)$/, "")}.end`);
        await lose(one);
        await assert.rejects(bench.fetch(history), /are not what was put there/);
        const [found] = await verified();
        assert.ok(found?.outcome === "looked" && found.trouble);
    });

    it("is searched for what was done, from a moment on, and behind a gap too, which is told", async () => {
        const { bench, keys } = await shipped("searched");
        await using _ = bench;
        const search = async (like: string, since?: Date) => {
            const hits: Hit[] = [];
            const options = {
                like,
                signal: never,
                note: (line: string) => bench.notes.push(line),
                log: lineLog(),
                ...(since ? { since } : {}),
            };
            const { unsearched } = await searchLog(standby, bench.store, options, (hit) => hits.push(hit));
            return { numbers: hits.map(({ transaction }) => Number(transaction)), unsearched };
        };
        assert.deepEqual(await search("7 x"), { numbers: [7, 17, 27, 37, 47, 57, 67, 77, 87], unsearched: 0 });
        await lose(keys.filter((key) => key.includes("/log.000002/"))[0]!);
        assert.deepEqual(await search("7 x"), { numbers: [7, 17, 27, 67, 77, 87], unsearched: 1 });
        assert.ok(bench.notes.some((line) => line.includes("NOT SEARCHED: bytes 0 to")));
    });

    it("that is not there is said to be not there", async () => {
        await using bench = await Bench.open("nothing");
        const options = { like: "x", signal: never, note: () => {}, log: lineLog() };
        await assert.rejects(
            searchLog(standby, bench.store, options, () => {}),
            /no log of shop-nothing lies in this site's vault/,
        );
        const want = { history: "20261127T010203Z-0f3a~standby", from: { file: "log.000001", offset: 0 } };
        await assert.rejects(
            fetchLog(at("standby"), bench.store, want, bench.directory("x"), never, { log: lineLog(), covers }),
            /nothing of log\.000001 is there/,
        );
    });
});
