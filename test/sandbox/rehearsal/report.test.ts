import assert from "node:assert/strict";
import { evidence, type Evidence } from "../../../sandbox/rehearsal/evidence.ts";
import { report } from "../../../sandbox/rehearsal/report.ts";

const judgement = { measuredSeconds: 40, scaledSeconds: 90, modelledSeconds: 150, declaredSeconds: 300, boundSeconds: 580 };
const found: Evidence = evidence.parse({
    version: 1,
    scenario: "region-loss",
    service: "orders",
    seed: 7,
    fast: 10,
    startedAt: "2026-01-01T00:00:00.000Z",
    lossAt: "2026-01-01T00:01:30.000Z",
    verdict: "FAIL",
    reasons: ["RPO: 3 acknowledged orders are lost"],
    rto: { ...judgement, objectiveSeconds: 600, totalSeconds: 580, verdict: "PASS" },
    rpo: {
        objectiveSeconds: 5,
        measuredSeconds: 9,
        scaledSeconds: 0,
        modelledSeconds: 0,
        declaredSeconds: 0,
        totalSeconds: 9,
        boundSeconds: 5,
        verdict: "FAIL",
    },
    orders: {
        acknowledged: 100,
        survived: 97,
        lost: 3,
        torn: 1,
        lostAfterTheLoss: 0,
        unknown: 0,
        lostNumbers: [98, 99, 100],
        rows: { "orders-mysql": 99 },
    },
    clock: {
        detect: { scaledSeconds: 30, source: "health check" },
        decide: { declaredSeconds: 300, source: "estate: decision" },
        scale: { measuredSeconds: 9, modelledSeconds: 60, source: "journal" },
    },
    firstCustomerWallSeconds: 21,
    calls: { total: 40, deadRegion: 0, globalControlPlane: 0 },
    otherCalls: { total: 9, deadRegion: 2, globalControlPlane: 0, by: { customers: { total: 9, deadRegion: 2, globalControlPlane: 0 } } },
    attempts: [],
    recoveryPoints: [
        {
            store: "orders-mysql",
            point: null,
            bytes: null,
            verified: false,
            restored: false,
            objectiveSeconds: 900,
            ageSeconds: null,
            boundSeconds: 400,
            restoreSeconds: null,
            restoredOrders: null,
            promisedOrders: null,
            verdict: "FAIL",
            reasons: ["orders-mysql: no recovery point was verified before the loss"],
        },
    ],
    modelled: ["EC2 boot"],
    phases: { provision: 40 },
});

describe("the report", () => {
    const text = report(found, "/somewhere/evidence.json");
    const lines = text.split("\n");

    it("keeps the kinds of figures in columns of their own", () => {
        const head = lines.find((line) => line.includes("measured") && line.includes("declared"))!;
        const scale = lines.find((line) => line.startsWith("scale"))!;
        const end = (line: string, column: string) => line.indexOf(column) + column.length;
        assert.equal(end(scale, "9 s"), end(head, "measured"));
        assert.equal(end(scale, "1 min"), end(head, "modelled"));
        assert.equal(
            end(
                lines.find((line) => line.startsWith("detect"))!,
                "30 s",
            ),
            end(head, "scaled"),
        );
    });
    it("has bound, objective and verdict on one line each, and says where the evidence lies", () => {
        assert.match(text, /^RTO +9 min 40 s found, at worst 9 min 40 s, objective 10 min: PASS$/m);
        assert.match(text, /^RPO +9 s found, at worst 5 s, objective 5 s: FAIL$/m);
        assert.match(text, /^evidence: \/somewhere\/evidence\.json$/m);
    });
    it("names who called the lost region, every reason, and that the clocks ran fast", () => {
        assert.match(text, /customers 2 \+ 0/);
        assert.match(text, /RPO: 3 acknowledged orders are lost/);
        assert.match(text, /seed 7, sandbox clocks 10 times as fast/);
    });
    it("is of evidence that refuses fields it does not know", () => {
        assert.throws(() => evidence.parse({ ...found, more: 1 }));
    });
});
