import { evidence, type Evidence } from "../../../sandbox/rehearsal/evidence.ts";

const judgement = { measuredSeconds: 40, scaledSeconds: 90, modelledSeconds: 150, declaredSeconds: 300, boundSeconds: 580 };
/** Evidence of a rehearsal that failed: made by hand, with something of everything. */
export const found: Evidence = evidence.parse({
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
    ownData: {
        ...{ store: "orders-mysql", file: "shop.sql.gz", bytes: 26_000_000, sha256: "ef".repeat(32), loadSeconds: 3 },
        tables: [
            {
                name: "people",
                loaded: { rows: 5, checksum: "7" },
                standby: { rows: 5, checksum: "7" },
                restored: { rows: 5, checksum: "7" },
                same: true,
            },
            { name: "towns", loaded: { rows: 2, checksum: "8" }, standby: { rows: 2, checksum: "9" }, restored: null, same: false },
        ],
    },
    modelled: ["EC2 boot"],
    phases: { provision: 40 },
    callsByRegion: { activation: { "us-west-2": 40 }, customers: { "us-west-2": 7, "us-east-1": 2 } },
    series: {
        spans: [
            { of: "rehearsal", name: "provision", startSeconds: -80, endSeconds: -40 },
            { of: "rehearsal", name: "detect", startSeconds: 0, endSeconds: 4 },
            { of: "activation", name: "promote:orders-mysql", startSeconds: 5, endSeconds: 6.5 },
        ],
        instants: [
            { name: "loss", seconds: 0 },
            { name: "detected", seconds: 4 },
        ],
        orders: [
            { second: -2, acknowledged: 10, lost: 0, failed: 0 },
            { second: -1, acknowledged: 8, lost: 3, failed: 0 },
            { second: 0, acknowledged: 0, lost: 0, failed: 4 },
        ],
        lag: [
            { store: "orders-mysql", seconds: -1.5, lagSeconds: 0.4 },
            { store: "orders-mysql", seconds: -0.5, lagSeconds: null },
        ],
    },
});
