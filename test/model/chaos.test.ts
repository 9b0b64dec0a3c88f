import assert from "node:assert/strict";
import fc from "fast-check";
import { chaosRecord, faultSlack, feltIn, reasonsAgainst, recoveryLimit, standing, targetsOf, type Look } from "../../model/chaos.ts";
import { defineEstate } from "../../stores/estate.ts";
import type { Readiness } from "../../model/readiness.ts";
import { declaration } from "./declaration.ts";

const until = Date.parse("2026-11-21T12:01:00.000Z");
const record = chaosRecord.parse({
    version: 1,
    id: "20261121t120000z-0a1b",
    experiment: "latency",
    site: "primary",
    target: "orders",
    by: "anna@laptop",
    reason: "drill",
    at: "2026-11-21T12:00:00.000Z",
    until: new Date(until).toISOString(),
    over: null,
});
const well: Readiness = { active: "primary", failover: "yes", obstacles: [], losses: [], takes: [], unprotected: [], notCarried: [] };

describe("the one chaos experiment", () => {
    it("is under way until its end is sure, then left, and free once somebody has cleaned up", () => {
        const surely = until + faultSlack * 1000;
        assert.equal(standing(undefined, "cannot tell", until), "free");
        assert.equal(standing({ ...record, over: record.until }, "yes", until), "free");
        assert.equal(standing(record, "no", until - 59_000), "under way");
        assert.equal(standing(record, "no", surely), "under way");
        assert.equal(standing(record, "no", surely + 1), "left");
        assert.equal(standing(record, "yes", surely + 3_600_000), "under way", "it waits for the recovery");
        assert.equal(standing(record, "cannot tell", surely + 2 * recoveryLimit * 1000), "under way");
        assert.equal(standing(record, "cannot tell", surely + 2 * recoveryLimit * 1000 + 1), "left");
    });

    it("may not begin where there is nothing to fall back on, and every reason is named", () => {
        assert.deepEqual(reasonsAgainst(well), []);
        assert.deepEqual(reasonsAgainst({ ...well, unprotected: [{ store: "s", why: "no replica" }] }), ["s is unprotected: no replica"]);
        assert.deepEqual(reasonsAgainst({ ...well, active: null, failover: "no", obstacles: [{ what: "no answer", next: "" }] }), [
            "nobody can say which site is active",
            "the standby could not take over: no answer",
        ]);
        assert.equal(reasonsAgainst({ ...well, failover: "over the promise" }).length, 1);
    });

    it("takes connections of stores only", () => {
        const estate = defineEstate(declaration());
        assert.deepEqual(targetsOf(estate, "connections"), Object.keys(estate.stores));
        assert.deepEqual(targetsOf(estate, "pod"), [...Object.keys(estate.services), ...Object.keys(estate.stores)]);
    });
});

describe("what users felt", () => {
    const look = (at: number, ok: boolean, ms = 10): Look => ({ at, ok, ms });

    it("is nothing while every look is answered", () => {
        assert.deepEqual(feltIn([look(0, true), look(500, true, 230)]), { asked: 2, unanswered: 0, slowestMs: 230, longestAway: 0 });
    });
    it("counts the longest stretch from the last good answer to the next", () => {
        const looks = [look(0, true), look(500, false), look(1000, true), look(1500, false), look(2000, false), look(3000, true)];
        assert.deepEqual(feltIn(looks), { asked: 6, unanswered: 3, slowestMs: 10, longestAway: 2 });
    });
    it("counts on where the end of it was not seen", () => {
        assert.equal(feltIn([look(0, true), look(1000, false, 2000)]).longestAway, 3);
    });
    it("is never longer than the whole, and never shorter than a look that failed", () => {
        const looksOf = fc.array(
            fc.record({ gap: fc.integer({ min: 1, max: 5000 }), ok: fc.boolean(), ms: fc.integer({ min: 0, max: 2000 }) }),
            { minLength: 1 },
        );
        fc.assert(
            fc.property(looksOf, (steps) => {
                let end = 0;
                const looks = steps.map(({ gap, ok, ms }) => {
                    const at = end + gap;
                    end = at + ms;
                    return { at, ok, ms };
                });
                const { longestAway, unanswered } = feltIn(looks);
                assert.ok(longestAway * 1000 <= end - looks[0]!.at + 1e-6);
                for (const { ok, ms } of looks) assert.ok(ok || longestAway * 1000 >= ms - 1e-6);
                if (unanswered === 0) assert.equal(longestAway, 0);
            }),
        );
    });
});
