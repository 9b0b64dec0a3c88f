import assert from "node:assert/strict";
import type { LedgerLine } from "../../../sandbox/rehearsal/ledger.ts";
import { ordersBySecond, series, seriesOf } from "../../../sandbox/rehearsal/series.ts";

const lossAt = 1_000_000;
const of = (at: number, order: number) => ({ at, mono: at, client: 0, order, customer: "c", attempt: 1, address: "10.1.0.1" });
const acknowledged = (at: number, order: number): LedgerLine => ({ kind: "acknowledged", ...of(at, order) });
const attempted = (at: number, order: number): LedgerLine => ({ kind: "attempt", ...of(at, order) });
const failed = (at: number, order: number): LedgerLine => ({ kind: "failed", reason: "timeout", ...of(at, order) });

describe("orders by second", () => {
    it("counts each order once, in the second of its first acknowledgment, with the seconds of silence between", () => {
        const ledger = [
            acknowledged(lossAt - 1500, 1),
            acknowledged(lossAt - 1, 2),
            acknowledged(lossAt, 3),
            acknowledged(lossAt + 1999, 4),
            acknowledged(lossAt + 1999, 3),
        ];
        assert.deepEqual(
            ordersBySecond(ledger, new Set(), lossAt).map(({ second, acknowledged }) => [second, acknowledged]),
            [
                [-2, 1],
                [-1, 1],
                [0, 1],
                [1, 1],
            ],
        );
    });
    it("tells the lost from those that survived, and requests that failed from both", () => {
        const ledger = [acknowledged(lossAt - 10, 1), acknowledged(lossAt - 5, 2), failed(lossAt + 2100, 3)];
        assert.deepEqual(ordersBySecond(ledger, new Set([2]), lossAt), [
            { second: -1, acknowledged: 2, lost: 1, failed: 0 },
            { second: 0, acknowledged: 0, lost: 0, failed: 0 },
            { second: 1, acknowledged: 0, lost: 0, failed: 0 },
            { second: 2, acknowledged: 0, lost: 0, failed: 1 },
        ]);
    });
    it("is empty for customers who never got as far", () => {
        assert.deepEqual(ordersBySecond([attempted(lossAt, 1)], new Set(), lossAt), []);
    });
});

describe("the series of a rehearsal", () => {
    const step = { name: "claim", startedAt: lossAt + 4000, finishedAt: lossAt + 4250 };
    const found = seriesOf(
        { lossAt, detectedAt: lossAt + 3000, activation: { startedAt: lossAt + 3500, finishedAt: lossAt + 9000, steps: [step] } },
        [{ name: "wait", startedAt: lossAt - 5000, finishedAt: lossAt - 100 }],
        [],
        [],
        [{ store: "orders-mysql", at: lossAt - 2500, lagSeconds: null }],
    );
    it("counts from the loss, and is evidence", () => {
        assert.deepEqual(series.parse(found).spans, [
            { of: "rehearsal", name: "wait", startSeconds: -5, endSeconds: -0.1 },
            { of: "activation", name: "claim", startSeconds: 4, endSeconds: 4.25 },
        ]);
        assert.deepEqual(found.lag, [{ store: "orders-mysql", seconds: -2.5, lagSeconds: null }]);
    });
    it("leaves out what did not come to pass", () => {
        assert.deepEqual(
            found.instants.map(({ name }) => name),
            ["loss", "detected", "activation started", "activation finished"],
        );
    });
});
