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
