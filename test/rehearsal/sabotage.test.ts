import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { rtoBounds } from "../../model/bounds.ts";
import type { Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { operate } from "../../sandbox/rehearsal/provision.ts";
import { estate } from "../../stacks/estate.ts";
import { edit, own, rehearsed, sql } from "./support.ts";

/** Reasons that begin with a word. */
const because = (found: Evidence, word: string) => found.reasons.filter((reason) => reason.startsWith(word)).join("\n");

describe("a rehearsal that is sabotaged", function () {
    this.timeout(480_000);

    describe("in four ways that have nothing to do with each other", () => {
        let found: Evidence;
        before(async () => {
            ({ evidence: found } = await rehearsed("sabotage", 2, {
                sabotage: async (phase, sandbox) => {
                    // The copies no longer reach the standby, so no point is ever verified: from before the archive's first copy.
                    if (phase === "provision") await sandbox.control("replicator", "PUT", "/", { paused: true });
                    // Somebody raised the TTL by hand, past the policy.
                    if (phase === "customers") await setTtl(sandbox, 300);
                    if (phase === "wait") {
                        // PostgreSQL's replica loses its stream, and may not come back.
                        await sql(
                            sandbox,
                            "primary",
                            "orders-postgres",
                            "alter role replication nologin; select pg_terminate_backend(pid) from pg_stat_replication",
                        );
                        await sleep(8000);
                    }
                    // A step of the plan asks the primary for something.
                    if (phase === "lose")
                        edit(
                            sandbox,
                            "recovery/steps/fence.ts",
                            "const { record } = await readEpoch(bucket);",
                            `await fetch("https://sts.us-east-1.amazonaws.com/", { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
            const { record } = await readEpoch(bucket);`,
                        );
                },
            }));
        });

        it("fails", () => assert.equal(found.verdict, "FAIL"));
        it("fails in RPO when replication had stopped before the loss: orders are lost, and torn", () => {
            assert.equal(found.rpo.verdict, "FAIL");
            assert.ok(found.rpo.measuredSeconds > 7, `${found.rpo.measuredSeconds} s`);
            assert.ok(found.orders.lost > 20 && found.orders.torn === found.orders.lost, JSON.stringify(found.orders));
            assert.match(because(found, "RPO"), /acknowledged orders are lost/);
        });
        it("fails in RTO when the TTL is 300 s: customers keep the dead address", () => {
            assert.equal(found.rto.verdict, "FAIL");
            assert.match(because(found, "RTO"), /answered with a TTL of 300 s/);
            assert.equal(found.rto.boundSeconds, rtoBounds(estate)[0]!.seconds + 240);
        });
        it("fails in its recovery points when none was ever verified", () => {
            for (const { verified, restored, verdict, reasons } of found.recoveryPoints) {
                assert.deepEqual([verified, restored, verdict], [false, false, "FAIL"]);
                assert.match(reasons.join(), /no recovery point was verified/);
            }
        });
        it("fails in its calls when a step asks the primary for something", () => {
            assert.ok(found.calls.deadRegion > 0);
            assert.match(because(found, "calls"), /called the lost region/);
            assert.ok(found.attempts.some(({ who, destination }) => who === "activation" && destination === "10.1.255.1"));
        });
    });

    describe("by pinning the standby's capacity to 0", () => {
        let found: Evidence;
        before(async () => {
            ({ evidence: found } = await rehearsed("capacity", 3, {
                sabotage: async (phase, sandbox) => {
                    if (phase === "lose")
                        edit(sandbox, "components/workload.ts", "replicas: active ? pods : 0", "replicas: 0 * (active ? pods : 0)");
                },
            }));
        });
        it("fails in RTO: nobody is served again", () => {
            assert.deepEqual([found.verdict, found.rto.verdict, found.rto.totalSeconds], ["FAIL", "FAIL", null]);
            assert.match(because(found, "RTO"), /not all served again/);
        });
        it("fails in nothing else that the sabotage does not touch", () => {
            assert.equal(found.rpo.verdict, "PASS");
            assert.deepEqual([found.calls.deadRegion, found.calls.globalControlPlane], [0, 0]);
            assert.deepEqual(
                found.recoveryPoints.map(({ verdict }) => verdict),
                ["PASS", "PASS"],
            );
        });
    });
});

/** Changes the TTL of the failover records through Route 53, as somebody at the console would. */
async function setTtl(sandbox: Parameters<typeof operate>[0], ttl: number): Promise<void> {
    const program = `
        import { ChangeResourceRecordSetsCommand, ListHostedZonesCommand, ListResourceRecordSetsCommand, Route53Client } from "@aws-sdk/client-route-53";
        const client = new Route53Client({});
        const { HostedZones: [zone] } = await client.send(new ListHostedZonesCommand({}));
        const { ResourceRecordSets: sets } = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zone.Id }));
        const failover = sets.filter((set) => set.Failover);
        if (failover.length !== 2) throw new Error("expected two failover records");
        await client.send(new ChangeResourceRecordSetsCommand({
            HostedZoneId: zone.Id,
            ChangeBatch: { Changes: failover.map((set) => ({ Action: "UPSERT", ResourceRecordSet: { ...set, TTL: ${ttl} } })) },
        }));`;
    await operate(sandbox, ["node", "--input-type=module", "-e", program], `TTL of ${own.serviceHost("orders")}`);
}
