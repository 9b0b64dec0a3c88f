import assert from "node:assert/strict";
import { Failure } from "../../model/failure.ts";
import { coordination } from "../../model/names.ts";
import type { EpochRecord } from "../../model/epoch.ts";
import { coordinationBucket, type CoordinationBucket } from "../../recovery/conditional-bucket.ts";
import { claimEpoch, parseEpoch, readEpoch } from "../../recovery/epoch.ts";
import { claimStep } from "../../recovery/steps/claim.ts";
import { startAccount, type Account } from "./account.ts";

const at = "2026-11-21T15:40:10Z";
const first: EpochRecord = { epoch: 1, active: "primary", at, by: "bootstrap", reason: "bootstrap" };
const claimBy = (activation: string) => ({ active: "standby" as const, at, by: "anna@laptop", reason: "test", activation });
const refused = (pattern: RegExp) => (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.exit, "refused");
    assert.match(error.message, pattern);
    return true;
};
const context = { signal: AbortSignal.timeout(30_000), note: () => undefined };

describe("the coordination bucket", function () {
    this.timeout(60_000);
    let account: Account;
    let bucket: CoordinationBucket;
    let count = 0;

    before(async () => void (account = await startAccount()));
    after(() => account.stop());
    beforeEach(async () => {
        const name = `coordination-${++count}`;
        await account.makeBucket(name);
        bucket = coordinationBucket(account.s3, name);
    });

    it("creates an object once, and takes the same text again for a repeat of the same call", async () => {
        assert.equal(await bucket.get("a"), undefined);
        assert.equal(await bucket.create("a", "one"), true);
        assert.equal(await bucket.create("a", "one"), true);
        assert.equal(await bucket.create("a", "two"), false);
        assert.equal((await bucket.get("a"))?.text, "one");
    });

    it("replaces what was read, and nothing that has changed since", async () => {
        await bucket.create("a", "one");
        const { etag } = (await bucket.get("a")) ?? assert.fail();
        assert.equal(await bucket.replace("a", "two", etag), true);
        assert.equal(await bucket.replace("a", "three", etag), false);
        assert.equal((await bucket.get("a"))?.text, "two");
    });

    it("lists keys in the order of their names, folded at a delimiter", async () => {
        for (const key of ["journal/b/1", "journal/a/2", "journal/a/1", "other"]) await bucket.create(key, "x");
        assert.deepEqual(await bucket.list("journal/"), ["journal/a/1", "journal/a/2", "journal/b/1"]);
        assert.deepEqual(await bucket.list("journal/", "/"), ["journal/a/", "journal/b/"]);
    });

    it("that was never made says which command makes it", async () => {
        const missing = coordinationBucket(account.s3, "no-such-bucket");
        await assert.rejects(missing.get("a"), (error: Failure) => error.exit === "prerequisite" && /lifeboat bootstrap/.test(error.next));
        await assert.rejects(missing.create("a", "x"), (error: Failure) => error.exit === "prerequisite");
    });

    it("lets exactly one of forty claims of an epoch win", async () => {
        await bucket.create(coordination.epoch, JSON.stringify(first));
        const claims = Array.from({ length: 40 }, (_, n) => claimEpoch(bucket, 1, claimBy(`activation-${n}`)));
        const results = await Promise.allSettled(claims);
        const won = results.filter((result) => result.status === "fulfilled");
        assert.equal(won.length, 1);
        for (const result of results)
            if (result.status === "rejected") refused(/the epoch moved to 2 while this activation held 1/)(result.reason);
        assert.deepEqual((await readEpoch(bucket)).record, won[0]?.value);
    });

    it("takes a claim that is made again by the same activation for the one that was made", async () => {
        await bucket.create(coordination.epoch, JSON.stringify(first));
        const made = await claimEpoch(bucket, 1, claimBy("mine"));
        assert.deepEqual(await claimEpoch(bucket, 1, { ...claimBy("mine"), at: "2026-11-21T15:41:10Z", by: "bert@desk" }), made);
        await assert.rejects(claimEpoch(bucket, 1, claimBy("other")), refused(/moved to 2.*by anna@laptop \(activation mine\)/));
        assert.equal((await readEpoch(bucket)).record.epoch, 2);
    });

    it("raises the epoch when a claim is undone, however often it is undone, and never lowers it", async () => {
        await bucket.create(coordination.epoch, JSON.stringify(first));
        const step = claimStep({
            bucket,
            witness: undefined,
            activation: "mine",
            from: first,
            to: "standby",
            by: "anna@laptop",
            reason: "test",
        });
        assert.deepEqual(await step.apply(context), { epoch: 2, active: "standby" });
        assert.deepEqual(await step.undo(context), { epoch: 3, active: "primary" });
        assert.deepEqual(await step.undo(context), { epoch: 3, active: "primary" });
        await assert.rejects(step.apply(context), refused(/the epoch moved to 3/));
    });

    it("leaves a claim of somebody else alone when a claim that never took place is undone", async () => {
        await bucket.create(coordination.epoch, JSON.stringify(first));
        await claimEpoch(bucket, 1, claimBy("other"));
        const step = claimStep({
            bucket,
            witness: undefined,
            activation: "mine",
            from: first,
            to: "standby",
            by: "anna@laptop",
            reason: "test",
        });
        assert.deepEqual(await step.undo(context), { epoch: 2, active: "standby", claimed: false });
        assert.equal((await readEpoch(bucket)).record.activation, "other");
    });

    it("refuses to guess who is active from a damaged record", async () => {
        for (const text of [
            "",
            "{",
            "[]",
            JSON.stringify({ ...first, epoch: 0 }),
            JSON.stringify({ ...first, active: "both" }),
            JSON.stringify({ ...first, more: 1 }),
        ])
            assert.throws(() => parseEpoch(text), refused(/the epoch record is damaged/), text);
        await assert.rejects(readEpoch(bucket), (error: Failure) => error.exit === "prerequisite");
    });
});
