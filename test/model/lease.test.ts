import assert from "node:assert/strict";
import fc from "fast-check";
import { defineEstate } from "../../stores/estate.ts";
import { fenceMargin, fenceWait, heard, mayWrite, noLease, type Lease } from "../../model/lease.ts";
import { seconds } from "../../model/units.ts";
import { declaration } from "./declaration.ts";
import { live, type Happening, type World } from "./lease-world.ts";

const terms = defineEstate(declaration()).lease;
const ours = { epoch: 1, active: "primary" } as const;
const proven = heard(noLease, "primary", ours, seconds(100), terms);

describe("a lease", () => {
    it("is good from the start of the request that proved it, for its duration and no longer", () => {
        assert.equal(mayWrite(proven, seconds(100)), true);
        assert.equal(mayWrite(proven, seconds(114.999)), true);
        assert.equal(mayWrite(proven, seconds(115)), false);
        assert.equal(mayWrite(noLease, seconds(0)), false);
    });

    it("is ended by a higher epoch of another site, and not given back by a copy that is behind", () => {
        const ceded = heard(proven, "primary", { epoch: 2, active: "standby" }, seconds(101), terms);
        assert.deepEqual(ceded, { state: "ceded", epoch: 2, active: "standby" });
        assert.deepEqual(heard(ceded, "primary", ours, seconds(102), terms), ceded);
        assert.equal(heard(ceded, "primary", { epoch: 3, active: "primary" }, seconds(103), terms).state, "proven");
    });

    it("is not shortened by an answer that comes late, nor by a copy that is behind", () => {
        assert.deepEqual(heard(proven, "primary", ours, seconds(98), terms), proven);
        const later = heard(noLease, "primary", { epoch: 3, active: "primary" }, seconds(100), terms);
        assert.deepEqual(heard(later, "primary", { epoch: 2, active: "standby" }, seconds(101), terms), later);
    });

    it("is nobody's where two records of one epoch name two sites", () => {
        const torn = heard(proven, "primary", { epoch: 1, active: "standby" }, seconds(101), terms);
        assert.equal(torn.state, "ceded");
        assert.equal(heard(torn, "primary", ours, seconds(102), terms).state, "ceded");
    });

    it("is waited out by an activation: the longest that any guard may hold, and a margin", () => {
        assert.equal(fenceWait([terms.duration]), 16);
        assert.equal(fenceWait([terms.duration, seconds(40)]), 40 + fenceMargin);
    });
});

const site = fc.constantFrom("primary" as const, "standby" as const);
const prover = fc.constantFrom("standby" as const, "witness" as const);
const happening: fc.Arbitrary<Happening> = fc.record({
    after: fc.integer({ min: 0, max: 12_000 }),
    what: fc.oneof(
        fc.record({ kind: fc.constantFrom("cut" as const, "heal" as const), site, prover }),
        fc.record({ kind: fc.constantFrom("pause" as const, "resume" as const, "kill" as const), site }),
        fc.record({ kind: fc.constantFrom("activate" as const, "activate" as const, "give up" as const) }),
    ),
});
/** Wall clocks that differ by 5 s, and seconds that differ by a thousandth. */
const clock = fc.record({
    shows: fc.double({ min: 995, max: 1005, noNaN: true }),
    rate: fc.double({ min: 0.999, max: 1.001, noNaN: true }),
});
const worlds: fc.Arbitrary<World> = fc.record({
    terms: fc.constant(terms),
    happenings: fc.array(happening, { maxLength: 14 }),
    clocks: fc.record({ primary: clock, standby: clock }),
    activationRate: fc.double({ min: 0.999, max: 1.001, noNaN: true }),
    delays: fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20_000 })), { minLength: 1, maxLength: 20 }),
    tellsAfter: fc.integer({ min: 0, max: 5_000 }),
    prove: fc.constant(heard),
    wait: fc.constant(fenceWait([terms.duration])),
});
/** The one thing that must never be. */
function neverTwo(world: World): void {
    const { acknowledged, fencedAt } = live(world);
    for (const { at, site, epoch } of acknowledged) {
        const late = site === "primary" && fencedAt !== undefined && at >= fencedAt;
        assert.ok(!late, `the primary acknowledged at ${at} by epoch ${epoch}, after the fence was passed at ${fencedAt}`);
    }
}
const found = (change: (world: World) => World): boolean =>
    fc.check(
        fc.property(worlds, (world) => neverTwo(change(world))),
        { numRuns: 3000, seed: 4 },
    ).failed;

describe("guards in any weather", function () {
    this.timeout(60_000);

    it("never let the old site acknowledge after the fence, whatever is cut, paused, killed or late", () => {
        fc.assert(fc.property(worlds, neverTwo), { numRuns: 1500 });
    });

    it("would be found out if a proof counted from its answer, or if the activation did not wait", () => {
        assert.ok(found((world) => ({ ...world, prove: (lease, own, record, _, span, at): Lease => heard(lease, own, record, at, span) })));
        assert.ok(found((world) => ({ ...world, wait: seconds(terms.duration / 2) })));
        assert.ok(found((world) => ({ ...world, wait: seconds(0) })));
    });

    const steady = (happenings: Happening[]): World => ({
        terms,
        happenings,
        clocks: { primary: { shows: 1005, rate: 1 }, standby: { shows: 995, rate: 1 } },
        activationRate: 1,
        delays: [40],
        tellsAfter: 100,
        prove: heard,
        wait: fenceWait([terms.duration]),
    });
    const cut = (who: "standby" | "witness", after: number): Happening => ({ after, what: { kind: "cut", site: "primary", prover: who } });
    const acknowledging = (world: World) => live(world).acknowledged.map(({ at, site }) => ({ at, site }));
    const span = (from: number, to: number) => Array.from({ length: (to - from) / 50 + 1 }, (_, index) => from + index * 50);

    it("go on when the witness alone is lost, or the standby alone", () => {
        for (const who of ["standby", "witness"] as const)
            assert.deepEqual(
                acknowledging(steady([cut(who, 3000)]))
                    .map(({ at }) => at)
                    .filter((at) => at >= 1000),
                span(1000, 63_000),
            );
    });

    it("stop when both are lost, no sooner than a lease after the last proof", () => {
        const last = acknowledging(steady([cut("standby", 3000), cut("witness", 0)])).at(-1)?.at ?? 0;
        assert.ok(last > 3000 + 15_000 - 2100 && last <= 3000 + 15_000, String(last));
    });

    it("hand over: the primary is silent from the answer on that names the standby, which begins when the fence is passed", () => {
        const world = steady([{ after: 5000, what: { kind: "activate" } }]);
        const { fencedAt = assert.fail() } = live(world);
        const all = acknowledging(world);
        assert.ok((all.findLast(({ site }) => site === "primary")?.at ?? Infinity) <= 5000 + 2000 + 200);
        assert.equal(all.find(({ site }) => site === "standby")?.at, fencedAt);
        assert.equal(fencedAt, 5100 + 16_000);
    });
});
