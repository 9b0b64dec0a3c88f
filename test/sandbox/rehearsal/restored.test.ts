import assert from "node:assert/strict";
import type { SiteName } from "../../../model/estate.ts";
import type { LedgerLine } from "../../../sandbox/rehearsal/ledger.ts";
import { lastDocument, pointFound } from "../../../sandbox/rehearsal/restored.ts";
import { manifestOf, recoveryPointOf } from "../../support/points.ts";

const pointAt = (second: number, point = `20260101T0000${String(second).padStart(2, "0")}Z-abcd`) =>
    recoveryPointOf(
        manifestOf(point, { startedAt: new Date(second * 1000).toISOString(), finishedAt: new Date((second + 5) * 1000).toISOString() }),
    );
const sold = (order: number, at: number): LedgerLine[] => [
    { kind: "attempt", client: 0, order, customer: "c", attempt: 1, address: "a", at: at - 1, mono: 0 },
    { kind: "acknowledged", client: 0, order, customer: "c", attempt: 1, address: "a", at, mono: 0 },
];
const ledger = [...sold(1, 9000), ...sold(2, 9500), ...sold(3, 12_000), ...sold(4, 20_000)];
const job = (log: string, succeeded = true) => ({ cronJob: "restore-s", job: "restore-s-1", succeeded, log, seconds: 3 });
const said = (point: string, rows: number) =>
    JSON.stringify(
        { store: "s", point, target: "t", tables: [{ name: "orders", rows, checksum: "x" }], seconds: 2, bytes: 10 },
        undefined,
        2,
    );
const loss = { at: 21_000, site: "primary" } as const;
const objective = { objectiveSeconds: 900, boundSeconds: 300 };

describe("what a restore said", () => {
    it("is found behind other lines, whole or on one line", () => {
        assert.deepEqual(lastDocument(`{"a": 1}\nreading\n{\n  "b": {\n    "c": 2\n  }\n}\nbye`), { b: { c: 2 } });
        assert.deepEqual(lastDocument('note\n{"a":1}\n'), { a: 1 });
        assert.throws(() => lastDocument("nothing"), /no JSON document/);
    });
    it("is held against the orders acknowledged before the copy began and all that were sent: the log goes on behind it", () => {
        const point = pointAt(10);
        const found = pointFound("s", objective, point, [point], job(`x\n${said(point.manifest.point, 3)}\n`), ledger, loss);
        assert.deepEqual([found.promised, found.sent, found.restored?.orders], [2, 4, 3]);
    });
    it("tells how long before the loss the last order was that came back, and nothing of another site's point", () => {
        const point = pointAt(10);
        const lost = (rows: number, site: SiteName, at = 21_000) =>
            pointFound("s", objective, point, [point], job(said(point.manifest.point, rows)), ledger, { at, site }).lostSeconds;
        assert.deepEqual([lost(3, "primary"), lost(4, "primary"), lost(9, "primary")], [9, 1, 1]);
        assert.equal(lost(4, "primary", 12_500), 0.5, "what was acknowledged after the loss is not of it");
        assert.deepEqual([lost(0, "primary"), lost(4, "standby")], [undefined, undefined]);
    });
    it("is held against the point that it restored, also when that is newer than the newest before the loss", () => {
        const [old, young] = [pointAt(10), pointAt(21)];
        const found = pointFound("s", objective, old, [old, young], job(said(young.manifest.point, 4)), ledger, loss);
        assert.deepEqual(
            [found.newest?.point, found.restored?.point, found.promised, found.sent],
            [old.manifest.point, young.manifest.point, 4, 4],
        );
    });
    it("is a failure when the job failed, said nothing that can be read, or names a point that nobody verified", () => {
        const point = pointAt(10);
        for (const [which, reason] of [
            [undefined, /no restore was tried/],
            [{ ...job("it broke", false), reason: "BackoffLimitExceeded" }, /BackoffLimitExceeded; it broke/],
            [job("fine"), /not understood/],
            [job(said("20270101T000000Z-ffff", 3)), /catalog does not have/],
        ] as const) {
            const found = pointFound("s", objective, point, [point], which, ledger, loss);
            assert.equal(found.restored, undefined);
            assert.match(found.failure ?? "", reason);
        }
    });
});
