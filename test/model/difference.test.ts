import assert from "node:assert/strict";
import fc from "fast-check";
import { heldAlone, type HashedRow } from "../../model/difference.ts";

async function* stream<T>(rows: readonly T[]): AsyncGenerator<T> {
    for (const row of rows) {
        await Promise.resolve();
        yield row;
    }
}
const sorted = (rows: readonly HashedRow[]) =>
    rows.toSorted((a, b) => (a.key === b.key ? (a.digest < b.digest ? -1 : 1) : a.key < b.key ? -1 : 1));
async function compare(ours: readonly HashedRow[], theirs: readonly HashedRow[]) {
    const found: string[] = [];
    for await (const { kind, row } of heldAlone(stream(sorted(ours)), stream(sorted(theirs))))
        found.push(`${kind} ${row.key} ${row.digest}`);
    return found;
}
const hash = fc.nat(9).map((n) => n.toString(16));
const keyed = fc.uniqueArray(fc.record({ key: hash, digest: hash }), { selector: ({ key }) => key });
const keyless = fc.array(hash.map((digest) => ({ key: digest, digest })));

describe("what one side holds alone", () => {
    it("is, where there is a key, each row whose key the other has not, or has with another content", async () => {
        await fc.assert(
            fc.asyncProperty(keyed, keyed, async (ours, theirs) => {
                const others = new Map(theirs.map(({ key, digest }) => [key, digest]));
                const expected = sorted(ours).flatMap(({ key, digest }) =>
                    others.get(key) === digest ? [] : [`${others.has(key) ? "differs" : "absent"} ${key} ${digest}`],
                );
                assert.deepEqual(await compare(ours, theirs), expected);
            }),
        );
    });

    it("is, where there is none, as many of equal rows as it has more of", async () => {
        await fc.assert(
            fc.asyncProperty(keyless, keyless, async (ours, theirs) => {
                const count = (rows: readonly HashedRow[], of: string) => rows.filter(({ key }) => key === of).length;
                const expected = [...new Set(sorted(ours).map(({ key }) => key))].flatMap((key) =>
                    Array.from({ length: Math.max(0, count(ours, key) - count(theirs, key)) }, () => `absent ${key} ${key}`),
                );
                assert.deepEqual(await compare(ours, theirs), expected);
            }),
        );
    });

    it("is not told of rows that are out of order: the server sorted by something else", async () => {
        const rows = [
            { key: "b", digest: "1" },
            { key: "a", digest: "1" },
        ];
        await assert.rejects(async () => {
            for await (const _ of heldAlone(stream(rows), stream([]))) void _;
        }, RangeError);
    });

    it("closes both sides when its reader has had enough", async () => {
        const closed: string[] = [];
        async function* endless(name: string) {
            try {
                for (let n = 0; ; n++) yield { key: n.toString(36).padStart(6, "0"), digest: name };
            } finally {
                closed.push(name);
            }
        }
        for await (const _ of heldAlone(endless("ours"), endless("theirs"))) break;
        assert.deepEqual(closed.sort(), ["ours", "theirs"]);
    });
});
