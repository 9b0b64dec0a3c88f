import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { PassThrough, Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { decrypting, encrypting } from "../../backup/envelope.ts";
import { Meter } from "../../backup/meter.ts";
import { partBytes, receive, send } from "../../backup/pipeline.ts";
import { newPoint, timeOf } from "../../backup/point.ts";
import type { Program } from "../../backup/program.ts";
import { startProgram } from "../../backup/program.ts";
import { account, clientsOf, derived, enterAccount, estate, keysIn } from "./support/account.ts";

const MiB = 1_048_576;
const store = "shop-mariadb";
const signal = new AbortController().signal;

/** A "program" whose output is generated: half of it compresses well, half of it not at all. */
function generated(bytes: number, ended: Promise<void> = Promise.resolve()): Program {
    const noise = randomBytes(MiB / 2);
    const chunk = Buffer.concat([noise, Buffer.alloc(MiB / 2, "INSERT INTO orders VALUES (1);\n")]);
    const stdout = Readable.from(
        (function* () {
            for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
        })(),
        { objectMode: false },
    );
    ended.catch(() => {});
    return { name: "generated", stdin: new PassThrough(), stdout, ended, kill: () => stdout.destroy() };
}

describe("the pipeline", function () {
    this.timeout(120_000);
    let leave: () => void;
    before(async () => {
        leave = await enterAccount();
    });
    after(() => leave?.());

    const key = `arn:aws:kms:${estate.sites.primary.region}:${account}:${derived.envelopeKeyAlias(store)}`;
    const outgoing = (dump: Program, point: string) => ({
        ...{ dump, isWhole: () => true, envelope: encrypting(clientsOf("primary").kms, key, { store, point }) },
        ...{ s3: clientsOf("primary").s3, bucket: derived.vaultBucket("primary"), key: `${store}/${point}/data`, signal },
    });

    it("takes no more memory for more data", async function () {
        this.timeout(300_000);
        /** Sends and fetches so many bytes. @returns the most memory that this process held meanwhile, MiB */
        async function through(bytes: number): Promise<number> {
            const point = newPoint(new Date());
            let most = 0;
            const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
            try {
                const sent = await send({ ...outgoing(generated(bytes), point), partBytes: 5 * MiB });
                assert.equal(sent.dump.bytes, bytes);
                let arrived = 0;
                const received = await receive({
                    ...{ s3: clientsOf("primary").s3, kms: clientsOf("primary").kms, account, bucket: derived.vaultBucket("primary") },
                    ...{ store, point, bytes: sent.stored.bytes, signal },
                    sink: new Writable({ write: (part: Buffer, _encoding, done) => ((arrived += part.length), done()) }),
                });
                assert.deepEqual([received.dump, received.stored, arrived], [sent.dump, sent.stored, bytes]);
            } finally {
                clearInterval(watch);
            }
            return most / MiB;
        }
        // The first run fills the process's own pools; the second has three times the data and should find them large enough.
        const [less, more] = [await through(96 * MiB), await through(288 * MiB)];
        assert.ok(more - less < 96, `${less.toFixed(0)} MiB for 96 MiB of data, ${more.toFixed(0)} MiB for 288 MiB`);
    });

    it("keeps nothing when the program ends badly after all of its output", async () => {
        const point = newPoint(new Date());
        const bad = Promise.reject(new Error("generated ended with exit status 2"));
        await assert.rejects(send({ ...outgoing(generated(8 * MiB, bad), point), partBytes: 5 * MiB }), /exit status 2/);
        assert.deepEqual(await keysIn("primary", `${store}/${point}/`), []);
    });

    it("keeps nothing when the output lacks its end marker", async () => {
        const point = newPoint(new Date());
        await assert.rejects(send({ ...outgoing(generated(MiB), point), isWhole: () => false, partBytes: 5 * MiB }), /end marker/);
        assert.deepEqual(await keysIn("primary", `${store}/${point}/`), []);
    });

    it("stops at its deadline, and keeps nothing", async () => {
        const point = newPoint(new Date());
        const endless = generated(Infinity);
        const stopped = send({ ...outgoing(endless, point), partBytes: 5 * MiB, signal: AbortSignal.timeout(700) });
        await assert.rejects(stopped);
        assert.deepEqual(await keysIn("primary", `${store}/${point}/`), []);
    });

    it("makes parts that S3's limit of 10,000 has room for", () => {
        assert.equal(partBytes(1_000), 16 * MiB);
        for (const expected of [1e9, 1e12, 2.5e12]) assert.ok(partBytes(expected) * 10_000 >= expected * 2);
    });
});

describe("an envelope", function () {
    this.timeout(60_000);
    let leave: () => void;
    before(async () => {
        leave = await enterAccount();
    });
    after(() => leave?.());

    it("can be torn down at any time without ending the process", async () => {
        const arn = `arn:aws:kms:${estate.sites.primary.region}:${account}:${derived.envelopeKeyAlias(store)}`;
        const sealing = encrypting(clientsOf("primary").kms, arn, { store, point: "p" });
        sealing.on("error", () => {});
        sealing.resume().write(randomBytes(MiB));
        await sleep(200);
        sealing.destroy(new Error("stopped"));
        const opening = decrypting(clientsOf("standby").kms, account, { store, point: "p" });
        opening.stream.on("error", () => {});
        opening.stream.write(randomBytes(1000));
        opening.stream.destroy();
        await sleep(200);
    });
});

describe("a meter", () => {
    it("keeps beginning and end, whatever the size of the pieces", async () => {
        const all = randomBytes(100_000);
        for (const size of [1, 7, 4_096, 99_999, 100_000]) {
            const meter = new Meter(5_000);
            meter.resume();
            for (let from = 0; from < all.length; from += size * 50) meter.write(all.subarray(from, from + size * 50));
            await new Promise<void>((resolve) => meter.end(resolve));
            assert.ok(meter.head.equals(all.subarray(0, 5_000)));
            assert.ok(meter.tail.equals(all.subarray(-5_000)), `pieces of ${size * 50}`);
            assert.equal(meter.measure().bytes, all.length);
        }
    });
});

describe("a program", () => {
    it("is told by its exit status, and by its own words", async () => {
        const good = startProgram("sh", ["-c", "cat >/dev/null"], { signal });
        good.stdin.end();
        await good.ended;
        const bad = startProgram("sh", ["-c", "echo no luck >&2; exit 3"], { signal });
        await assert.rejects(bad.ended, /sh ended with exit status 3: no luck/);
        await assert.rejects(startProgram("no-such-program", [], { signal }).ended, /not installed/);
    });
});

describe("the name of a point", () => {
    it("sorts by time and tells it", () => {
        const [a, b] = [new Date("2026-01-31T23:59:59.900Z"), new Date("2026-02-01T00:00:00Z")];
        assert.ok(newPoint(a) < newPoint(b));
        assert.equal(timeOf(newPoint(a)).toISOString(), "2026-01-31T23:59:59.000Z");
    });
});
