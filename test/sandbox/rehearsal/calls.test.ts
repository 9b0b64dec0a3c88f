import assert from "node:assert/strict";
import { actors, whoIs } from "../../../sandbox/addresses.ts";
import { countByRegion, countCalls, separate } from "../../../sandbox/rehearsal/calls.ts";

const line = (at: number, who: string, region: string) => ({
    at: new Date(at).toISOString(),
    who,
    region,
    service: "s3",
    action: "GetObject",
});
const lost = { site: "primary", region: "us-east-1" } as const;

describe("counting calls", () => {
    it("counts by who called, from the loss to the first good answer and no further", () => {
        const by = countCalls(
            [
                line(999, "activation", "us-east-1"),
                line(1000, "activation", "us-west-2"),
                line(1500, "activation", "global"),
                line(1600, "pod:standby", "us-east-1"),
                line(2001, "activation", "us-east-1"),
            ],
            [],
            lost,
            1000,
            2000,
        );
        assert.deepEqual(by, {
            activation: { total: 2, deadRegion: 0, globalControlPlane: 1 },
            "pod:standby": { total: 1, deadRegion: 1, globalControlPlane: 0 },
        });
    });
    it("counts a write that a global control plane carries out wherever it was sent", () => {
        const by = countCalls(
            [{ ...line(1000, "activation", "us-west-2"), action: "PutBucketPolicy", globalWrite: true }],
            [],
            lost,
            0,
            2000,
        );
        assert.deepEqual(by["activation"], { total: 1, deadRegion: 0, globalControlPlane: 1 });
    });
    it("tells the regions apart, and adds up to the same", () => {
        const audit = [line(1000, "activation", "us-west-2"), line(1001, "activation", "global"), line(1002, "checkers", "us-west-2")];
        const attempts = [{ source: "10.0.3.1", who: "checkers", destination: "10.1.129.2", port: 443, packets: 9 }];
        const by = countByRegion(audit, attempts, lost, 0, 2000);
        assert.deepEqual(by, { activation: { "us-west-2": 1, global: 1 }, checkers: { "us-west-2": 1, "us-east-1": 1 } });
        const totals = countCalls(audit, attempts, lost, 0, 2000);
        for (const [who, regions] of Object.entries(by))
            assert.equal(
                Object.values(regions).reduce((a, b) => a + b),
                totals[who]?.total,
            );
    });
    it("counts packets that never arrived against whoever sent them", () => {
        const by = countCalls(
            [],
            [
                { source: actors.activation, who: whoIs(actors.activation), destination: "10.1.255.1", port: 443, packets: 7 },
                { source: actors.customers, who: whoIs(actors.customers), destination: "10.1.129.4", port: 443, packets: 90 },
                { source: "10.2.0.9", who: whoIs("10.2.0.9"), destination: "10.1.129.5", port: 3306, packets: 3 },
                { source: actors.activation, who: whoIs(actors.activation), destination: "10.2.255.1", port: 443, packets: 1 },
            ],
            lost,
            0,
            1,
        );
        assert.equal(by.activation?.deadRegion, 1);
        assert.equal(by.customers?.deadRegion, 1);
        assert.equal(by["pod:standby"]?.deadRegion, 1);
        const { calls, otherCalls } = separate(by);
        assert.deepEqual(calls, { total: 1, deadRegion: 1, globalControlPlane: 0 });
        assert.deepEqual([otherCalls.total, otherCalls.deadRegion, Object.keys(otherCalls.by)], [2, 2, ["customers", "pod:standby"]]);
    });
    it("reports an activation that made no call as none, not as missing", () => {
        assert.deepEqual(separate({}).calls, { total: 0, deadRegion: 0, globalControlPlane: 0 });
    });
});
