import assert from "node:assert/strict";
import { evidence } from "../../../sandbox/rehearsal/evidence.ts";
import { report } from "../../../sandbox/rehearsal/report.ts";
import { found } from "./found.ts";

describe("the report", () => {
    const text = report(found, "/somewhere/evidence.json");
    const lines = text.split("\n");

    it("keeps the kinds of figures in columns of their own", () => {
        const head = lines.find((line) => line.includes("measured") && line.includes("declared"))!;
        const scale = lines.find((line) => line.startsWith("scale"))!;
        const end = (line: string, column: string) => line.indexOf(column) + column.length;
        assert.equal(end(scale, "9 s"), end(head, "measured"));
        assert.equal(end(scale, "1 min"), end(head, "modelled"));
        assert.equal(
            end(
                lines.find((line) => line.startsWith("detect"))!,
                "30 s",
            ),
            end(head, "scaled"),
        );
    });
    it("has bound, objective and verdict on one line each, and says where the evidence lies", () => {
        assert.match(text, /^RTO +9 min 40 s found, at worst 9 min 40 s, objective 10 min: PASS$/m);
        assert.match(text, /^RPO +9 s found, at worst 5 s, objective 5 s: FAIL$/m);
        assert.match(text, /^evidence: \/somewhere\/evidence\.json$/m);
    });
    it("says under the RPO of a partition what is not counted in it: how many orders, and over what span", () => {
        assert.match(
            text,
            /^RPO .*\n {5}not counted: 12 orders, acknowledged by the cut-off primary alone in the 14 s after the cut; 11 of them are lost\. No objective promises them\.$/m,
        );
        const alone = { ...found.writers!.alone, acknowledged: 0, lost: 0, spanSeconds: 0 };
        assert.match(
            report({ ...found, writers: { ...found.writers!, alone } }, ""),
            /^ {5}not counted: what the cut-off primary acknowledges alone after the cut; here that was nothing\.$/m,
        );
    });
    it("says among the lost orders how many were lost after the loss, whoever acknowledged them", () => {
        assert.match(text, /^orders: 100 acknowledged, 97 survived, 3 lost \(1 torn, 11 after the cut\)$/m);
        const { writers: _, ...dead } = found;
        assert.match(report(dead, ""), /^orders: .* 3 lost \(1 torn\)$/m);
        const lostAlone = report({ ...dead, orders: { ...dead.orders, lostAlone: 2 } }, "");
        assert.match(lostAlone, /3 lost \(1 torn, 2 after the loss\)$/m);
        assert.match(lostAlone, /^ {5}not counted: 2 lost orders that the lost region itself acknowledged after the loss\. No/m);
    });
    it("says nothing of a worst case where no model gives one, also in evidence that has 0 there", () => {
        for (const boundSeconds of [null, 0])
            assert.match(
                report({ ...found, rto: { ...found.rto, totalSeconds: 1, boundSeconds } }, ""),
                /^RTO {2}1 s found, objective 10 min: PASS$/m,
            );
    });
    it("says of a recovery that never came for how long it was watched", () => {
        const never = { ...found, rto: { ...found.rto, totalSeconds: null, verdict: "FAIL" as const } };
        assert.match(
            report({ ...never, phases: { provision: 40, detect: 4, activate: 20, serve: 30 } }, ""),
            /^RTO {2}never, within what was watched \(6 min 39 s on the recovery clock, 54 s on this machine\), at worst 9 min 40 s, objective 10 min: FAIL$/m,
        );
        assert.match(
            report({ ...never, clock: {}, phases: { serve: 30 } }, ""),
            /never, within what was watched \(30 s on this machine\), /,
        );
    });
    it("names who called the lost region, every reason, and that the clocks ran fast", () => {
        assert.match(text, /customers 2 \+ 0/);
        assert.match(text, /RPO: 3 acknowledged orders are lost/);
        assert.match(text, /seed 7, sandbox clocks 10 times as fast/);
    });
    it("tells of a user's own data how many tables came through, and names the others", () => {
        assert.match(
            text,
            /^shop\.sql\.gz in orders-mysql: 2 tables, 7 rows; 1 tables the same in the standby and in the restored point: FAIL$/m,
        );
        assert.match(text, /^ {2}towns is not the same$/m);
    });
    it("is of evidence that refuses fields it does not know", () => {
        assert.throws(() => evidence.parse({ ...found, more: 1 }));
    });
});
