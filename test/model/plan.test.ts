import assert from "node:assert/strict";
import fc from "fast-check";
import { checkOrder, criticalPath } from "../../model/critical-path.ts";
import { defineEstate } from "../../stores/estate.ts";
import {
    estimateOf,
    forwardOnly,
    modelledIn,
    regionLossPlan,
    stepsOf,
    type ForwardStep,
    type RecoveryPlan,
    type Step,
    type StepName,
} from "../../model/plan.ts";
import { tellPlan } from "../../model/tell.ts";
import { minutes, seconds } from "../../model/units.ts";
import { declaration } from "./declaration.ts";

const estate = defineEstate(declaration());
const plan = regionLossPlan(estate);

const step = (name: StepName, span: number, after: StepName[]): ForwardStep => ({
    name,
    by: "lifeboat",
    does: "something",
    estimate: [{ seconds: seconds(span), kind: "measured", source: { from: "declared", where: "here" } }],
    limit: minutes(1),
    after,
    undo: forwardOnly,
});
const planOf = (forward: ForwardStep[]): RecoveryPlan => ({
    scenario: "region-loss",
    lost: "primary",
    active: "standby",
    undoable: [],
    forward,
});

/** Random steps, each after some of those before it. */
const steps = fc
    .array(fc.record({ span: fc.integer({ min: 0, max: 1000 }), after: fc.array(fc.nat()) }), { minLength: 1, maxLength: 12 })
    .map((drawn) =>
        drawn.map(({ span, after }, index) =>
            step(`promote:${index}`, span, index === 0 ? [] : [...new Set(after.map((n): StepName => `promote:${n % index}`))]),
        ),
    );

describe("the plan for a lost region", () => {
    it("goes from detection to the first good answer, one promotion a store, in an order that can be kept", () => {
        assert.deepEqual(
            stepsOf(plan).map(({ name }) => name),
            ["detect", "decide", "claim", "fence", "scale", "promote:ledger", "promote:people", "verify", "latch", "dns", "answer"],
        );
        assert.doesNotThrow(() => checkOrder(stepsOf(plan)));
    });

    it("moves no user before the standby can write: the latch waits for everything that was done before", () => {
        const all = stepsOf(plan);
        const before = (name: StepName): Set<StepName> => {
            const after = all.find((each) => each.name === name)?.after ?? [];
            return new Set(after.flatMap((each) => [each, ...before(each)]));
        };
        assert.deepEqual(
            before("latch"),
            new Set(
                all
                    .slice(
                        0,
                        all.findIndex(({ name }) => name === "latch"),
                    )
                    .map(({ name }) => name),
            ),
        );
        assert.ok(!before("promote:people").has("promote:ledger"), "promotions run side by side");
    });

    it("has its point of no return at the first promotion", () => {
        assert.equal(plan.forward[0]?.name, "promote:ledger");
        assert.ok(plan.undoable.every(({ undo }) => undo.how.length > 10));
        assert.ok(plan.forward.every(({ undo }) => undo === forwardOnly));
    });

    it("gives every step a limit that its estimate fits into", () => {
        for (const each of stepsOf(plan)) assert.ok(estimateOf(each) <= each.limit, each.name);
    });

    it("waits the lease out before the first promotion, and no longer than the lease makes it", () => {
        const of = (each: RecoveryPlan) => estimateOf(stepsOf(each).find(({ name }) => name === "fence") ?? assert.fail());
        assert.equal(of(plan), 1 + 15 + 1);
        const longer = regionLossPlan(defineEstate(declaration((each) => (each.lease = { duration: "40 s" }))));
        assert.equal(of(longer), 1 + 40 + 1);
        const drilled = regionLossPlan(estate, new Map([["fence", { seconds: seconds(16.2), where: "drill" }]]));
        assert.equal(of(drilled), 16.2);
        for (const step of plan.forward.filter(({ name }) => name.startsWith("promote:"))) assert.deepEqual(step.after, ["fence"]);
    });

    it("takes detection and DNS from what the estate declares", () => {
        const slower = regionLossPlan(
            defineEstate(declaration((each) => (each.traffic = { ttl: "45 s", healthCheck: { interval: "30 s", threshold: 5 } }))),
        );
        const of = (name: StepName) => estimateOf(stepsOf(slower).find((each) => each.name === name) ?? assert.fail(name));
        assert.equal(of("detect"), 170);
        assert.equal(of("dns"), 45);
        assert.equal(of("decide"), 300);
    });

    it("says what it cannot measure, and what drills measured in place of what was assumed", () => {
        assert.deepEqual(
            modelledIn(plan).map(({ step, seconds }) => [step, seconds]),
            [
                ["scale", 60],
                ["latch", 90],
            ],
        );
        const drilled = regionLossPlan(estate, new Map([["promote:people", { seconds: seconds(0.2), where: "drill of 2026-11-21" }]]));
        const [part] = stepsOf(drilled).find(({ name }) => name === "promote:people")?.estimate ?? assert.fail();
        assert.deepEqual(part, { seconds: 0.2, kind: "measured", source: { from: "measured", where: "drill of 2026-11-21" } });
    });

    it("is told with each step's way back, and a source for every figure", () => {
        const told = tellPlan(estate, plan);
        for (const each of stepsOf(plan)) assert.ok(told.includes(`${each.name} (${each.by})`), each.name);
        assert.ok(told.indexOf("point of no return") > told.indexOf("5. scale"));
        assert.ok(told.indexOf("point of no return") < told.indexOf("promote:ledger"));
        assert.match(
            told,
            /till: RTO bound 9 min 46 s within 10 min, because detect 42 s \+ decide 5 min \+ claim 2 s \+ scale 1 min 20 s \+ verify/,
        );
    });

    it("cannot have a step without estimate, limit or undo", () => {
        // @ts-expect-error: no estimate
        const a: Step = { name: "verify", by: "lifeboat", does: "x", limit: minutes(1), after: [], undo: forwardOnly };
        // @ts-expect-error: an estimate of nothing
        const b: Step = { name: "verify", by: "lifeboat", does: "x", estimate: [], limit: minutes(1), after: [], undo: forwardOnly };
        // @ts-expect-error: no undo
        const c: Step = {
            name: "verify",
            by: "lifeboat",
            does: "x",
            estimate: step("verify", 1, []).estimate,
            limit: minutes(1),
            after: [],
        };
        // @ts-expect-error: no limit
        const d: Step = {
            name: "verify",
            by: "lifeboat",
            does: "x",
            estimate: step("verify", 1, []).estimate,
            after: [],
            undo: forwardOnly,
        };
        // @ts-expect-error: a limit without its unit
        const e: Step = { ...step("verify", 1, []), limit: 60 };
        // @ts-expect-error: a step after the point of no return that claims an undo
        const f: RecoveryPlan = planOf([{ ...step("verify", 1, []), undo: { how: "x" } }]);
        assert.equal([a, b, c, d, e, f].length, 6); // the compiler is the test
    });
});

describe("the critical path", () => {
    it("adds up what waits for each other, and takes the longest of what runs side by side", () => {
        const path = criticalPath(
            planOf([
                step("claim", 2, []),
                step("promote:a", 5, ["claim"]),
                step("promote:b", 9, ["claim"]),
                step("scale", 1, ["promote:a", "promote:b"]),
            ]),
        );
        assert.equal(path.seconds, 12);
        assert.deepEqual(
            path.steps.map(({ name }) => name),
            ["claim", "promote:b", "scale"],
        );
    });

    it("is as long as its own steps together, no longer than all, no shorter than any", () => {
        fc.assert(
            fc.property(steps, (drawn) => {
                const path = criticalPath(planOf(drawn));
                const sum = (each: readonly Step[]) => each.reduce((total, one) => total + estimateOf(one), 0);
                assert.equal(path.seconds, sum(path.steps));
                assert.ok(path.seconds <= sum(drawn));
                assert.ok(drawn.every((one) => estimateOf(one) <= path.seconds));
            }),
        );
    });

    it("is never shortened by one more step, by a slower step, or by one more thing to wait for", () => {
        fc.assert(
            fc.property(steps, fc.integer({ min: 0, max: 1000 }), fc.nat(), (drawn, span, pick) => {
                const length = (each: ForwardStep[]) => criticalPath(planOf(each)).seconds;
                const before = length(drawn);
                const at = pick % drawn.length;
                const picked = drawn[at] ?? assert.fail();
                assert.ok(length([...drawn, step("scale", span, [picked.name])]) >= before);
                assert.ok(length(drawn.with(at, step(picked.name, estimateOf(picked) + span, [...picked.after]))) >= before);
                const first = drawn[0] ?? assert.fail();
                if (at > 0) assert.ok(length(drawn.with(at, { ...picked, after: [...new Set([...picked.after, first.name])] })) >= before);
            }),
        );
    });

    it("refuses a plan that waits for itself, for a stranger, or has a name twice", () => {
        assert.throws(() => criticalPath(planOf([step("scale", 1, ["scale"])])), /scale waits for scale/);
        assert.throws(() => criticalPath(planOf([step("scale", 1, ["claim"])])), /scale waits for claim, which does not stand before it/);
        assert.throws(() => criticalPath(planOf([step("scale", 1, []), step("scale", 1, [])])), /two steps named scale/);
    });
});
