import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { otherPlaces } from "../../../sandbox/partition.ts";
import { findWriters, judgeWriters } from "../../../sandbox/rehearsal/writers.ts";
import { scheduleOf, tell } from "./schedule.ts";
import { World } from "./world.ts";

const long = process.env["LIFEBOAT_LONG"] === "1";
/** Five in the normal run; fifty in the long one, half of them with PostgreSQL. */
const worlds = long
    ? ([
          ["mariadb", 25],
          ["postgres", 25],
      ] as const)
    : ([["mariadb", 5]] as const);

for (const [kind, schedules] of worlds)
    describe(`two sites of ${kind} under random cuts, pauses and kills, with clocks that differ by 5 s`, function () {
        this.timeout(120_000);
        let world: World;

        before(async () => {
            world = await World.start(kind);
        });
        after(() => world?.end());

        for (let seed = 1; seed <= schedules; seed++)
            it(`never have two writers: schedule ${seed}`, async () => {
                if (seed > 1) await world.rebuild();
                const events = scheduleOf(seed, world.active);
                const before = world.acknowledgements.length;
                const rows = await world.play(events);
                const reasons = judgeWriters(
                    findWriters(world.acknowledgements.slice(before), world.tenures.slice(-2)),
                    world.tenures.slice(-2),
                );
                assert.deepEqual(reasons, [], events.map(tell).join("\n"));
                // Both sites were writers in their time: a world in which nobody is let in would pass anything.
                assert.ok(rows.primary > 10 && rows.standby > 10, JSON.stringify(rows));
            });

        it("never have two writers in all of it together", () => {
            assert.deepEqual(judgeWriters(findWriters(world.acknowledgements, world.tenures), world.tenures), []);
        });
    });

describe("two sites whose guards take a lease for endless", function () {
    this.timeout(120_000);
    let world: World;

    before(async () => {
        world = await World.start("mariadb", (checkout) => {
            const file = join(checkout, "model/lease.ts");
            const whole = readFileSync(file, "utf8");
            const endless = whole.replace('lease.state === "proven" && now < lease.until', 'lease.state === "proven" && now > 0');
            assert.notEqual(endless, whole);
            writeFileSync(file, endless);
        });
    });
    after(() => world?.end());

    it("are found to have two writers once the active one is cut off", async () => {
        await world.play([
            { at: 200, kind: "cut", place: "primary", from: otherPlaces("primary") },
            { at: 300, kind: "take over" },
        ]);
        assert.match(
            judgeWriters(findWriters(world.acknowledgements, world.tenures), world.tenures).join("\n"),
            /did not hold the epoch.*\n.*took turns/,
        );
    });
});
