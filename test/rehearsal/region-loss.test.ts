import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { evidence as schema, type Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { sums, total } from "../../sandbox/rehearsal/clock.ts";
import { report } from "../../sandbox/rehearsal/report.ts";
import { assertNoDrift, records, rehearsed, source } from "./support.ts";

const status = () =>
    execFileSync("git", ["-C", source, "status", "--porcelain", "Pulumi.dr.yaml", "Pulumi.prod.yaml", "stacks"], { encoding: "utf8" });

describe("a rehearsal of the loss of a region", function () {
    this.timeout(420_000);
    let found: Evidence;
    let path: string;
    let checkout: string;
    let epoch: unknown;
    let drift: Error | undefined;
    let driftAfter: Error | undefined;

    before(async () => {
        checkout = status();
        ({ evidence: found, path } = await rehearsed("green", 1, {
            sabotage: async (phase, sandbox) => {
                if (phase !== "customers") return;
                try {
                    await Promise.all([assertNoDrift(sandbox, "dr"), assertNoDrift(sandbox, "prod")]);
                } catch (error) {
                    drift = error as Error;
                }
            },
            afterwards: async (sandbox) => {
                epoch = (await records(sandbox, "epoch.json"))["epoch.json"];
                try {
                    await assertNoDrift(sandbox, "dr");
                } catch (error) {
                    driftAfter = error as Error;
                }
            },
        }));
    });

    it("passes, with every objective held", () => {
        assert.deepEqual([found.verdict, found.reasons], ["PASS", []]);
        assert.deepEqual([found.rto.verdict, found.rpo.verdict], ["PASS", "PASS"]);
    });
    it("writes the evidence that it returns", () => {
        assert.deepEqual(schema.parse(JSON.parse(readFileSync(path, "utf8"))), found);
    });
    it("adds the recovery time up from its clock, kind by kind", () => {
        const { measuredSeconds, scaledSeconds, modelledSeconds, declaredSeconds, totalSeconds } = found.rto;
        assert.deepEqual({ measuredSeconds, scaledSeconds, modelledSeconds, declaredSeconds }, sums(found.clock));
        assert.equal(totalSeconds, total(sums(found.clock)));
        assert.equal(declaredSeconds, 300);
        for (const name of ["detect", "decide", "claim", "fence", "promote", "scale", "verify", "latch", "dns", "answer"])
            assert.ok(found.clock[name], `the clock has ${name}`);
    });
    it("finds every acknowledged order in both databases, or says which are lost", () => {
        const { acknowledged, survived, lost, lostAfterTheLoss, unknown } = found.orders;
        assert.ok(acknowledged > 100, `${acknowledged} orders`);
        assert.equal(survived + lost, acknowledged);
        assert.deepEqual([lostAfterTheLoss, unknown], [0, 0]);
    });
    it("activates with no call to the lost region and none to a global control plane", () => {
        assert.ok(found.calls.total > 10, `${found.calls.total} calls`);
        assert.deepEqual([found.calls.deadRegion, found.calls.globalControlPlane], [0, 0]);
    });
    it("sees that others did try the lost region", () => {
        assert.ok((found.otherCalls.by["customers"]?.deadRegion ?? 0) > 0, JSON.stringify(found.otherCalls));
        assert.ok((found.otherCalls.by["checkers"]?.deadRegion ?? 0) > 0, JSON.stringify(found.otherCalls));
    });
    it("has verified and restored the newest recovery point of each store", () => {
        assert.deepEqual(
            found.recoveryPoints.map(({ store, verified, restored, verdict }) => [store, verified, restored, verdict]),
            [
                ["orders-mysql", true, true, "PASS"],
                ["orders-postgres", true, true, "PASS"],
            ],
        );
        for (const { promisedOrders, restoredOrders } of found.recoveryPoints)
            assert.ok(restoredOrders! >= promisedOrders! && promisedOrders! > 0);
    });
    it("leaves the standby active in the epoch record", () => {
        const { epoch: number, active } = epoch as { epoch: number; active: string };
        assert.deepEqual([number, active], [2, "standby"]);
    });
    it("is reported with measured, scaled, modelled and declared apart", () => {
        const text = report(found, path);
        assert.match(text, /^RTO .*: PASS$/m);
        assert.match(text, /measured +scaled +modelled +declared/);
    });
    it("has stacks without drift after up", () => assert.ifError(drift));
    it("has no drift in the living stack after the activation", () => assert.ifError(driftAfter));
    it("leaves the checkout as it was", () => assert.equal(status(), checkout));
});
