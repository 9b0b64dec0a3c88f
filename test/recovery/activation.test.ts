import assert from "node:assert/strict";
import { Failure } from "../../model/failure.ts";
import { defineEstate } from "../../stores/estate.ts";
import { regionLossPlan } from "../../model/plan.ts";
import { seconds } from "../../model/units.ts";
import { ownSteps, runActivation } from "../../recovery/activation.ts";
import { resumeActivation, startActivation } from "../../recovery/activate.ts";
import type { CoordinationBucket } from "../../recovery/conditional-bucket.ts";
import { openJournal, readJournal, type Journal } from "../../recovery/journal/journal.ts";
import { declaration } from "../model/declaration.ts";
import { bucketInMemory } from "./bucket.ts";
import { assertGivenBack, bootstrapped, effectsOn, estate, failing, from, opened, plan, quiet, recovered, world } from "./doubles.ts";

const activation = "20261121T154010Z-9f3c";
const never = new AbortController().signal;
const resuming = { estate, plan, note: () => undefined, signal: never };
/** The journal of a resumed activation that has not ended. */
async function resume(resumed: ReturnType<typeof resumeActivation>): Promise<Journal> {
    const result = await resumed;
    return "journal" in result ? result.journal : assert.fail("it has ended");
}
const start = async () => {
    const bucket = bucketInMemory(new Map(bootstrapped()));
    return { bucket, journal: await openJournal(bucket, activation, opened) };
};
const withLimit = (limit: number) => ({
    ...plan,
    undoable: plan.undoable.map((s) => ({ ...s, limit: seconds(limit) })),
    forward: plan.forward.map((s) => ({ ...s, limit: seconds(limit) })),
});

describe("an activation", () => {
    it("carries out the plan in its order, promotions side by side, and closes its journal", async () => {
        const { bucket, journal } = await start();
        const order: string[] = [];
        const both = Promise.withResolvers<void>();
        const effects = effectsOn(bucket, journal, async (step) => {
            order.push(step);
            if (order.filter((each) => each.startsWith("promote:")).length === 2) both.resolve();
            if (step.startsWith("promote:")) await both.promise; // neither would end if one waited for the other
        });
        const state = await runActivation({ ...quiet, journal, effects, signal: never });
        assert.deepEqual(order, ownSteps(plan));
        assert.equal(state.outcome, "active");
        assert.ok(state.steps.every((step) => step.state === "done" && (step.seconds ?? -1) >= 0 && step.attempts === 1));
        assert.deepEqual(await world(bucket), recovered);
    });

    it("has an entry before and after each effect", async () => {
        const { bucket, journal } = await start();
        const seen: string[] = [];
        const effects = effectsOn(bucket, journal, async (step) => {
            const { state } = await readJournal(bucket, activation);
            seen.push(`${step} ${state.steps.find(({ name }) => name === step)?.state}`);
        });
        await runActivation({ ...quiet, journal, effects, signal: never });
        assert.deepEqual(
            seen,
            ownSteps(plan).map((step) => `${step} begun`),
        );
    });

    it("that fails before a promotion undoes what was begun, in reverse, and says why it was given up", async () => {
        const { bucket, journal } = await start();
        const undone: string[] = [];
        const effects = failing(
            effectsOn(bucket, journal, (step) => void (step.startsWith("undo") && undone.push(step))),
            "fence",
            () => new Failure("refused", "the witness says no", "ask the witness"),
        );
        await assert.rejects(runActivation({ ...quiet, journal, effects, signal: never }), (error: Failure) => {
            assert.equal(error.exit, "refused");
            assert.match(error.message, /given up before a database was promoted, and undone: the witness says no/);
            assert.match(error.next, /ask the witness; then begin again/);
            return true;
        });
        assert.deepEqual(undone, ["undo scale", "undo fence", "undo claim"]);
        assert.equal(journal.state().outcome, "undone");
        assertGivenBack(await world(bucket));
    });

    it("does not wait for what runs beside a step that failed: it is let go, and undone", async () => {
        const { bucket, journal } = await start();
        const effects = failing(
            effectsOn(bucket, journal, () => undefined),
            "fence",
            () => new Failure("refused", "the witness says no", "ask the witness"),
        );
        let letGo: unknown;
        effects.scale.apply = ({ signal }) =>
            new Promise((_, reject) =>
                signal.addEventListener("abort", () => {
                    letGo = signal.reason;
                    reject(signal.reason as Error);
                }),
            );
        await assert.rejects(runActivation({ ...quiet, journal, effects, signal: never }), /undone: the witness says no/);
        assert.match(String(letGo), /given up: the witness says no/);
        const stands = Object.fromEntries(journal.state().steps.map(({ name, state }) => [name, state]));
        assert.deepEqual([stands["claim"], stands["fence"], stands["scale"]], ["undone", "undone", "undone"]);
    });

    it("reports an undo that fails, and undoes those before it all the same", async () => {
        const { bucket, journal } = await start();
        const effects = failing(
            effectsOn(bucket, journal, () => undefined),
            "fence",
            () => new Failure("refused", "no", "x"),
        );
        effects.fence.undo = () => Promise.reject(new Error("the fence is stuck"));
        await assert.rejects(
            runActivation({ ...quiet, journal, effects, signal: never }),
            /could not be undone whole: fence \(the fence is stuck\)/,
        );
        assert.equal(journal.state().outcome, "undone in part");
        assert.equal((await world(bucket)).active, "primary");
    });

    it("repeats what fails after the point of no return, and never goes back", async () => {
        const { bucket, journal } = await start();
        let failures = 3;
        const undone: string[] = [];
        const effects = failing(
            effectsOn(bucket, journal, (step) => void (step.startsWith("undo") && undone.push(step))),
            "scale",
            () => (failures-- > 0 ? new Error("no answer") : undefined),
        );
        const state = await runActivation({ ...quiet, journal, effects, signal: never });
        assert.equal(state.steps.find(({ name }) => name === "scale")?.attempts, 4);
        assert.deepEqual(undone, []);
        assert.deepEqual(await world(bucket), recovered);
    });

    it("gives up at a step's limit, says where it stands and what to type, and can be resumed", async () => {
        const { bucket, journal } = await start();
        const effects = failing(
            effectsOn(bucket, journal, () => undefined),
            "scale",
            () => new Error("no capacity"),
        );
        await assert.rejects(
            runActivation({ ...quiet, plan: withLimit(0.05), journal, effects, signal: never, backOff: [10] }),
            (error: Failure) => {
                assert.equal(error.exit, "unavailable");
                assert.match(
                    error.message,
                    /is not finished: .*\(done: claim, fence, promote:ledger, promote:people; past the point of no return/,
                );
                assert.match(error.next, /lifeboat activate --resume/);
                return true;
            },
        );
        assert.equal(journal.state().left, "no capacity");
        const resumed = await resume(resumeActivation({ ...resuming, bucket }));
        await runActivation({ ...quiet, journal: resumed, effects: effectsOn(bucket, resumed, () => undefined), signal: never });
        assert.deepEqual(await world(bucket), recovered);
    });

    it("says at a limit before a promotion what it saw last, and to begin again: what was undone is not resumed", async () => {
        const { bucket, journal } = await start();
        const effects = effectsOn(bucket, journal, () => undefined);
        let tries = 0;
        // The second attempt hangs until its limit.
        effects.fence.apply = () => (++tries === 1 ? Promise.reject(new Error("the witness is busy")) : new Promise(() => undefined));
        await assert.rejects(
            runActivation({ ...quiet, plan: withLimit(0.1), journal, effects, signal: never, backOff: [10] }),
            (error: Failure) => {
                assert.match(
                    error.message,
                    /^the activation was given up before a database was promoted, and undone: fence was not done within its limit of 0\.1 s; seen last: the witness is busy$/,
                );
                assert.equal(error.next, "mend what it waited for; then begin again with `lifeboat activate`");
                return true;
            },
        );
    });

    it("that is stopped before a promotion says that nobody serves, and both ways on", async () => {
        const { bucket, journal } = await start();
        const stop = new AbortController();
        const effects = effectsOn(bucket, journal, (step) => void (step === "fence" && stop.abort(new Error("Ctrl-C"))));
        await assert.rejects(runActivation({ ...quiet, journal, effects, signal: stop.signal }), (error: Failure) => {
            assert.equal(error.exit, "interrupted");
            assert.match(error.message, /no database was promoted yet, and nobody serves users until it is done or undone/);
            assert.match(error.next, /`lifeboat activate --resume`, here .*; to have it undone instead: `lifeboat activate --abort`$/);
            return true;
        });
    });

    it("lets go of an effect that hangs, at the limit", async () => {
        const { bucket, journal } = await start();
        const effects = { ...effectsOn(bucket, journal, () => undefined), latch: { apply: () => new Promise<never>(() => undefined) } };
        await assert.rejects(
            runActivation({ ...quiet, plan: withLimit(0.05), journal, effects, signal: never }),
            /latch was not done within its limit of 0.1 s/,
        );
    });

    it("lets the promotion beside a failed one end, and stops there", async () => {
        const { bucket, journal } = await start();
        const effects = failing(
            effectsOn(bucket, journal, () => undefined),
            "promote:ledger",
            () => new Failure("refused", "its site is not active", "see the epoch"),
        );
        await assert.rejects(runActivation({ ...quiet, journal, effects, signal: never }), /its site is not active/);
        const stands = Object.fromEntries(journal.state().steps.map(({ name, state }) => [name, state]));
        assert.equal(stands["promote:ledger"], "failed");
        assert.equal(stands["promote:people"], "done");
        assert.equal(stands["verify"], "waiting");
        assert.equal((await world(bucket)).active, "standby", "a promotion was begun: the epoch is not given back");
    });

    it("stopped with Ctrl-C undoes nothing, says so in the journal, and is resumed at once", async () => {
        const { bucket, journal } = await start();
        const controller = new AbortController();
        const effects = effectsOn(bucket, journal, (step) =>
            step === "scale" ? controller.abort(new Failure("interrupted", "stopped", "")) : undefined,
        );
        await assert.rejects(
            runActivation({ ...quiet, journal, effects, signal: controller.signal }),
            (error: Failure) => error.exit === "interrupted",
        );
        assert.equal(journal.state().left, "stopped");
        const resumed = await resume(resumeActivation({ ...resuming, bucket, note: () => assert.fail("nobody to listen for") }));
        const state = await runActivation({
            ...quiet,
            journal: resumed,
            effects: effectsOn(bucket, resumed, () => undefined),
            signal: never,
        });
        assert.equal(state.outcome, "active");
        assert.deepEqual(await world(bucket), recovered);
    });

    it("is not resumed with another plan than the one that began it", async () => {
        const { bucket, journal } = await start();
        const other = regionLossPlan(defineEstate(declaration((each) => (each.stores["third"] = each.stores["ledger"] ?? assert.fail()))));
        const effects = effectsOn(bucket, journal, () => undefined);
        await assert.rejects(runActivation({ ...quiet, plan: other, journal, effects, signal: never }), /was begun with another plan/);
    });
});

describe("beginning and resuming", () => {
    const options = (bucket: CoordinationBucket) => ({ estate, account: "123456789012", bucket, plan, reason: "test" });
    const withEpoch = () => bucketInMemory(new Map(bootstrapped()));
    const isRefused = (pattern: RegExp, next: RegExp) => (error: unknown) =>
        error instanceof Failure && error.exit === "refused" && pattern.test(error.message) && next.test(error.next);

    it("refuses a second activation, and says who runs the first", async () => {
        const bucket = withEpoch();
        const first = await startActivation(options(bucket));
        await assert.rejects(
            startActivation(options(bucket)),
            isRefused(
                new RegExp(`${first.activation} was begun at .* is run by .*pid ${process.pid} on .*last heard at`),
                /speak with them/,
            ),
        );
        await assert.rejects(resumeActivation({ ...resuming, bucket }), isRefused(/is being run by .*pid/, /leave it to them/));
        await first.append({ kind: "left", why: "stopped" });
        await assert.rejects(startActivation(options(bucket)), isRefused(/that run has ended/, /--resume/));
        assert.equal(bucket.objects.size, 4, "the epoch's two records and two entries: nothing else was written");
    });

    it("listens for a runner elsewhere: refused while it lives, taken over once it is silent", async () => {
        const bucket = withEpoch();
        const living = await openJournal(bucket, activation, opened, { by: "bert@desk", host: "desk", pid: 7 });
        const told: string[] = [];
        const beats = setInterval(() => void living.append({ kind: "heartbeat" }), 100);
        try {
            await assert.rejects(
                resumeActivation({ ...resuming, bucket, note: (line) => told.push(line), listenFor: 500 }),
                isRefused(/run by bert@desk/, /leave it/),
            );
        } finally {
            clearInterval(beats);
        }
        assert.match(told.join(), /bert@desk .*listening 0.5 s/);
        const taken = await resume(resumeActivation({ ...resuming, bucket, listenFor: 500 }));
        assert.equal(taken.state().runner.pid, process.pid);
    });

    it("refuses where the standby is active already, where nothing is unfinished, and in another estate's checkout", async () => {
        const active = bucketInMemory(new Map(bootstrapped({ ...from, epoch: 2, active: "standby" })));
        await assert.rejects(startActivation(options(active)), isRefused(/the standby is the active site already/, /lifeboat epoch/));
        await assert.rejects(resumeActivation({ ...resuming, bucket: active }), isRefused(/no activation to resume/, /lifeboat activate/));
        const bucket = withEpoch();
        await startActivation(options(bucket));
        await assert.rejects(
            resumeActivation({ ...resuming, bucket, estate: { ...estate, name: "other" } }),
            isRefused(/is of the estate shop/, /checkout/),
        );
    });

    it("whose end was written and not seen is told as ended; one that was given up is not resumed", async () => {
        const bucket = withEpoch();
        const journal = await openJournal(bucket, activation, opened);
        await runActivation({ ...quiet, journal, effects: effectsOn(bucket, journal, () => undefined), signal: never });
        const resumed = await resumeActivation({ ...resuming, bucket });
        assert.equal("ended" in resumed && resumed.ended.outcome, "active");
        const later = await openJournal(bucket, "20261121T164010Z-0001", opened);
        await later.append({ kind: "closed", outcome: "undone" });
        await assert.rejects(resumeActivation({ ...resuming, bucket }), isRefused(/was given up \(undone\)/, /begin another/));
    });

    it("of two at once lets one become active; the other gives up and undoes nothing of the winner's", async () => {
        const bucket = withEpoch();
        const journals = await Promise.all([
            openJournal(bucket, "20261121T154010Z-0001", opened),
            openJournal(bucket, "20261121T154010Z-0002", opened),
        ]);
        const runs = journals.map((journal) =>
            runActivation({ ...quiet, journal, effects: effectsOn(bucket, journal, () => undefined), signal: never }),
        );
        const results = await Promise.allSettled(runs);
        assert.deepEqual(journals.map((journal) => journal.state().outcome).sort(), ["active", "undone"]);
        assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
        assert.deepEqual(await world(bucket), recovered);
    });
});
