import assert from "node:assert/strict";
import fc from "fast-check";
import { chainOf } from "../../../backup/log/chain.ts";
import { planLogExpiry, type KeptPoint } from "../../../backup/log/expiry.ts";
import { covers } from "./support/engine.ts";

const hour = 3_600_000;
const now = new Date("2026-11-30T00:00:00Z");
const named = (agoHours: number, more = "") =>
    `${new Date(now.getTime() - agoHours * hour).toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "")}-0000${more}`;
/** Files log.1 to log.N, of which number N ends at position 10 N. */
const history = (ago: number, files: number, site = "primary") => {
    const name = named(ago, `~${site}`);
    return {
        history: name,
        files: chainOf(
            Array.from({ length: files }, (_, at) => ({
                history: name,
                file: `log.${at + 1}`,
                from: 0,
                to: 5,
                position: String(10 * (at + 1)),
                ends: "file" as const,
            })),
        ),
    };
};
const point = (ago: number, of: { history: string }, file: number, more: Partial<KeptPoint> = {}): KeptPoint => ({
    point: named(ago),
    log: { history: of.history, file: `log.${file}` },
    only: false,
    ...more,
});
const plan = (histories: ReturnType<typeof history>[], points: KeptPoint[]) => planLogExpiry(histories, points, covers, 24 * hour, now);

describe("expiry of a log", () => {
    const one = history(100, 9);

    it("gives up what is older than the oldest point that is kept for the moments after it", () =>
        assert.deepEqual(plan([one], [point(5, one, 7), point(20, one, 4)]), [
            { history: one.history, files: ["log.1", "log.2", "log.3"] },
        ]));

    it("keeps for a point of its own moment alone the log up to what its contents need", () =>
        assert.deepEqual(plan([one], [point(5, one, 8), point(60, one, 2, { only: true, position: "25" })]), [
            { history: one.history, files: ["log.1", "log.4", "log.5", "log.6", "log.7"] },
        ]));

    it("keeps all behind such a point where nothing tells how much it needs", () => {
        for (const position of [undefined, "1000"])
            assert.deepEqual(plan([one], [point(60, one, 2, { only: true, ...(position === undefined ? {} : { position }) })]), [
                { history: one.history, files: ["log.1"] },
            ]);
    });

    it("gives up nothing while a point that nobody has read may need it", () => {
        assert.deepEqual(plan([one], [point(5, one, 7), { point: named(30), only: false }]), []);
        assert.deepEqual(plan([one], [point(30, one, 7), { point: named(5), only: false }]).length, 1);
    });

    it("gives up nothing where a point's own file is not there", () => assert.deepEqual(plan([one], [point(5, one, 99)]), []));

    it("keeps a history without points while it is its site's newest, and for retention's span after the next one began", () => {
        const [old, recent, other] = [history(200, 2), history(10, 2), history(150, 2, "standby")];
        assert.deepEqual(plan([old, recent, other], []), []);
        const longAgo = history(50, 2);
        assert.deepEqual(plan([old, longAgo, other], []), [{ history: old.history, files: ["log.1", "log.2"] }]);
        assert.deepEqual(plan([old, longAgo], [{ point: named(60), only: false }]), []);
    });

    it("never gives up a file that a kept point begins in, nor one behind it that reaches its contents", () => {
        const kept = fc.record({
            ago: fc.integer({ min: 1, max: 99 }),
            file: fc.integer({ min: 1, max: 9 }),
            only: fc.boolean(),
            needs: fc.integer({ min: 0, max: 30 }),
        });
        fc.assert(
            fc.property(fc.array(kept, { minLength: 1, maxLength: 6 }), (points) => {
                const gone = new Set(
                    plan(
                        [one],
                        points.map(({ ago, file, only, needs }) => point(ago, one, file, { only, position: String(10 * file + needs) })),
                    ).flatMap(({ files }) => files),
                );
                for (const { file, only, needs } of points)
                    for (let at = file; at <= (only ? Math.min(9, file + Math.ceil(needs / 10)) : 9); at += 1)
                        assert.ok(!gone.has(`log.${at}`));
            }),
        );
    });
});
