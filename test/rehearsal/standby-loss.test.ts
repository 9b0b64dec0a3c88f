import assert from "node:assert/strict";
import type { Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { rehearsed } from "./support.ts";

describe("a rehearsal of the loss of the standby", function () {
    this.timeout(480_000);
    let found: Evidence;

    before(async () => {
        ({ evidence: found } = await rehearsed("standby", 1, { scenario: "standby-loss" }));
    });

    it("passes", () => assert.deepEqual([found.verdict, found.reasons], ["PASS", []]));
    it("stops nobody: not without the standby, not without the witness", () => {
        const served = found.checks!.filter(({ what }) => what.includes("customers are served"));
        assert.deepEqual(
            served.map(({ what, holds }) => [what.split(" customers")[0], holds]),
            [
                ["without the standby", true],
                ["without the witness", true],
            ],
        );
        assert.ok(found.rto.totalSeconds! < 5, `${found.rto.totalSeconds} s`);
    });
    it("goes on backing up, and says that nothing is protected", () => {
        const [backups, told] = ["backups are made", "unprotected"].map((words) => found.checks!.find(({ what }) => what.includes(words))!);
        assert.ok(backups!.holds && told!.holds, JSON.stringify([backups, told]));
    });
    it("rebuilds the standby, one replica from nothing, until it is protected again", () => {
        assert.ok(found.checks!.find(({ what }) => what.includes("rebuilt"))!.holds);
        assert.deepEqual(
            found.recoveryPoints.map(({ restored }) => restored),
            [true, true],
        );
    });
    it("loses no order in either site", () => {
        assert.ok(found.orders.acknowledged > 100);
        assert.deepEqual([found.orders.lost, found.orders.unknown], [0, 0]);
        assert.equal(Object.keys(found.orders.rows).length, 4);
    });
});
