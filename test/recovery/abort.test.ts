import assert from "node:assert/strict";
import { Failure } from "../../model/failure.ts";
import { abortActivation, runActivation } from "../../recovery/activation.ts";
import { resumeActivation, startActivation, takeOverToAbort } from "../../recovery/activate.ts";
import { openJournal, readJournal } from "../../recovery/journal/journal.ts";
import type { Runner } from "../../recovery/runner.ts";
import { bucketInMemory } from "./bucket.ts";
import { assertGivenBack, bootstrapped, effectsOn, estate, opened, plan, quiet, recovered, world } from "./doubles.ts";

const activation = "20261121T154010Z-9f3c";
const never = new AbortController().signal;
const elsewhere: Runner = { by: "bert@desk", host: "desk", pid: 7 };
const withEpoch = () => bucketInMemory(new Map(bootstrapped()));
const taking = (bucket: ReturnType<typeof withEpoch>) => ({ estate, plan, bucket, note: () => undefined, signal: never, listenFor: 300 });
const isRefused = (pattern: RegExp, next: RegExp) => (error: unknown) =>
    error instanceof Failure && error.exit === "refused" && pattern.test(error.message) && next.test(error.next);

/** An activation that was stopped while it did a step, and left in good order. */
async function stoppedAt(step: string, bucket = withEpoch()) {
    const journal = await openJournal(bucket, activation, opened);
    const controller = new AbortController();
    const effects = effectsOn(bucket, journal, (each) => (each === step ? controller.abort() : undefined));
    await assert.rejects(runActivation({ ...quiet, journal, effects, signal: controller.signal }));
    return bucket;
}

describe("aborting an activation", () => {
    it("before the first promotion undoes what was begun, in reverse, and ends with the primary active", async () => {
        const bucket = await stoppedAt("fence");
        const journal = await takeOverToAbort(taking(bucket));
        const undone: string[] = [];
        const effects = effectsOn(bucket, journal, (step) => void undone.push(step));
        const state = await abortActivation({ ...quiet, journal, effects, signal: never }, "the region came back");
        assert.deepEqual(undone, ["undo scale", "undo fence", "undo claim"]);
        assert.deepEqual([state.outcome, state.aborted], ["undone", "the region came back"]);
        assertGivenBack(await world(bucket));
        await startActivation({ estate, account: "123456789012", bucket, plan, reason: "again" });
    });

    it("after a promotion began is refused, writes nothing, and the activation can be resumed to its end", async () => {
        const bucket = await stoppedAt("promote:ledger");
        const before = bucket.objects.size;
        await assert.rejects(
            takeOverToAbort(taking(bucket)),
            isRefused(/past the point of no return \(promote:ledger.* begun\)/, /lifeboat activate --resume/),
        );
        assert.equal(bucket.objects.size, before);
        const resumed = await resumeActivation(taking(bucket));
        const journal = "journal" in resumed ? resumed.journal : assert.fail("it has ended");
        await assert.rejects(
            abortActivation({ ...quiet, journal, effects: effectsOn(bucket, journal, () => undefined), signal: never }, "no"),
            isRefused(/past the point of no return/, /--resume/),
        );
        await runActivation({ ...quiet, journal, effects: effectsOn(bucket, journal, () => undefined), signal: never });
        assert.deepEqual(await world(bucket), recovered);
    });

    it("of another's run waits for its silence: refused while it lives", async () => {
        const bucket = withEpoch();
        const living = await openJournal(bucket, activation, opened, elsewhere);
        const beats = setInterval(() => void living.append({ kind: "heartbeat" }), 50);
        try {
            await assert.rejects(takeOverToAbort(taking(bucket)), isRefused(/being run by bert@desk/, /stop that process first/));
        } finally {
            clearInterval(beats);
        }
        const journal = await takeOverToAbort(taking(bucket));
        const state = await abortActivation(
            { ...quiet, journal, effects: effectsOn(bucket, journal, () => undefined), signal: never },
            "nobody runs it",
        );
        assert.equal(state.outcome, "undone");
        assert.equal((await world(bucket)).epoch, 1, "nothing was claimed, so nothing is raised");
    });

    it("that dies in the middle is finished by whoever resumes: it goes on undoing, and never forward", async () => {
        const bucket = await stoppedAt("fence");
        const journal = await takeOverToAbort(taking(bucket));
        const controller = new AbortController();
        const stopping = effectsOn(bucket, journal, (step) => (step === "undo claim" ? controller.abort() : undefined));
        await assert.rejects(abortActivation({ ...quiet, journal, effects: stopping, signal: controller.signal }, "wrong region"));
        const resumed = await resumeActivation(taking(bucket));
        const again = "journal" in resumed ? resumed.journal : assert.fail("it has ended");
        await assert.rejects(
            runActivation({ ...quiet, journal: again, effects: effectsOn(bucket, again, () => undefined), signal: never }),
            /given up before a database was promoted, and undone: wrong region/,
        );
        assert.equal((await readJournal(bucket, activation)).state.outcome, "undone");
        assertGivenBack(await world(bucket));
    });

    it("is refused where there is none, and in another estate's checkout", async () => {
        await assert.rejects(takeOverToAbort(taking(withEpoch())), isRefused(/no unfinished activation to abort/, /lifeboat status/));
        const bucket = await stoppedAt("fence");
        await assert.rejects(
            takeOverToAbort({ ...taking(bucket), estate: { ...estate, name: "other" } }),
            isRefused(/is of the estate shop/, /checkout/),
        );
    });
});
