import assert from "node:assert/strict";
import fc from "fast-check";
import type { LedgerLine } from "../../../sandbox/rehearsal/ledger.ts";
import { longestSilence } from "../../../sandbox/rehearsal/silence.ts";

const said = (client: number, at: number): LedgerLine => ({
    kind: "acknowledged",
    client,
    at,
    mono: at,
    order: at,
    customer: "c",
    attempt: 1,
    address: "10.1.129.1",
});

describe("the longest silence", () => {
    it("is that of the customer who waited longest, its first and its last wait included", () => {
        assert.equal(longestSilence([said(0, 100), said(0, 9000), said(1, 2000), said(1, 4000)], [0, 1], 0, 10_000), 8.9);
        assert.equal(longestSilence([said(0, 4000), said(0, 5000)], [0], 0, 10_000), 5);
        assert.equal(longestSilence([said(0, 6000), said(0, 9900)], [0], 0, 10_000), 6);
    });
    it("is all of the time for a customer who was never served, however well others were", () => {
        assert.equal(longestSilence([said(0, 10), said(0, 20)], [0, 1], 0, 30), 0.03);
    });
    it("counts nothing before and after", () => {
        assert.equal(longestSilence([said(0, 50), said(0, 20_000)], [0], 1000, 3000), 2);
    });
    it("never grows when a customer is served once more", () =>
        fc.assert(
            fc.property(fc.array(fc.integer({ min: 0, max: 1000 })), fc.integer({ min: 0, max: 1000 }), (times, more) => {
                const sorted = (all: number[]) => all.sort((a, b) => a - b).map((at) => said(0, at));
                const before = longestSilence(sorted([...times]), [0], 0, 1000);
                assert.ok(longestSilence(sorted([...times, more]), [0], 0, 1000) <= before);
            }),
        ));
});
