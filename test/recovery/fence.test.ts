import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { EpochRecord } from "../../model/epoch.ts";
import { defineEstate } from "../../stores/estate.ts";
import { Failure } from "../../model/failure.ts";
import { witness } from "../../model/names.ts";
import { seconds } from "../../model/units.ts";
import type { CoordinationBucket } from "../../recovery/conditional-bucket.ts";
import { raiseFence, readFence } from "../../recovery/fence.ts";
import { claimStep } from "../../recovery/steps/claim.ts";
import { fenceStep } from "../../recovery/steps/fence.ts";
import { declaration } from "../model/declaration.ts";
import { bucketInMemory } from "./bucket.ts";
import { bootstrapped, from } from "./doubles.ts";

const claimed: EpochRecord = { ...from, epoch: 2, active: "standby", activation: "mine" };
const terms = { ...defineEstate(declaration()).lease, duration: seconds(-0.9) }; // with the margin of 1 s: 0.1 s
const refused =
    (pattern: RegExp, next = /./) =>
    (error: unknown) =>
        error instanceof Failure && error.exit === "refused" && pattern.test(error.message) && next.test(error.next);
const context = (notes: string[] = []) => ({ signal: AbortSignal.timeout(10_000), note: (line: string) => void notes.push(line) });
const silent = (bucket: CoordinationBucket): CoordinationBucket => {
    const no = () => Promise.reject(new Failure("unavailable", "the witness hangs", "wait"));
    return { ...bucket, get: no, create: no, replace: no, put: no, list: no };
};

describe("the witness's copy of the epoch", () => {
    it("goes up, is raised once, and takes a repeat for what it is", async () => {
        const bucket = bucketInMemory(new Map(bootstrapped()));
        assert.equal(await raiseFence(bucket, claimed), true);
        assert.equal(await raiseFence(bucket, claimed), false);
        assert.deepEqual((await readFence(bucket)).record, claimed);
    });

    it("never goes down, and of two sites in one epoch takes the first", async () => {
        const bucket = bucketInMemory(new Map(bootstrapped(claimed)));
        await assert.rejects(raiseFence(bucket, from), refused(/knows epoch 2 \(standby active.*and was to be told 1/));
        await assert.rejects(raiseFence(bucket, { ...claimed, active: "primary" }), refused(/and was to be told 2/));
    });

    it("has one winner of many, and tells the losers of a lower epoch", async () => {
        const bucket = bucketInMemory(new Map(bootstrapped()));
        const raised = await Promise.allSettled([2, 3, 4].map((epoch) => raiseFence(bucket, { ...claimed, epoch })));
        assert.equal((await readFence(bucket)).record.epoch, 4);
        assert.equal(raised[2]?.status, "fulfilled");
    });

    it("that was never given says which command gives it", async () => {
        await assert.rejects(readFence(bucketInMemory()), (error: Failure) => /lifeboat bootstrap/.test(error.next));
    });
});

describe("the fence", () => {
    const start = () => {
        const bucket = bucketInMemory(new Map([bootstrapped(claimed)[0]!, bootstrapped()[1]!]));
        return { bucket, step: fenceStep({ bucket, witness: bucket, terms, epoch: 2 }) };
    };
    const timed = async <T>(work: Promise<T>) => {
        const began = performance.now();
        return { result: await work, took: (performance.now() - began) / 1000 };
    };

    it("raises the witness's copy first, and then waits the lease out", async () => {
        const { bucket, step } = start();
        const running = timed(step.apply(context()));
        await sleep(40);
        assert.equal((await readFence(bucket)).record.epoch, 2);
        const { result, took } = await running;
        assert.ok(took >= 0.09, `it waited ${took} s`);
        assert.deepEqual({ ...result, waitedSeconds: 0 }, { epoch: 2, witness: "raised", waitedSeconds: 0 });
    });

    it("waits for the longest lease that a guard says it holds, and tells of a record that it cannot read", async () => {
        const { bucket, step } = start();
        const said = { store: "ledger", site: "primary", epoch: 1, holder: "ledger-0", at: from.at, seconds: 0.2 };
        await bucket.put(witness.lease("ledger"), JSON.stringify(said));
        await bucket.put(witness.lease("people"), "{}");
        await bucket.put(witness.lease("till"), "{");
        const notes: string[] = [];
        const controller = new AbortController();
        const { result } = await timed(step.apply({ ...context(notes), signal: controller.signal }));
        assert.equal(result["waitedSeconds"], 1.2);
        assert.match(notes.join("\n"), /lease\/people.json is no lease record/);
        assert.match(notes.join("\n"), /lease\/till.json is no lease record/);
    });

    it("waits anew when it is repeated, and ends at once when it is stopped", async () => {
        const { step } = start();
        await step.apply(context());
        assert.ok((await timed(step.apply(context()))).took >= 0.09);
        await assert.rejects(step.apply({ ...context(), signal: AbortSignal.abort(new Error("stopped")) }));
    });

    it("is refused where the witness cannot be told, with the way on for whoever knows that the primary is dead", async () => {
        const { bucket } = start();
        const step = fenceStep({ bucket, witness: silent(bucket), terms, epoch: 2 });
        await assert.rejects(
            step.apply(context()),
            refused(/a primary that lives and reaches it could go on writing.*hangs/, /--without-witness --reason/),
        );
    });

    it("leaves the witness out where that was asked for, says so, and waits all the same", async () => {
        const { bucket } = start();
        const notes: string[] = [];
        const { result, took } = await timed(fenceStep({ bucket, witness: undefined, terms, epoch: 2 }).apply(context(notes)));
        assert.equal(result["witness"], "left out");
        assert.ok(took >= 0.09);
        assert.match(notes.join(), /a primary that lives and reaches it is not fenced/);
        assert.equal((await readFence(bucket)).record.epoch, 1);
    });

    it("is refused when the epoch is no longer the activation's", async () => {
        const { bucket } = start();
        await assert.rejects(fenceStep({ bucket, witness: bucket, terms, epoch: 5 }).apply(context()), refused(/epoch moved to 2/));
    });
});

describe("the undo of a claim", () => {
    const claim = (bucket: CoordinationBucket, told: CoordinationBucket | undefined) =>
        claimStep({ bucket, witness: told, activation: "mine", from, to: "standby", by: "test", reason: "test" });

    it("raises both records once more, for the site that was active", async () => {
        const bucket = bucketInMemory(new Map(bootstrapped()));
        const step = claim(bucket, bucket);
        await step.apply(context());
        await raiseFence(bucket, claimed);
        assert.deepEqual(await step.undo(context()), { epoch: 3, active: "primary", witness: "raised" });
        assert.equal((await readFence(bucket)).record.epoch, 3);
        assert.deepEqual(await step.undo(context()), { epoch: 3, active: "primary", witness: "raised" });
    });

    it("is whole where the witness cannot be told: that is said, and left to the standby's guards", async () => {
        const bucket = bucketInMemory(new Map(bootstrapped()));
        const step = claim(bucket, silent(bucket));
        await step.apply(context());
        const notes: string[] = [];
        const { witness: told, ...record } = await step.undo(context(notes));
        assert.deepEqual(record, { epoch: 3, active: "primary" });
        assert.match(String(told), /^not told: the witness hangs/);
        assert.match(notes.join(), /the standby's guards will tell it/);
    });
});
