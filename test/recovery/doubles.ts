import assert from "node:assert/strict";
import { defineEstate } from "../../stores/estate.ts";
import type { EpochRecord } from "../../model/epoch.ts";
import { coordination, witness } from "../../model/names.ts";
import { regionLossPlan } from "../../model/plan.ts";
import { seconds } from "../../model/units.ts";
import { ownSteps, type Effects, type RunOptions } from "../../recovery/activation.ts";
import type { CoordinationBucket } from "../../recovery/conditional-bucket.ts";
import type { Opened } from "../../recovery/journal/entries.ts";
import type { Journal } from "../../recovery/journal/journal.ts";
import { claimStep } from "../../recovery/steps/claim.ts";
import { fenceStep } from "../../recovery/steps/fence.ts";
import { declaration } from "../model/declaration.ts";

export const estate = defineEstate(declaration());
export const plan = regionLossPlan(estate);
export const from: EpochRecord = { epoch: 1, active: "primary", at: "2026-11-21T15:40:10Z", by: "bootstrap", reason: "bootstrap" };
export const opened: Opened = {
    kind: "opened",
    estate: estate.name,
    account: "123456789012",
    scenario: "region-loss",
    from,
    reason: "test",
    steps: ownSteps(plan),
};

/** What bootstrap left: both records. */
export const bootstrapped = (record: EpochRecord = from): [string, string][] => [
    [coordination.epoch, JSON.stringify(record)],
    [witness.fence, JSON.stringify(record)],
];

/** The step's own object in the bucket: what its effect changes in the world. */
export const mark = (step: string) => `world/${step.replace(":", "/")}`;

/**
 * Effects on the objects of a bucket: claim and fence are the real ones, each other step puts one object, and finds it there when it is
 * repeated. `applied` is told of each that is applied or undone.
 */
export function effectsOn(bucket: CoordinationBucket, journal: Journal, applied: (step: string) => void | Promise<void>): Effects {
    const putting = (step: string) => ({
        async apply() {
            await applied(step);
            await bucket.create(mark(step), "done");
            return {};
        },
    });
    const claim = claimStep({ bucket, witness: bucket, activation: journal.activation, from, to: "standby", by: "test", reason: "test" });
    // Both records lie in one bucket here; a lease that is over at once leaves the margin, which is not waited for either.
    const fence = fenceStep({ bucket, witness: bucket, terms: { ...estate.lease, duration: seconds(-1) }, epoch: from.epoch + 1 });
    return {
        claim: {
            apply: async (context) => (await applied("claim"), claim.apply(context)),
            undo: async (context) => (await applied("undo claim"), claim.undo(context)),
        },
        fence: {
            apply: async (context) => (await applied("fence"), fence.apply(context)),
            undo: async (context) => (await applied("undo fence"), fence.undo(context)),
        },
        promote: (store) => putting(`promote:${store}`),
        scale: {
            ...putting("scale"),
            async undo() {
                await applied("undo scale");
                return {};
            },
        },
        verify: putting("verify"),
        latch: putting("latch"),
    };
}

export const quiet: Pick<RunOptions, "plan" | "note" | "backOff"> = { plan, note: () => undefined, backOff: [0] };

/** The end that every activation has to reach: epoch, and each step's object. */
export async function world(bucket: CoordinationBucket): Promise<{ epoch: number; active: string; fence: number; marks: string[] }> {
    const read = async (key: string) => JSON.parse((await bucket.get(key))?.text ?? "{}") as EpochRecord;
    const [{ epoch, active }, { epoch: fence }] = [await read(coordination.epoch), await read(witness.fence)];
    return { epoch, active, fence, marks: await bucket.list("world/") };
}
export const recovered = {
    epoch: 2,
    active: "standby",
    fence: 2,
    marks: ownSteps(plan)
        .filter((step) => step !== "claim" && step !== "fence")
        .map(mark)
        .sort(),
};

/** What an undone activation leaves: both records raised once more, and at most the capacity, which goes by the epoch with the next update. */
export function assertGivenBack({ marks, ...records }: Awaited<ReturnType<typeof world>>): void {
    assert.deepEqual(records, { epoch: 3, active: "primary", fence: 3 });
    assert.deepEqual(
        marks.filter((each) => each !== mark("scale")),
        [],
    );
}

/** Effects of which one fails. */
export function failing(
    effects: Effects,
    step: "fence" | "scale" | "latch" | `promote:${string}`,
    error: () => Error | undefined,
): Effects {
    const broken = <E extends { apply: Effects["scale"]["apply"] }>(effect: E): E => ({
        ...effect,
        apply: async (context) => {
            const thrown = error();
            if (thrown) throw thrown;
            return effect.apply(context);
        },
    });
    if (step.startsWith("promote:"))
        return { ...effects, promote: (store) => (step === `promote:${store}` ? broken(effects.promote(store)) : effects.promote(store)) };
    return { ...effects, [step]: broken(effects[step as "scale"]) };
}
