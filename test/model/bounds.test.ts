import assert from "node:assert/strict";
import fc from "fast-check";
import { allBounds, explain, rtoBounds, serviceRpoBounds, storeLogBounds, storeRpoBounds, tellSource } from "../../model/bounds.ts";
import type { EstateDeclaration } from "../../model/estate.ts";
import { defineEstate } from "../../stores/estate.ts";
import { estate as ours } from "../../stacks/estate.ts";
import { declaration } from "./declaration.ts";

const estateWith = (change: (estate: EstateDeclaration) => void) => defineEstate(declaration(change));
const ledger = (change: (store: EstateDeclaration["stores"][string]) => void) =>
    estateWith((estate) => change(estate.stores["ledger"] ?? assert.fail()));

describe("bounds", () => {
    it("of this repository's estate all hold, and each figure has a source", () => {
        for (const bound of allBounds(ours)) {
            assert.ok(bound.holds, explain(bound));
            for (const part of bound.parts) {
                assert.ok(part.sources.length > 0, part.name);
                for (const source of part.sources) assert.match(tellSource(source), /^(declared in|published: .*https:\/\/|measured: )/);
            }
        }
    });

    it("of an RTO add up the plan, and miss the objective with a TTL of 300 s", () => {
        const [within] = rtoBounds(estateWith(() => undefined));
        assert.equal(within?.seconds, 586);
        assert.equal(within?.holds, true);
        const [missed] = rtoBounds(estateWith((estate) => (estate.traffic = { ttl: "300 s" })));
        assert.equal(missed?.seconds, 826);
        assert.equal(missed?.holds, false);
        assert.match(explain(missed ?? assert.fail()), /^till: RTO bound 13 min 46 s exceeds 10 min, because detect 42 s \+ /);
    });

    it("of a service's RPO are those of its furthest replica, whatever the others are", () => {
        const [bound] = serviceRpoBounds(ledger((store) => (store.replica = { maxLag: "9 s" })));
        assert.equal(bound?.seconds, 9);
        assert.equal(bound?.holds, false);
        assert.equal(
            explain(bound ?? assert.fail()),
            "till: RPO bound 9 s exceeds 5 s, because the furthest replica may lag: ledger 9 s, people 5 s",
        );
    });

    it("of a store's RPO from its log count what is not shipped and not copied yet, however rare its full copies are", () => {
        const told = [5, 10].map((minutes) =>
            storeLogBounds(ledger((store) => (store.backup.every = `${minutes} min`)))
                .map(explain)
                .find((line) => line.startsWith("ledger")),
        );
        const line = "ledger: RPO from backups and their log bound 1 min 2 s within 15 min, because ship 1.5 s + copy 1 min";
        assert.deepEqual(told, [line, line]);
    });

    it("of a store's RPO from backups count the interval, the dump, the copy and the verification", () => {
        const estate = ledger((store) => {
            store.backup.every = "10 min";
            store.expected = { data: "1 GB", backupRate: "10 MB/s", restoreRate: "20 MB/s" };
        });
        const bound = storeRpoBounds(estate).find(({ of }) => of === "ledger") ?? assert.fail();
        assert.deepEqual(
            bound.parts.map(({ name, seconds }) => [name, seconds]),
            [
                ["interval", 600],
                ["dump", 100],
                ["copy", 60],
                ["wait for the verifier", 60],
                ["verify", 50],
            ],
        );
        assert.equal(bound.seconds, 870);
        assert.equal(bound.holds, true);
    });

    it("never improve with more data, slower rates or rarer backups", () => {
        const size = fc.integer({ min: 1, max: 5000 });
        const every = fc.constantFrom(1, 2, 3, 5, 10, 15);
        const rpo = (data: number, rate: number, minutes: number) =>
            storeRpoBounds(
                ledger((store) => {
                    store.backup.every = `${minutes} min`;
                    store.backup.limit = "1 min";
                    store.expected = { data: `${data} MB`, backupRate: `${rate} MB/s`, restoreRate: `${rate} MB/s` };
                }),
            ).find(({ of }) => of === "ledger")?.seconds ?? assert.fail();
        fc.assert(
            fc.property(
                size,
                size,
                fc.integer({ min: 1, max: 100 }),
                fc.integer({ min: 0, max: 100 }),
                every,
                every,
                (data, more, rate, faster, a, b) => {
                    const worst = rpo(data + more, rate, Math.max(a, b));
                    assert.ok(worst >= rpo(data, rate + faster, Math.min(a, b)));
                    assert.ok(worst >= Math.max(a, b) * 60, "no bound is under the interval");
                },
            ),
        );
    });
});
