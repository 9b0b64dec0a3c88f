import assert from "node:assert/strict";
import type { SiteName } from "../../../model/estate.ts";
import { siteAddresses } from "../../../sandbox/addresses.ts";
import { assemble, type Findings } from "../../../sandbox/rehearsal/assemble.ts";
import type { LedgerLine } from "../../../sandbox/rehearsal/ledger.ts";
import { Phases } from "../../../sandbox/rehearsal/phases.ts";
import { estate } from "../../model/facts.ts";

const lossAt = 1_000_000;
const context = {
    estate,
    scenario: "partition",
    service: Object.keys(estate.services)[0]!,
    seed: 1,
    fast: 1,
    startedAt: new Date(0),
    phases: new Phases(() => {}, {}),
    problems: [],
};
const order = (number: number, at: number, site: SiteName): LedgerLine[] =>
    (["attempt", "acknowledged"] as const).map((kind) => ({
        kind,
        at,
        mono: at,
        client: 0,
        order: number,
        customer: "anna",
        attempt: 1,
        address: `${siteAddresses(site).loadBalancerPrefix}.1`,
    }));
const findings = (lost: SiteName, more: Partial<Findings> = {}): Findings => ({
    lost,
    lossAt,
    recovery: { timeline: { lossAt }, clock: {}, served: [], allServed: true },
    tried: { audit: [], attempts: [] },
    // The first is from before the cut, two are acknowledged alone after it, and the last by the standby.
    ledger: [
        ...order(1, lossAt - 500, "primary"),
        ...order(2, lossAt + 500, "primary"),
        ...order(3, lossAt + 9000, "primary"),
        ...order(4, lossAt + 20_000, "standby"),
    ],
    rows: { orders: [1, 4].map((number) => ({ number, customer: "anna" })) },
    points: {},
    pointsNow: {},
    restored: [],
    lag: [],
    ...more,
});

describe("the evidence of a rehearsal", () => {
    it("counts what the lost site acknowledged alone and lost apart from the RPO, and apart from what the other site lost", () => {
        const { orders, rpo } = assemble(context, findings("primary"));
        assert.deepEqual([orders.lost, orders.lostAlone, orders.lostAfterTheLoss], [2, 2, 0]);
        assert.deepEqual([rpo.totalSeconds, rpo.verdict], [0, "PASS"]);
    });
    it("has a worst case of the primary's loss, and none of the standby's: no model gives one", () => {
        const boundsOf = ({ rto, rpo }: ReturnType<typeof assemble>) => [rto.boundSeconds, rpo.boundSeconds];
        assert.ok(boundsOf(assemble(context, findings("primary"))).every((bound) => bound! > 0));
        assert.deepEqual(boundsOf(assemble(context, findings("standby"))), [null, null]);
    });
    it("has no instant of a recovery that never came", () => {
        const timeline = {
            lossAt,
            detectedAt: lossAt + 3000,
            latchSeenAt: lossAt + 9000,
            lookedUpAt: lossAt + 9000,
            servedAt: lossAt + 9000,
        };
        const instants = (allServed: boolean) =>
            assemble(context, findings("primary", { recovery: { timeline, clock: {}, served: [], allServed } })).series!.instants.map(
                ({ name }) => name,
            );
        assert.deepEqual(instants(false), ["loss", "detected"]);
        assert.deepEqual(instants(true).slice(2), ["latch seen", "last customer has the address", "last customer served"]);
    });
});
