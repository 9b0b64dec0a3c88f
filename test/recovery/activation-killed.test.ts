import assert from "node:assert/strict";
import fc from "fast-check";
import { Failure } from "../../model/failure.ts";
import { coordination } from "../../model/names.ts";
import { ownSteps, runActivation } from "../../recovery/activation.ts";
import type { CoordinationBucket } from "../../recovery/conditional-bucket.ts";
import { openJournal, readJournal, type Journal } from "../../recovery/journal/journal.ts";
import type { Runner } from "../../recovery/runner.ts";
import { bucketInMemory } from "./bucket.ts";
import { assertGivenBack, bootstrapped, effectsOn, failing, opened, plan, quiet, recovered, world } from "./doubles.ts";

const activation = "20261121T154010Z-9f3c";
const never = new AbortController().signal;

/** Thrown where a process would have been killed: nothing that is written after it counts. */
class Killed extends Error {}

/** A bucket whose process dies at its nth write: before it takes place, or after it and before the caller learns of it. */
function mortal(bucket: CoordinationBucket, diesAt: number, when: "before" | "after") {
    let writes = 0;
    let dead = false;
    const guarded = async <T>(write: () => Promise<T>): Promise<T> => {
        const fatal = ++writes === diesAt;
        if (dead || (fatal && when === "before")) {
            dead = true;
            throw new Killed();
        }
        const result = await write();
        if (fatal) {
            dead = true;
            throw new Killed();
        }
        return result;
    };
    const own: CoordinationBucket = {
        get: (key) => (dead ? Promise.reject(new Killed()) : bucket.get(key)),
        list: (prefix, delimiter) => (dead ? Promise.reject(new Killed()) : bucket.list(prefix, delimiter)),
        create: (key, text) => guarded(() => bucket.create(key, text)),
        replace: (key, text, etag) => guarded(() => bucket.replace(key, text, etag)),
        put: (key, text) => guarded(() => bucket.put(key, text)),
    };
    return { bucket: own, isDead: () => dead };
}
const runnerOf = (life: number): Runner => ({ by: `life ${life}`, host: "test", pid: life + 1 });

describe("an activation that is killed", function () {
    this.timeout(30_000);

    /** Lives, each killed at a write of its own, then one that is not; gives how often each effect was applied. */
    async function live(deaths: readonly { at: number; when: "before" | "after" }[], broken: boolean) {
        const bucket = bucketInMemory(new Map(bootstrapped()));
        const applied = new Map<string, number>();
        const count = (step: string) => void applied.set(step, (applied.get(step) ?? 0) + 1);
        let outcome: string | undefined;
        for (let life = 0; life <= deaths.length && outcome === undefined; life++) {
            const death = deaths[life] ?? { at: Infinity, when: "before" as const };
            const body = mortal(bucket, death.at, death.when);
            try {
                let journal: Journal;
                try {
                    const found = await readJournal(body.bucket, activation);
                    if (found.state.outcome !== undefined) break; // only the answer to its last write was missed
                    journal = await found.takeOver(runnerOf(life));
                } catch (error) {
                    if (bucket.objects.has(coordination.journal(activation, 0))) throw error;
                    journal = await openJournal(body.bucket, activation, opened, runnerOf(life));
                }
                let effects = effectsOn(body.bucket, journal, count);
                if (broken) effects = failing(effects, "fence", () => (body.isDead() ? new Killed() : new Failure("refused", "no", "x")));
                await runActivation({ ...quiet, journal, effects, signal: never }).catch((error: unknown) => {
                    if (journal.state().outcome === undefined) throw error;
                });
                outcome = journal.state().outcome;
            } catch (error) {
                if (!body.isDead()) throw error;
            }
        }
        // The last entry may be in the bucket though its writer died before it learned of that.
        const { state } = await readJournal(bucket, activation);
        return { outcome: state.outcome, world: await world(bucket), applied };
    }
    const deaths = fc.array(
        fc.record({ at: fc.integer({ min: 1, max: 24 }), when: fc.constantFrom("before" as const, "after" as const) }),
        { maxLength: 6 },
    );

    it("at any writes, as often as may be, ends in the same state when it is resumed, each effect applied at least once", async () => {
        await fc.assert(
            fc.asyncProperty(deaths, async (drawn) => {
                const { outcome, world: reached, applied } = await live(drawn, false);
                assert.equal(outcome, "active");
                assert.deepEqual(reached, recovered);
                for (const step of ownSteps(plan)) {
                    const times = applied.get(step) ?? 0;
                    assert.ok(times >= 1 && times <= drawn.length + 1, `${step} was applied ${times} times in ${drawn.length + 1} lives`);
                }
            }),
            { numRuns: 150 },
        );
    });

    it("at each of its writes, before and after, does the same", async () => {
        for (let at = 1; at <= 24; at++)
            for (const when of ["before", "after"] as const)
                assert.deepEqual((await live([{ at, when }], false)).world, recovered, `${when} ${at}`);
    });

    it("while it undoes goes on undoing, and never forward again", async () => {
        await fc.assert(
            fc.asyncProperty(deaths, async (drawn) => {
                const { outcome, world: reached, applied } = await live(drawn, true);
                assert.equal(outcome, "undone");
                assertGivenBack(reached);
                assert.equal(applied.get("promote:ledger"), undefined);
                assert.ok((applied.get("undo claim") ?? 0) >= 1);
            }),
            { numRuns: 100 },
        );
    });
});
