import assert from "node:assert/strict";
import fc from "fast-check";
import { atLeast, atMost, measured, median, table } from "../../../sandbox/bench/figure.ts";

describe("a benchmark's figures", () => {
    it("hold at their goal, and miss it beyond", () => {
        assert.deepEqual([atMost("a", 1.5, 1.5).holds, atMost("a", 1.51, 1.5).holds], [true, false]);
        assert.deepEqual([atLeast("a", 5, 5).holds, atLeast("a", 4.99, 5).holds], [true, false]);
        assert.equal(measured("a", 1).holds, null);
    });
    it("have the middle of what was measured, whatever its order", () => {
        assert.equal(median([3, 1, 2]), 2);
        assert.equal(median([4, 1, 2, 3]), 2);
        assert.throws(() => median([]), RangeError);
        fc.assert(
            fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (values) => {
                const middle = median(values);
                const below = values.filter((value) => value < middle).length;
                const above = values.filter((value) => value > middle).length;
                assert.ok(below <= values.length / 2 && above <= values.length / 2);
            }),
        );
    });
    it("are told in a table that says which goal was missed", () => {
        const text = table([measured("preview of the estate", 4.2), atMost("against the empty program", 1.6, 1.5)]);
        assert.deepEqual(text.split("\n"), [
            "preview of the estate          4.20 s",
            "against the empty program  1.60 times  <= 1.5  MISSED",
        ]);
    });
});
