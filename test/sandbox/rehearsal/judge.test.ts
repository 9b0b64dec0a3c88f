import assert from "node:assert/strict";
import fc from "fast-check";
import { judgeCalls, judgePoint, judgeRpo, judgeRto, type PointFound } from "../../../sandbox/rehearsal/judge.ts";
import type { Comparison } from "../../../sandbox/rehearsal/comparison.ts";

const clock = {
    detect: { measuredSeconds: 30, source: "" },
    decide: { declaredSeconds: 300, source: "" },
    dns: { scaledSeconds: 200, source: "" },
};
const intact: Comparison = {
    acknowledged: 9,
    survived: 9,
    lost: [],
    torn: [],
    lostAfterTheLoss: [],
    acknowledgedAlone: [],
    unknown: [],
    rpoSeconds: 0,
};
const lossAt = 10_000_000;
const point: PointFound = {
    store: "orders-mysql",
    objectiveSeconds: 900,
    boundSeconds: 400,
    newest: { point: "20260101T000000Z-abcd", bytes: 1000, startedAt: lossAt - 60_000, dumpBytes: 4000, backupSeconds: 2 },
    restored: { point: "20260101T000000Z-abcd", orders: 50, seconds: 2 },
    promised: 48,
    sent: 52,
};

describe("the verdict on recovery time", () => {
    it("holds the sum of all kinds against the objective", () => {
        assert.equal(judgeRto(clock, true, 530, 500).judgement.verdict, "PASS");
        const failed = judgeRto(clock, true, 529, 500);
        assert.equal(failed.judgement.verdict, "FAIL");
        assert.match(failed.reasons.join(), /longest: decide 5 min, dns 3 min 20 s/);
    });
    it("fails when customers were never served, whatever the sum", () => {
        const { judgement } = judgeRto(clock, false, 6000, 500);
        assert.deepEqual([judgement.verdict, judgement.totalSeconds], ["FAIL", null]);
    });
    it("fails when the worst case does not fit although this run did", () => {
        assert.match(judgeRto(clock, true, 600, 601).reasons.join(), /worst case/);
    });
    it("names no worst case where no model gives one, and does not judge by it", () => {
        assert.deepEqual(
            [judgeRto(clock, true, 600, null).judgement, judgeRpo(intact, 5, null).judgement].map(({ boundSeconds, verdict }) => [
                boundSeconds,
                verdict,
            ]),
            [
                [null, "PASS"],
                [null, "PASS"],
            ],
        );
    });
});

describe("the verdict on lost data", () => {
    it("passes when the span fits, also when orders are lost", () => {
        assert.equal(judgeRpo({ ...intact, lost: [1], rpoSeconds: 4.9 }, 5, 5).judgement.verdict, "PASS");
        assert.equal(judgeRpo({ ...intact, lost: [1], rpoSeconds: 5.1 }, 5, 5).judgement.verdict, "FAIL");
    });
    it("fails for a loss that no disaster explains, and for rows that nobody ordered", () => {
        assert.equal(judgeRpo({ ...intact, lost: [1], lostAfterTheLoss: [1] }, 5, 5).judgement.verdict, "FAIL");
        assert.equal(judgeRpo({ ...intact, unknown: [77] }, 5, 5).judgement.verdict, "FAIL");
    });
});

describe("the verdict on calls", () => {
    it("allows none to the lost region and none to global control planes", () => {
        assert.deepEqual(judgeCalls({ total: 40, deadRegion: 0, globalControlPlane: 0 }), []);
        assert.equal(judgeCalls({ total: 40, deadRegion: 1, globalControlPlane: 2 }).length, 2);
    });
});

describe("the verdict on a store's recovery point", () => {
    it("passes a young, verified and restored point with all its orders", () => {
        const found = judgePoint(point, lossAt);
        assert.deepEqual([found.verdict, found.verified, found.restored, found.ageSeconds], ["PASS", true, true, 60]);
    });
    it("fails without a verified point, with an old one, with one that was not restored or an older one instead", () => {
        const { newest: _, restored: __, ...none } = point;
        const { restored: ___, ...unrestored } = point;
        for (const [broken, reason] of [
            [none, /no recovery point was verified/],
            [{ ...point, newest: { ...point.newest!, startedAt: lossAt - 901_000 } }, /old at the loss/],
            [{ ...unrestored, failure: "the job failed" }, /not restored: the job failed/],
            [{ ...point, lostSeconds: 901 }, /ends 15 min 1 s before the loss/],
            [{ ...point, restored: { ...point.restored!, point: "20250101T000000Z-abcd" } }, /older than/],
        ] as const) {
            const found = judgePoint(broken, lossAt);
            assert.equal(found.verdict, "FAIL");
            assert.match(found.reasons.join(), reason);
        }
    });
    it("passes exactly the numbers of orders that the ledger allows", () => {
        fc.assert(
            fc.property(fc.nat(200), fc.nat(200), fc.nat(50), (orders, promised, more) => {
                const found = judgePoint({ ...point, promised, sent: promised + more, restored: { ...point.restored!, orders } }, lossAt);
                assert.equal(found.restored, orders >= promised && orders <= promised + more);
                assert.equal(found.verdict === "PASS", found.restored);
            }),
        );
    });
});
