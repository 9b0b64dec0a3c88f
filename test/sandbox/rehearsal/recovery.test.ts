import assert from "node:assert/strict";
import { servedAgain } from "../../../sandbox/rehearsal/crowd.ts";
import { endpointsLostAt, latchSeenAt, type Check } from "../../../sandbox/rehearsal/health.ts";
import { stepsOfNewest } from "../../../sandbox/rehearsal/journal.ts";
import type { LedgerLine } from "../../../sandbox/rehearsal/ledger.ts";

const iso = (at: number) => new Date(at).toISOString();
const check = (type: string, healthy: boolean, ...changes: [number, boolean][]): Check => ({
    id: type,
    type,
    healthy,
    changes: changes.map(([at, healthy]) => ({ at: iso(at), healthy })),
});

describe("when the loss was detected", () => {
    it("is when the endpoint's check turned, not when somebody looked", () => {
        const checks = [check("HTTPS", false, [1000, true], [31_000, false]), check("CLOUDWATCH_METRIC", true)];
        assert.equal(endpointsLostAt(checks, 5000), 31_000);
    });
    it("is not yet while an endpoint is healthy, or when there is none to ask", () => {
        assert.equal(endpointsLostAt([check("HTTPS", true, [1000, true])], 5000), undefined);
        assert.equal(endpointsLostAt([check("CALCULATED", false, [9000, false])], 5000), undefined);
    });
    it("sees the latch by the change of a metric's check after the activation began", () => {
        const checks = [check("CLOUDWATCH_METRIC", false, [1000, true], [60_000, false]), check("HTTPS", false, [70_000, false])];
        assert.equal(latchSeenAt(checks, 5000), 60_000);
        assert.equal(latchSeenAt(checks, 65_000), undefined);
    });
});

describe("customers who were served again", () => {
    const line = (kind: "acknowledged", client: number, at: number, address: string): LedgerLine => ({
        kind,
        client,
        at,
        mono: at,
        order: client + 1,
        customer: "c",
        attempt: 1,
        address,
    });
    it("are those with an acknowledgment from the standby after the loss", () => {
        const lines: LedgerLine[] = [
            line("acknowledged", 0, 90, "10.1.129.2"),
            line("acknowledged", 0, 110, "10.1.129.2"), // was on its way
            { kind: "looked-up", client: 0, at: 200, mono: 200, address: "10.2.129.2", ttl: 6 },
            line("acknowledged", 0, 250, "10.2.129.2"),
            line("acknowledged", 0, 300, "10.2.129.2"),
            line("acknowledged", 1, 120, "10.1.129.2"),
        ];
        assert.deepEqual(servedAgain(lines, 100), [{ client: 0, lookedUpAt: 200, servedAt: 250 }]);
    });
});

describe("the journal of an activation", () => {
    const entry = (activation: string, number: number, at: number, event: object): [string, string] => [
        `journal/${activation}/${number}`,
        JSON.stringify({ version: 1, activation, number, at: iso(at), runner: {}, event }),
    ];
    it("gives the steps of the newest, each from its first begin to its end", () => {
        const objects = Object.fromEntries([
            entry("a1", 0, 0, { kind: "begun", step: "claim" }),
            entry("a1", 1, 1, { kind: "done", step: "claim" }),
            entry("a2", 0, 1000, { kind: "opened" }),
            entry("a2", 1, 1100, { kind: "begun", step: "claim" }),
            entry("a2", 2, 1200, { kind: "resumed" }),
            entry("a2", 3, 1300, { kind: "begun", step: "claim" }),
            entry("a2", 4, 1500, { kind: "done", step: "claim" }),
            entry("a2", 5, 1600, { kind: "begun", step: "fence" }),
        ]);
        assert.deepEqual(stepsOfNewest(objects), [{ name: "claim", startedAt: 1100, finishedAt: 1500 }]);
    });
    it("is empty where nobody activated", () => {
        assert.deepEqual(stepsOfNewest({}), []);
    });
});
