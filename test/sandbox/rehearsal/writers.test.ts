import assert from "node:assert/strict";
import fc from "fast-check";
import type { SiteName } from "../../../model/estate.ts";
import { acknowledgementsIn, findWriters, judgeWriters, type Acknowledgement, type Tenure } from "../../../sandbox/rehearsal/writers.ts";
import type { LedgerLine } from "../../../sandbox/rehearsal/ledger.ts";

const handover = 10_000;
const tenures: Tenure[] = [
    { site: "primary", epoch: 1, from: -Infinity },
    { site: "standby", epoch: 2, from: handover },
];
let order = 0;
const write = (site: SiteName, sentAt: number, receivedAt: number): Acknowledgement => ({ site, sentAt, receivedAt, order: ++order });
const judge = (...acknowledgements: Acknowledgement[]) => judgeWriters(findWriters(acknowledgements, tenures), tenures);

describe("the search for a second writer", () => {
    it("finds none where one site stopped before the other began", () => {
        assert.deepEqual(judge(write("primary", 0, 10), write("primary", 9000, 9010), write("standby", handover + 5, handover + 9)), []);
    });
    it("finds the old site that acknowledged after its time, also where the new one did not write yet", () => {
        assert.match(judge(write("primary", handover + 1, handover + 3)).join(), /1 writes were acknowledged .* by the primary/);
    });
    it("finds the new site that acknowledged before its time", () => {
        assert.match(judge(write("standby", handover - 9, handover - 3)).join(), /by the standby/);
    });
    it("holds nothing against a write that was sent in time and answered late, but tells how late", () => {
        const acknowledgements = [write("primary", handover - 5, handover + 400)];
        const found = findWriters(acknowledgements, tenures);
        assert.deepEqual([found.unlawful, found.late], [[], { count: 1, longestMs: 400 }]);
        assert.deepEqual(judgeWriters(found, tenures), []);
    });
    it("finds two that take turns by their acknowledgements alone, however wrong the time of the handover is", () => {
        const late: Tenure[] = [tenures[0]!, { site: "standby", epoch: 2, from: 5 }];
        const acknowledgements = [write("primary", 0, 1), write("standby", 2, 6), write("primary", 7, 8)];
        assert.equal(findWriters(acknowledgements, late).turns, 3);
        assert.match(judgeWriters(findWriters(acknowledgements, late), late).join("\n"), /took turns 3 times/);
    });
    it("does not take writes that were under way at once for turns", () => {
        assert.equal(findWriters([write("primary", 0, 100), write("standby", 50, 150), write("primary", 90, 190)], tenures).turns, 1);
    });

    const moment = fc.integer({ min: 0, max: 40_000 });
    /** Times at which the epoch passed on, and writes that were each made at an instant at which their site held it. */
    const lawful = fc
        .record({
            handovers: fc.uniqueArray(moment, { maxLength: 4 }),
            writes: fc.array(fc.tuple(moment, fc.nat(500), fc.nat(500)), { maxLength: 60 }),
        })
        .map(({ handovers, writes }) => {
            const tenures = [-Infinity, ...handovers.sort((a, b) => a - b)].map((from, index): Tenure => ({
                site: index % 2 === 0 ? "primary" : "standby",
                epoch: index + 1,
                from,
            }));
            const acknowledgements = writes.map(([at, before, after]) =>
                write(tenures.findLast(({ from }) => from <= at)!.site, at - before, at + after),
            );
            return { tenures, acknowledgements };
        });

    it("accepts whatever one writer at a time can have made", () =>
        fc.assert(
            fc.property(lawful, ({ tenures, acknowledgements }) => {
                assert.deepEqual(judgeWriters(findWriters(acknowledgements, tenures), tenures), []);
            }),
        ));
    it("rejects it once one write is moved to a site that did not hold the epoch while it was under way", () =>
        fc.assert(
            fc.property(lawful, moment, ({ tenures, acknowledgements }, at) => {
                const holder = tenures.findLast(({ from }) => from <= at)!;
                const next = tenures.find(({ from }) => from > at)?.from ?? Infinity;
                fc.pre(next - at > 2);
                const second = write(holder.site === "primary" ? "standby" : "primary", at + 1, at + 1);
                assert.notDeepEqual(judgeWriters(findWriters([...acknowledgements, second], tenures), tenures), []);
            }),
        ));
});

describe("acknowledgements in a ledger", () => {
    const common = { client: 0, customer: "c", attempt: 1, mono: 0 };
    it("have the site whose address answered, and the span from sending to answer", () => {
        const lines: LedgerLine[] = [
            { kind: "attempt", ...common, order: 1, address: "10.1.129.7", at: 5 },
            { kind: "failed", ...common, order: 1, address: "10.1.129.7", at: 6, reason: "x" },
            { kind: "attempt", ...common, order: 1, attempt: 2, address: "10.2.129.7", at: 7 },
            { kind: "acknowledged", ...common, order: 1, attempt: 2, address: "10.2.129.7", at: 9 },
        ];
        assert.deepEqual(acknowledgementsIn(lines), [{ site: "standby", sentAt: 7, receivedAt: 9, order: 1 }]);
    });
    it("are refused where nothing was sent, or no site answered", () => {
        const said = (address: string): LedgerLine => ({ kind: "acknowledged", ...common, order: 1, address, at: 9 });
        assert.throws(() => acknowledgementsIn([said("10.1.129.7")]), /never sent/);
        assert.throws(() => acknowledgementsIn([said("10.0.0.7")]), /in no site/);
    });
});
