import assert from "node:assert/strict";
import fc from "fast-check";
import { compare as compareIn, type Row } from "../../../sandbox/rehearsal/comparison.ts";

const lossAt = 1_000_000;
const [primary, standby] = ["10.1.129.1", "10.2.129.1"];
const by = (address: string, orders: [number, number][]) =>
    new Map(orders.map(([number, at]) => [number, { at, customer: `c${number}`, address }]));
const acknowledged = (...orders: [number, number][]) => by(standby, orders);
type Arguments = Parameters<typeof compareIn>;
const compare = (...[promised, attempted, databases, at]: [Arguments[0], Arguments[1], Arguments[2], Arguments[3]]) =>
    compareIn(promised, attempted, databases, at, "primary");
const rows = (...numbers: number[]): Row[] => numbers.map((number) => ({ number, customer: `c${number}` }));

describe("the comparison of promises with what survived", () => {
    it("finds nothing lost when both databases have every acknowledged order", () => {
        const found = compare(acknowledged([1, 10], [2, 20]), new Set([1, 2]), { a: rows(1, 2), b: rows(2, 1) }, lossAt);
        assert.deepEqual(found, {
            acknowledged: 2,
            survived: 2,
            lost: [],
            torn: [],
            lostAfterTheLoss: [],
            acknowledgedAlone: [],
            unknown: [],
            rpoSeconds: 0,
        });
    });

    it("counts an order that one database lost as lost, and lists it as torn", () => {
        const found = compare(acknowledged([1, 10], [2, lossAt - 3000]), new Set([1, 2]), { a: rows(1, 2), b: rows(1) }, lossAt);
        assert.deepEqual([found.survived, found.lost, found.torn, found.rpoSeconds], [1, [2], [2], 3]);
    });

    it("measures the span from the oldest lost acknowledgment, also when later orders survived", () => {
        const found = compare(
            acknowledged([1, lossAt - 9000], [2, lossAt - 4000], [3, lossAt - 1000]),
            new Set([1, 2, 3]),
            { a: rows(1, 3), b: rows(1, 3) },
            lossAt,
        );
        assert.deepEqual([found.lost, found.torn, found.rpoSeconds], [[2], [], 4]);
    });

    it("takes an order whose content changed for lost", () => {
        const found = compare(
            acknowledged([1, lossAt - 500]),
            new Set([1]),
            { a: [{ number: 1, customer: "another" }], b: rows(1) },
            lossAt,
        );
        assert.deepEqual([found.lost, found.torn, found.rpoSeconds], [[1], [1], 0.5]);
    });

    it("does not count an order that was sent and never acknowledged, whether it survived or not", () => {
        const found = compare(acknowledged([1, 10]), new Set([1, 2, 3]), { a: rows(1, 2), b: rows(1) }, lossAt);
        assert.deepEqual([found.lost, found.unknown, found.rpoSeconds], [[], [], 0]);
    });

    it("keeps orders lost after the loss apart from the span", () => {
        const found = compare(acknowledged([1, lossAt + 5000]), new Set([1]), { a: rows(), b: rows(1) }, lossAt);
        assert.deepEqual([found.lost, found.lostAfterTheLoss, found.rpoSeconds], [[1], [1], 0]);
    });

    it("keeps what the lost site went on to acknowledge alone apart from both", () => {
        const found = compare(
            by(primary, [
                [1, lossAt - 2000],
                [2, lossAt + 9000],
            ]),
            new Set([1, 2]),
            { a: rows(), b: rows() },
            lossAt,
        );
        assert.deepEqual([found.lost, found.lostAfterTheLoss, found.acknowledgedAlone, found.rpoSeconds], [[1, 2], [], [2], 2]);
    });

    it("names rows that nobody ordered", () => {
        assert.deepEqual(compare(acknowledged(), new Set([1]), { a: rows(1, 7), b: rows(9) }, lossAt).unknown, [7, 9]);
    });

    it("refuses to compare with nothing", () => {
        assert.throws(() => compare(acknowledged(), new Set(), {}, lossAt), RangeError);
    });

    it("accounts for every acknowledged order, whatever each database kept", () => {
        const order = fc.record({
            number: fc.integer({ min: 1, max: 60 }),
            at: fc.integer({ min: 0, max: lossAt }),
            a: fc.boolean(),
            b: fc.boolean(),
        });
        fc.assert(
            fc.property(fc.uniqueArray(order, { selector: ({ number }) => number }), (orders) => {
                const found = compare(
                    acknowledged(...orders.map(({ number, at }): [number, number] => [number, at])),
                    new Set(orders.map(({ number }) => number)),
                    {
                        a: rows(...orders.filter(({ a }) => a).map(({ number }) => number)),
                        b: rows(...orders.filter(({ b }) => b).map(({ number }) => number)),
                    },
                    lossAt,
                );
                const lost = orders.filter(({ a, b }) => !a || !b);
                assert.equal(found.survived + found.lost.length, orders.length);
                assert.deepEqual(new Set(found.lost), new Set(lost.map(({ number }) => number)));
                assert.deepEqual(new Set(found.torn), new Set(lost.filter(({ a, b }) => a !== b).map(({ number }) => number)));
                assert.equal(found.rpoSeconds, Math.max(0, ...lost.map(({ at }) => (lossAt - at) / 1000)));
            }),
        );
    });

    it("never finds less lost when a database loses one row more", () => {
        fc.assert(
            fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), fc.nat(), (numbers, pick) => {
                const promised = acknowledged(...numbers.map((number): [number, number] => [number, lossAt - number * 100]));
                const attempted = new Set(numbers);
                const gone = numbers[pick % numbers.length]!;
                const before = compare(promised, attempted, { a: rows(...numbers), b: rows(...numbers) }, lossAt);
                const after = compare(promised, attempted, { a: rows(...numbers), b: rows(...numbers.filter((n) => n !== gone)) }, lossAt);
                assert.equal(before.rpoSeconds, 0);
                assert.equal(after.rpoSeconds, gone / 10);
            }),
        );
    });
});
