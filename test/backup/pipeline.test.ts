import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { decrypting, encrypting } from "../../backup/envelope.ts";
import { Meter } from "../../stores/meter.ts";
import { partBytes, send } from "../../backup/pipeline.ts";
import { newPoint, timeOf } from "../../backup/point.ts";
import type { Program } from "../../stores/program.ts";
import { startProgram } from "../../stores/program.ts";
import { startCommand } from "../support/cli.ts";
import { account, clientsOf, derived, enterAccount, estate, keysIn } from "./support/account.ts";
import { generated, MiB } from "./support/generated.ts";

const store = "shop-mariadb";
const signal = new AbortController().signal;

describe("the pipeline", function () {
    this.timeout(120_000);
    let leave: () => void;
    before(async () => {
        leave = await enterAccount();
    });
    after(() => leave?.());

    const key = `arn:aws:kms:${estate.sites.primary.region}:${account}:${derived.envelopeKeyAlias(store)}`;
    const outgoing = (source: Program, point: string) => ({
        ...{ source, whole: () => Promise.resolve(), envelope: encrypting(clientsOf("primary").kms, key, { store, point }) },
        ...{ s3: clientsOf("primary").s3, bucket: derived.vaultBucket("primary"), key: `${store}/${point}/data`, signal },
    });

    it("takes no more memory for more data", async function () {
        this.timeout(300_000);
        /** The most memory that a process of its own held while it sent and fetched so many bytes, MiB. */
        async function through(bytes: number): Promise<number> {
            const script = fileURLToPath(new URL("support/through.ts", import.meta.url));
            const { region } = clientsOf("primary");
            const asked = { bytes, region, account, bucket: derived.vaultBucket("primary"), envelopeKey: key, store };
            const { code, stdout, stderr } = await startCommand([process.execPath, script, JSON.stringify(asked)]).ended;
            assert.equal(code, 0, stderr);
            return Number(stdout);
        }
        const [less, more] = [await through(96 * MiB), await through(288 * MiB)];
        assert.ok(more - less < 96, `${less} MiB for 96 MiB of data, ${more} MiB for 288 MiB`);
    });

    it("keeps nothing when the program ends badly after all of its output", async () => {
        const point = newPoint(new Date());
        const bad = Promise.reject(new Error("generated ended with exit status 2"));
        await assert.rejects(send({ ...outgoing(generated(8 * MiB, bad), point), partBytes: 5 * MiB }), /exit status 2/);
        assert.deepEqual(await keysIn("primary", `${store}/${point}/`), []);
    });

    it("keeps nothing when what the program wrote is not whole", async () => {
        const point = newPoint(new Date());
        const whole = () => Promise.reject(new Error("it lacks its end"));
        await assert.rejects(send({ ...outgoing(generated(MiB), point), whole, partBytes: 5 * MiB }), /lacks its end/);
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
