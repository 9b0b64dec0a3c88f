import assert from "node:assert/strict";
import fc from "fast-check";
import { recoveryClock, sums, total, type Timeline } from "../../../sandbox/rehearsal/clock.ts";

const modelled = [
    { step: "scale", seconds: 60, source: "somewhere" },
    { step: "latch", seconds: 90, source: "elsewhere" },
];
const timeline: Timeline = {
    lossAt: 0,
    detectedAt: 30_000,
    activation: {
        startedAt: 30_100,
        finishedAt: 45_000,
        steps: [
            { name: "claim", startedAt: 31_000, finishedAt: 31_500 },
            { name: "promote:a", startedAt: 31_500, finishedAt: 31_800 },
            { name: "promote:b", startedAt: 31_600, finishedAt: 32_000 },
            { name: "scale", startedAt: 32_000, finishedAt: 40_000 },
            { name: "latch", startedAt: 40_000, finishedAt: 41_000 },
        ],
    },
    latchSeenAt: 50_000,
    lookedUpAt: 80_000,
    servedAt: 80_200,
};

describe("the recovery clock", () => {
    it("puts every second into one kind and one span", () => {
        const clock = recoveryClock(timeline, 1, 300, modelled);
        assert.deepEqual(sums(clock), { measuredSeconds: 80.2, scaledSeconds: 0, modelledSeconds: 145, declaredSeconds: 300 });
        assert.deepEqual(Object.keys(clock), [
            "detect",
            "decide",
            "start",
            "claim",
            "promote",
            "scale",
            "latch",
            "between steps",
            "latch seen",
            "dns",
            "answer",
        ]);
    });

    it("multiplies only the sandbox's own clocks back", () => {
        const clock = recoveryClock(timeline, 10, 300, modelled);
        assert.equal(clock.detect?.scaledSeconds, 300);
        assert.equal(clock.dns?.scaledSeconds, 300);
        assert.equal(clock.scale?.measuredSeconds, 8);
        assert.equal(clock.detect?.measuredSeconds, undefined);
        assert.equal(clock["latch seen"]?.scaledSeconds, 50);
    });

    it("counts steps side by side once, and of the modelled latch only what did not pass here", () => {
        const clock = recoveryClock(timeline, 10, 300, modelled);
        assert.equal(clock.promote?.measuredSeconds, 0.5);
        assert.equal(clock.latch?.modelledSeconds, 40);
        assert.equal(clock.scale?.modelledSeconds, 60);
    });

    it("takes off a node's boot what passed, after it was asked for, until the step that waits for it", () => {
        const steps = [
            { name: "fence", startedAt: 31_500, finishedAt: 47_500 },
            { name: "scale", startedAt: 31_500, finishedAt: 40_000 },
            { name: "promote:a", startedAt: 47_500, finishedAt: 49_000 },
            { name: "verify", startedAt: 49_000, finishedAt: 50_000 },
        ];
        const clock = recoveryClock(
            { lossAt: 0, detectedAt: 30_000, activation: { startedAt: 30_000, finishedAt: 50_000, steps } },
            10,
            300,
            modelled,
        );
        assert.equal(clock.scale?.modelledSeconds, 51);
        assert.deepEqual(
            [clock.fence, clock.promote].map((each) => each?.measuredSeconds),
            [7.5, 1.5],
        );
        assert.equal(clock.scale.measuredSeconds, 8.5, "what runs beside a step that goes on is that step's, once");
        assert.match(clock.scale.source, /60 s, less what passed here \(until verify began\)/);
    });

    it("ends where the recovery ended", () => {
        const { latchSeenAt: _, lookedUpAt: __, servedAt: ___, ...cut } = timeline;
        assert.equal(Object.keys(recoveryClock(cut, 1, 300, modelled)).at(-1), "between steps");
        assert.equal(recoveryClock(cut, 1, 300, modelled).latch?.modelledSeconds, 90);
        assert.deepEqual(recoveryClock({ lossAt: 0 }, 1, 300, modelled), {});
    });

    it("leaves no gap: measured, and scaled divided by the factor, are the time that passed", () => {
        const span = fc.integer({ min: 0, max: 100_000 });
        fc.assert(
            fc.property(
                fc.tuple(span, span, span, span, span, span),
                fc.array(fc.tuple(span, span), { maxLength: 8 }),
                fc.integer({ min: 1, max: 20 }),
                ([detect, start, end, latch, dns, answer], steps, fast) => {
                    const begin = detect + start;
                    const done = steps.map(([offset, length], index) => {
                        const startedAt = begin + (index === 0 ? 0 : offset);
                        return { name: `step ${index}`, startedAt, finishedAt: startedAt + length };
                    });
                    const finishedAt = Math.max(begin, ...done.map((step) => step.finishedAt)) + end;
                    const seen = finishedAt + latch;
                    const clock = recoveryClock(
                        {
                            lossAt: 0,
                            detectedAt: detect,
                            activation: { startedAt: detect, finishedAt, steps: done },
                            latchSeenAt: seen,
                            lookedUpAt: seen + dns,
                            servedAt: seen + dns + answer,
                        },
                        fast,
                        0,
                        [],
                    );
                    const by = sums(clock);
                    assert.ok(Math.abs(by.measuredSeconds + by.scaledSeconds / fast - (seen + dns + answer) / 1000) < 1e-6);
                    assert.ok(Object.values(clock).every((each) => total(sums({ each })) >= 0));
                },
            ),
        );
    });
});
