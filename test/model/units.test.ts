import assert from "node:assert/strict";
import fc from "fast-check";
import { bytes, formatDuration, formatSize, parseDuration, parseRate, parseSize, seconds } from "../../model/units.ts";

describe("units", () => {
    it("reads durations in every unit that it names", () => {
        const cases: [string, number][] = [
            ["250 ms", 0.25],
            ["30 s", 30],
            ["15 min", 900],
            ["4 h", 14_400],
            ["1.5h", 5_400],
            ["7 d", 604_800],
            ["2 w", 1_209_600],
            ["7 y", 220_752_000],
        ];
        for (const [text, value] of cases) assert.equal(parseDuration(text), value, text);
    });

    it("reads sizes and rates, decimal and binary apart", () => {
        assert.equal(parseSize("10 GiB"), 10 * 2 ** 30);
        assert.equal(parseSize("10 GB"), 10e9);
        assert.equal(parseRate("80 MB/s"), 80e6);
        assert.equal(parseRate("1 MiB / s"), 2 ** 20);
    });

    it("refuses what is no quantity, and says what would be one", () => {
        for (const text of ["", "15", "min", "15 minutes", "-3 s", "1e3 s", "3 s s", "constructor", "3 constructor"])
            assert.throws(() => parseDuration(text), /is not a quantity; write a number and one of ms, s, min.*"15 min"/, text);
        assert.throws(() => parseRate("80 MB"), /is not a rate; write a size per second/);
        assert.throws(() => parseSize("80 MB/s"), /is not a quantity/);
    });

    it("tells a span in at most its own parts", () => {
        assert.equal(formatDuration(seconds(0)), "0 s");
        assert.equal(formatDuration(seconds(59.94)), "59.9 s");
        assert.equal(formatDuration(seconds(95)), "1 min 35 s");
        assert.equal(formatDuration(seconds(3600)), "1 h");
        assert.equal(formatDuration(seconds(90_061)), "1 d 1 h 1 min 1 s");
    });

    it("tells a size in the unit that leaves a figure one can read", () => {
        assert.deepEqual(
            [0, 999, 1931, 9_960, 24_700, 1_500_000, 80e6, 2e12].map((size) => formatSize(bytes(size))),
            ["0 B", "999 B", "1.9 kB", "10 kB", "25 kB", "1.5 MB", "80 MB", "2 TB"],
        );
    });

    it("tells no span of which the parts add up to something else", () => {
        fc.assert(
            fc.property(fc.integer({ min: 60, max: 10_000_000 }), (span) => {
                const told = formatDuration(seconds(span));
                const sum = [...told.matchAll(/\d+ [a-z]+/g)].reduce((total, [part]) => total + parseDuration(part), 0);
                assert.equal(sum, span);
            }),
        );
    });
});
