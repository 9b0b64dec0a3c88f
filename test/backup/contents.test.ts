import assert from "node:assert/strict";
import { differenceOf } from "../../backup/contents.ts";
import type { Contents, Relation } from "../../stores/physical.ts";

const table = (name: string, rows: number, checksum: string, database = "shop"): Relation => ({
    database,
    name,
    kind: "table",
    rows,
    checksum,
});
const holding = (relations: readonly Relation[], schema?: string): Contents => ({
    ...{ position: "0/1", relations, unprotected: [] },
    ...(schema === undefined ? {} : { schema }),
});

describe("how two servers' contents differ", () => {
    const source = holding([table("a", 1, "x"), table("b", 2, "y"), table("b", 2, "y", "other")], "one");

    it("is nothing where they are the same, in any order, or where the schema was not known to one of them", () => {
        assert.equal(differenceOf(source, source), undefined);
        assert.equal(differenceOf(holding(source.relations.toReversed(), "one"), source), undefined);
        assert.equal(differenceOf(holding(source.relations), source), undefined);
    });
    it("names the database, the relation and the rows on either side", () => {
        const less = holding([table("a", 1, "x"), table("b", 2, "y")], "one");
        assert.equal(differenceOf(less, source), "table b of other is missing (2 rows)");
        assert.equal(differenceOf(source, less), "table b of other is there, and was not at the source (2 rows)");
        const other = holding([table("a", 1, "z"), table("b", 1, "y"), table("b", 2, "y", "other")], "one");
        assert.equal(
            differenceOf(other, source),
            "table a of shop has other values than the source (1 rows); table b of shop has 1 rows, the source had 2",
        );
    });
    it("is in the schema, too", () => assert.match(differenceOf(holding(source.relations, "two"), source)!, /schema/));
    it("tells the first few, and how many there are besides", () => {
        const many = holding(Array.from({ length: 9 }, (_, n) => table(`t${n}`, 1, "x")));
        assert.match(differenceOf(holding([]), many)!, /^table t0.*; table t1.*; table t2.*, and 6 more$/);
    });
});
