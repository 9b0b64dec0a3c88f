import assert from "node:assert/strict";
import { siteAddresses } from "../../../sandbox/addresses.ts";
import type { LedgerLine } from "../../../sandbox/rehearsal/ledger.ts";
import { judgeWayBack, type WayBack } from "../../../sandbox/rehearsal/way-back.ts";

const addressIn = (site: "primary" | "standby") => `10.${siteAddresses(site).number}.128.9`;
let number = 0;
/** An order of one of four customers, acknowledged by a site at a second. */
const order = (at: number, site: "primary" | "standby"): LedgerLine => ({
    kind: "acknowledged",
    at: at * 1000,
    mono: at * 1000,
    client: number % 4,
    order: ++number,
    customer: "anna",
    attempt: 1,
    address: addressIn(site),
});
const orders = (from: number, to: number, site: "primary" | "standby") =>
    Array.from({ length: (to - from) * 4 }, (_, n) => order(from + n / 4, site));
const lossAt = 50_000;
const run: WayBack = {
    startedAt: 100_000,
    finishedAt: 160_000,
    settledAt: 170_000,
    steps: [
        { name: "aside:ledger", seconds: 1, result: { rows: 2, saved: { key: "ledger/aside-1/data" } } },
        { name: "aside:people", seconds: 1, result: { rows: 0, because: "it is a copy already" } },
    ],
};
const good = () => {
    number = 0;
    return [...orders(60, 130, "standby"), ...orders(140, 170, "primary")];
};

const expecting = (boundSeconds: number) => ({ boundSeconds, modelledSeconds: 90, scaledSeconds: 54 });

describe("what a rehearsal finds of the way back", () => {
    it("is the span without an acknowledgement, the longest wait of a customer, and who served how many", () => {
        const { evidence, reasons } = judgeWayBack(run, good(), [], lossAt, expecting(180));
        assert.deepEqual(reasons, []);
        assert.equal(evidence.verdict, "PASS");
        assert.equal(evidence.totalSeconds, evidence.longestWaitSeconds + 90 + 54);
        assert.equal(evidence.switchSeconds, 140 - 129.75);
        assert.ok(evidence.longestWaitSeconds >= evidence.switchSeconds! && evidence.longestWaitSeconds < 12);
        assert.deepEqual([evidence.seconds, evidence.acknowledged.primary], [60, 120]);
        assert.deepEqual(evidence.aside, [
            { store: "ledger", rows: 2, key: "ledger/aside-1/data" },
            { store: "people", rows: 0, key: null },
        ]);
    });
    it("fails with an order that is lost after the primary's loss, and not with one from before", () => {
        const ledger = good();
        assert.deepEqual(judgeWayBack(run, ledger, [1], 61_000, expecting(180)).reasons, []);
        const { evidence, reasons } = judgeWayBack(run, ledger, [1, 300], 61_000, expecting(180));
        assert.equal(evidence.lost, 1);
        assert.match(reasons.join(), /1 orders that were acknowledged after the loss/);
    });
    it("leaves to the RPO what the primary acknowledged alone before it came back", () => {
        const ledger = [...good(), order(51, "primary")];
        const alone = number;
        assert.deepEqual(judgeWayBack(run, ledger, [alone], lossAt, expecting(180)).reasons, []);
    });
    it("fails where nobody is served by the primary, where both acknowledged at once, and where somebody waited too long", () => {
        const reasonsOf = (ledger: LedgerLine[], bound = 180) => judgeWayBack(run, ledger, [], lossAt, expecting(bound)).reasons.join();
        assert.match(reasonsOf(orders(60, 130, "standby")), /no order was acknowledged by the primary/);
        assert.match(reasonsOf([...orders(60, 141, "standby"), ...orders(140, 170, "primary")]), /before the standby had ended/);
        assert.match(reasonsOf(good(), 150), /waited 15\d\.\d s, with what is scaled and modelled, and the plan expects 150 s at most/);
    });
});
