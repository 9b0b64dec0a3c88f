import assert from "node:assert/strict";
import fc from "fast-check";
import {
    amount,
    flag,
    fromSdk,
    items,
    json,
    misfitFields,
    pairs,
    same,
    setOf,
    struct,
    toSdk,
    words,
    type Fields,
} from "../../../sandbox/providers/aws/shape.ts";
import type { Props } from "../../../sandbox/providers/values.ts";
import { unknown } from "../../../sandbox/providers/values.ts";

const fields: Fields = {
    id: words("ID"),
    count: amount(),
    on: flag("Enabled"),
    tags: pairs("Key", "Value"),
    rules: items(struct({ name: words(), days: amount() })),
    regions: setOf(words()),
};
const word = fc.string({ minLength: 1 });
const given = fc.record(
    {
        id: word,
        count: fc.integer(),
        on: fc.boolean(),
        tags: fc.dictionary(
            word.filter((key) => key !== "__proto__"),
            fc.string(),
            { minKeys: 1, noNullPrototype: true },
        ),
        rules: fc.array(fc.record({ name: word, days: fc.nat() }, { noNullPrototype: true }), { minLength: 1 }),
        regions: fc.uniqueArray(word, { minLength: 1 }),
    },
    { requiredKeys: [], noNullPrototype: true },
);

describe("the shape of an aws property", function () {
    this.timeout(60_000);

    it("comes back from the API as it went", () => {
        fc.assert(fc.property(given, (props) => assert.deepEqual(fromSdk(fields, toSdk(fields, props as Props)), props)));
    });

    it("goes out under the API's names", () => {
        assert.deepEqual(toSdk(fields, { id: "x", on: true, tags: { a: "b" }, rules: [{ days: "3" }], count: "" }), {
            ID: "x",
            Enabled: true,
            Tags: [{ Key: "a", Value: "b" }],
            Rules: [{ Days: 3 }],
        });
    });

    it("refuses what it does not have and what does not fit, and takes what is unknown", () => {
        const paths = [...misfitFields(fields, { id: "x", extra: 1, count: "many", rules: [{ other: 1 }], regions: unknown })].map(
            ({ path }) => path,
        );
        assert.deepEqual(paths, ["extra", "count", "rules[0].other"]);
    });

    it("means the same in any order of a set, and not in any order of a list", () => {
        fc.assert(
            fc.property(fc.uniqueArray(word, { minLength: 2 }), (names) => {
                const turned = names.toReversed();
                assert.ok(same(setOf(words()), names, turned));
                assert.ok(!same(items(words()), names, turned));
            }),
        );
    });

    it("compares policies by meaning", () => {
        const mine = JSON.stringify({ Statement: [{ Action: ["a"], Resource: ["x", "y"] }], Version: "1" });
        const theirs = JSON.stringify({ Version: "1", Statement: { Resource: ["y", "x"], Action: "a" } });
        assert.ok(same(json(), mine, theirs));
        assert.ok(!same(json(), mine, theirs.replace('"a"', '"b"')));
    });

    it("sees what the service has and the program never said, unless the service chooses it", () => {
        assert.ok(!same(words(), undefined, "x"));
        assert.ok(same(words(undefined, { computed: true }), undefined, "x"));
        assert.ok(same(words(undefined, { assumed: "x" }), undefined, "x"));
        assert.ok(!same(struct({ a: words(), b: words() }), { a: "1" }, { a: "1", b: "2" }));
    });
});
