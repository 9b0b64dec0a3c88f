import assert from "node:assert/strict";
import fc from "fast-check";
import { covers as gtidCovers } from "../../stores/mariadb/position.ts";
import { covers as lsnCovers } from "../../stores/postgres/position.ts";

const lsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const text = (position: bigint) => `${(position >> 32n).toString(16).toUpperCase()}/${(position & 0xffffffffn).toString(16).toUpperCase()}`;

describe("a position in a server's log", () => {
    it("of PostgreSQL covers another exactly where it is not before it, beyond what a number holds, too", () => {
        fc.assert(fc.property(lsn, lsn, (a, b) => assert.equal(lsnCovers(text(a), text(b)), a >= b)));
        assert.equal(lsnCovers("A/0", "9/FFFFFFFF"), true);
    });

    it("of MariaDB covers another where it does so in every domain, whichever server wrote there", () => {
        const position = fc.dictionary(fc.nat(3).map(String), fc.nat(1000), { maxKeys: 4 });
        const gtids = (of: Record<string, number>, server: number) =>
            Object.entries(of)
                .map(([domain, n]) => `${domain}-${server}-${n}`)
                .join(",");
        fc.assert(
            fc.property(position, position, (a, b) =>
                assert.equal(
                    gtidCovers(gtids(a, 1), gtids(b, 2)),
                    Object.entries(b).every(([domain, n]) => (a[domain] ?? -1) >= n),
                ),
            ),
        );
        assert.equal(gtidCovers("0-1-100", ""), true);
        assert.equal(gtidCovers("", "0-1-1"), false);
    });

    it("that cannot be read is no answer", () => {
        assert.throws(() => lsnCovers("16/B374D848", "none"), RangeError);
        assert.throws(() => gtidCovers("0-1-x", "0-1-1"), RangeError);
    });
});
