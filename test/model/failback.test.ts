import assert from "node:assert/strict";
import { checkOrder } from "../../model/critical-path.ts";
import { defineEstate } from "../../stores/estate.ts";
import { failbackPlan, switchBound, type FailbackStep } from "../../model/failback.ts";
import { estimateOf, forwardOnly, stepsOf } from "../../model/plan.ts";
import { tellFailback } from "../../model/tell.ts";
import { declaration } from "./declaration.ts";

const estate = defineEstate(declaration());
const plan = failbackPlan(estate);
const all = stepsOf(plan);
const stores = Object.keys(estate.stores);

/** Every step that is done before one begins. */
function before(name: FailbackStep): Set<FailbackStep> {
    const step = all.find((each) => each.name === name) ?? assert.fail(`there is no step ${name}`);
    return new Set(step.after.flatMap((each) => [each, ...before(each)]));
}

describe("the plan for the way back", () => {
    it("has an order that can be kept", () => assert.doesNotThrow(() => checkOrder(all)));

    it("wipes no old server before what it holds alone was saved", () => {
        for (const store of stores) assert.ok(before(`rejoin:${store}`).has(`aside:${store}`));
    });

    it("asks nobody to wait before every replica follows", () => {
        for (const store of stores) assert.ok(before("claim").has(`rejoin:${store}`));
        assert.ok(before("claim").has("follow"));
    });

    it("promotes nothing before the standby is closed and every replica, not only its own, has its last write", () => {
        for (const store of stores) {
            const done = before(`promote:${store}`);
            assert.ok(done.has("fence"));
            for (const other of stores) assert.ok(done.has(`catch-up:${other}`));
        }
    });

    it("leads nobody back before the primary can write", () => {
        for (const store of stores) assert.ok(before("latch").has(`promote:${store}`));
    });

    it("takes the standby's capacity away only once the primary serves, and protects it again", () => {
        assert.ok(before("retire").has("verify"));
        for (const store of stores) assert.ok(before(`protect:${store}`).has("verify"));
    });

    it("can be undone as long as no database of the primary was promoted, and no longer", () => {
        assert.ok(plan.undoable.every(({ undo }) => undo.how.length > 0));
        assert.ok(plan.forward.every(({ undo }) => undo === forwardOnly));
        assert.match(plan.forward[0]?.name ?? "", /^promote:/);
    });

    it("says how long users wait: from the claim to the answer, and nothing of the copying", () => {
        const { seconds: bound, modelled } = switchBound(plan);
        const span = (name: FailbackStep) => estimateOf(all.find((each) => each.name === name)!);
        const store = stores[0]!;
        const data: FailbackStep[] = ["claim", "fence", `catch-up:${store}`, `promote:${store}`, "latch", "dns", "answer"];
        const capacity: FailbackStep[] = ["claim", "scale", "verify", "answer"];
        const longest = Math.max(...[data, capacity].map((chain) => chain.reduce((sum, name) => sum + span(name), 0)));
        assert.equal(bound, longest);
        assert.equal(modelled, 90, "the latch's delay lies on it, the node's boot beside it");
        const slow = defineEstate({ ...declaration(), stores: grown() });
        assert.equal(switchBound(failbackPlan(slow)).seconds, bound, "a store of any size is copied before");
    });

    it("is told step by step, with the way back of each", () => {
        const told = tellFailback(estate, plan);
        for (const { name, does } of all) assert.ok(told.includes(name) && told.includes(does), name);
        assert.match(told, /No acknowledged write is lost/);
    });
});

/** The same stores, each with a terabyte. */
function grown() {
    const { stores: declared } = declaration();
    return Object.fromEntries(
        Object.entries(declared).map(([name, store]) => [name, { ...store, expected: { data: "1 TB" } }]),
    ) as typeof declared;
}
