import assert from "node:assert/strict";
import { judgeReadiness } from "../../../model/readiness.ts";
import { regionLossPlan } from "../../../model/plan.ts";
import { rtoBounds } from "../../../model/bounds.ts";
import { seconds } from "../../../model/units.ts";
import { budget, clock, header, price } from "../../../scripts/screens/activation.ts";
import { calm, estate, none } from "../../model/facts.ts";

const plan = regionLossPlan(estate);

describe("the screens of an activation", () => {
    it("say what is left of the RTO when it begins, and how much of it the plan expects to take", () => {
        const { left, spent, expected, rto } = budget(estate, plan);
        assert.deepEqual([spent + left, spent + expected], [rto, rtoBounds(estate, plan)[0]?.seconds]);
        assert.match(
            header(estate, plan, "A"),
            /^activation A; after detection and decision \(5 min .*\) till: .* of its RTO of 10 min are left, of which/,
        );
    });

    it("run a clock against the RTO, and say by how much it is over", () => {
        assert.equal(clock(seconds(258), seconds(12.34)), "  +12.3 s (4 min 6 s left)  ");
        assert.equal(clock(seconds(10), seconds(75)), "  +75.0 s (1 min 5 s over)  ");
        assert.equal(clock(seconds(10), seconds(75)).length, clock(seconds(300), seconds(0)).length);
    });

    it("show before the question what would be lost now, and what stands in the way", () => {
        assert.match(
            price(judgeReadiness(estate, calm)),
            /cost now:\n {2}till loses under 1 s of acknowledged writes \(RPO 5 s\); answers again within/,
        );
        assert.match(
            price(judgeReadiness(estate, { ...calm, unfinished: none("the journal is damaged") })),
            /in the way of it now:\n {2}the journal is damaged\n {4}next: mend it/,
        );
    });
});
