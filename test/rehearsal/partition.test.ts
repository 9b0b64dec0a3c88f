import assert from "node:assert/strict";
import type { Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { report } from "../../sandbox/rehearsal/report.ts";
import { estate } from "../../stacks/estate.ts";
import { records, rehearsed } from "./support.ts";

describe("a rehearsal of a primary that is cut off alive", function () {
    this.timeout(480_000);
    let found: Evidence;
    let path: string;
    let epoch: unknown;

    before(async () => {
        ({ evidence: found, path } = await rehearsed("partition", 1, {
            scenario: "partition",
            afterwards: async (sandbox) => {
                epoch = (await records(sandbox, "epoch.json"))["epoch.json"];
            },
        }));
    });

    it("passes, with every objective held", () => assert.deepEqual([found.verdict, found.reasons], ["PASS", []]));
    it("never has two writers, though customers wrote on both sides", () => {
        const { acknowledged, unlawful, turns, tenures, silenceSeconds, verdict } = found.writers!;
        assert.ok(acknowledged.primary > 100 && acknowledged.standby > 50, JSON.stringify(acknowledged));
        assert.deepEqual([unlawful, turns, verdict], [0, 2, "PASS"]);
        assert.deepEqual(
            tenures.map(({ site, epoch }) => [site, epoch]),
            [
                ["primary", 1],
                ["standby", 2],
            ],
        );
        assert.ok(silenceSeconds! > 0);
    });
    it("counts what the primary acknowledged alone, which its lease bounds", () => {
        const { acknowledged, lost, spanSeconds } = found.writers!.alone;
        assert.ok(acknowledged > 20 && lost > 20 && lost <= acknowledged, JSON.stringify(found.writers!.alone));
        // The lease, and what an order takes through the service.
        assert.ok(spanSeconds > 1 && spanSeconds < estate.lease.duration + 2, `${spanSeconds} s`);
    });
    it("holds everything else that was acknowledged against the objective", () => {
        const { lostAfterTheLoss, unknown, acknowledged, survived, lost } = found.orders;
        assert.deepEqual([lostAfterTheLoss, unknown, acknowledged - survived - lost], [0, 0, 0]);
        assert.equal(found.rpo.verdict, "PASS");
    });
    it("finds the old primary read-only, refused, small, without traffic and with advice after the cut has healed", () => {
        assert.deepEqual(
            found.checks!.map(({ holds }) => holds),
            [true, true, true, true, true],
            JSON.stringify(found.checks, undefined, 2),
        );
    });
    it("makes no call into the region that is cut off", () =>
        assert.deepEqual([found.calls.deadRegion, found.calls.globalControlPlane], [0, 0]));
    it("leaves the standby active", () =>
        assert.deepEqual([(epoch as { epoch: number }).epoch, (epoch as { active: string }).active], [2, "standby"]));
    it("is reported with its writers", () => assert.match(report(found, path), /^writers: 0 acknowledgements .*: PASS$/m));
});
