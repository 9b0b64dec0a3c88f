import assert from "node:assert/strict";
import fc from "fast-check";
import { defineEstate } from "../../../stores/estate.ts";
import { judgeReadiness, type Answer, type Facts } from "../../../model/readiness.ts";
import { screen, statusScreen } from "../../../scripts/screens/status.ts";
import { declaration } from "../../model/declaration.ts";
import { at, both, calm, estate, none, value } from "../../model/facts.ts";

const shown = (facts: Facts) => statusScreen(estate, facts, judgeReadiness(estate, facts), (_, text) => text);

describe("the screen of status", () => {
    it("says on a calm day who is active, each lag, each age, and yes", () => {
        const text = shown(calm);
        for (const part of [/the primary \(eu-west-1\) is active, epoch 1 since 2026-11-21 15:44:00 UTC/, /latch not thrown/])
            assert.match(text, part);
        assert.match(text, /^ledger +writable +replica, 0\.2 s lag +4 min, 2 copies$/m);
        assert.match(text, /^till +answers +passive$/m);
        assert.match(text, /^UNPROTECTED {2}nothing$/m);
        assert.match(text, /^COULD WE FAIL OVER NOW\? {2}yes, to the standby \(eu-central-1\)$/m);
        assert.match(text, /next: lifeboat activate$/);
    });

    it("shows the active site's lease, who does not answer its guards, and a witness that does not answer us", () => {
        const guarded = (secondsLeft: number, silent = {}) =>
            both(value({ role: "writable" as const, lagSeconds: null, lease: { state: "proven" as const, secondsLeft, silent } }));
        const line = (change: Partial<Facts>) => shown({ ...calm, ...change }).split("\n")[1];
        const databases = (primary: Facts["databases"]["primary"]) => ({ databases: { ...calm.databases, primary } });
        assert.match(line(databases(guarded(13.9))) ?? "", /^lease 13 s; latch not thrown; asked 15:44:00 UTC; by anna@laptop/);
        assert.match(
            line(databases(guarded(9, { "the witness": "no answer" }))) ?? "",
            /^lease 9 s \(its guards do not hear the witness\); latch/,
        );
        assert.match(line(databases(guarded(0))) ?? "", /^no lease: ledger, people; latch/);
        assert.match(line({ epoch: none("no answer") }) ?? "", /^the standby does not answer: so says the witness; latch/);
        assert.match(line({ witness: none("no answer") }) ?? "", /^witness: no answer; latch not thrown/);
    });

    it("does not call a service passive where its whole site is silent", () => {
        const dead = none("no answer within 8 s");
        const text = shown({
            ...calm,
            epoch: value({ epoch: 2, active: "standby" as const, at, by: "anna@laptop", reason: "the region is gone" }),
            databases: { primary: both(dead), standby: both(value({ role: "writable" as const, lagSeconds: null })) },
            services: { primary: { till: dead }, standby: { till: value(200) } },
        });
        assert.match(text, /^ledger +no answer +writable/m);
        assert.match(text, /^till +no answer +answers$/m);
    });

    it("says so where more would be lost than was promised, or nobody can tell", () => {
        const silent = both(value({ role: "replica" as const, lagSeconds: null }));
        const text = shown({ ...calm, databases: { ...calm.databases, standby: silent } });
        assert.match(text, /^COULD WE FAIL OVER NOW\? {2}yes, to the standby, at a loss over the promise$/m);
        assert.match(text, /^ledger +writable +replica, cut off/m);
        assert.match(text, /next: lifeboat activate, if the primary is lost; else mend the replicas$/);
    });

    it("with everything dead says so of each", () => {
        const dead = none("no answer within 8 s");
        const text = shown({
            ...calm,
            epoch: dead,
            latch: dead,
            witness: dead,
            unfinished: dead,
            built: { primary: dead, standby: dead },
            databases: { primary: both(dead), standby: both(dead) },
            services: { primary: { till: dead }, standby: { till: dead } },
            points: both(dead),
        });
        assert.match(text, /nobody can say which site is active/);
        assert.match(text, /^ledger +no answer +no answer +no answer$/m);
        assert.match(text, /FAIL OVER NOW\? {2}no\n {2}the standby: no answer within 8 s\n {2}next: mend it$/);
    });

    it("fits into 80 columns and 24 lines, whatever was found and however much of it", () => {
        const anyText = fc.string({ maxLength: 300, unit: "grapheme" });
        const answers = <T>(known: fc.Arbitrary<T>): fc.Arbitrary<Answer<T>> =>
            fc.oneof(known.map(value), fc.record({ none: anyText, next: anyText }));
        const name = fc.stringMatching(/^[a-z][a-z0-9-]{1,30}$/);
        const database = answers(
            fc.record({
                role: fc.constantFrom("writable" as const, "read-only" as const, "replica" as const),
                lagSeconds: fc.option(fc.double({ min: 0, max: 1e7, noNaN: true })),
                lease: fc.option(
                    fc.record({
                        state: fc.constantFrom("unproven" as const, "proven" as const, "ceded" as const),
                        secondsLeft: fc.double({ min: 0, max: 60, noNaN: true }),
                        silent: fc.dictionary(anyText, anyText, { maxKeys: 2 }),
                    }),
                    { nil: undefined },
                ),
                problem: fc.option(anyText, { nil: undefined }),
            }),
        );
        const world = fc.uniqueArray(name, { minLength: 1, maxLength: 12 }).chain((stores) => {
            const large = defineEstate(
                declaration((each) => {
                    each.stores = Object.fromEntries(stores.map((store) => [store, each.stores["ledger"]!]));
                    each.services["till"]!.needs = stores;
                }),
            );
            const byStore = <T>(arbitrary: fc.Arbitrary<T>) =>
                fc
                    .array(arbitrary, { minLength: stores.length, maxLength: stores.length })
                    .map((all) => Object.fromEntries(stores.map((store, n) => [store, all[n]!])));
            const site = fc.constantFrom("primary" as const, "standby" as const);
            const scenario = fc.constantFrom("region-loss" as const, "failback" as const);
            const record = fc.record({ epoch: fc.nat(), active: site, at: fc.constant(at), by: anyText, reason: anyText });
            const perSite = <T>(arbitrary: fc.Arbitrary<T>) => fc.record({ primary: arbitrary, standby: arbitrary });
            const facts: fc.Arbitrary<Facts> = fc.record({
                at: fc.constant(at),
                epoch: answers(record),
                latch: answers(fc.record({ thrown: fc.boolean(), epoch: fc.nat(), at: fc.constant(at) })),
                witness: answers(record),
                unfinished: answers(
                    fc.option(fc.record({ activation: name, scenario, by: anyText, lastAt: anyText, left: fc.boolean() }), {
                        nil: undefined,
                    }),
                ),
                built: perSite(answers(fc.boolean())),
                databases: perSite(byStore(database)),
                services: perSite(fc.record({ till: answers(fc.nat({ max: 599 })) })),
                points: byStore(
                    answers(fc.option(fc.record({ point: name, startedAt: fc.constant(at), copies: fc.nat() }), { nil: undefined })),
                ),
            });
            return facts.map((each) => ({ large, facts: each }));
        });
        fc.assert(
            fc.property(world, ({ large, facts }) => {
                const lines = statusScreen(large, facts, judgeReadiness(large, facts), (_, text) => text).split("\n");
                assert.ok(lines.length <= screen.lines, `${lines.length} lines`);
                for (const line of lines) assert.ok(line.length <= screen.columns, `${line.length}: ${line}`);
                assert.match(lines.join("\n"), /COULD WE FAIL OVER NOW\?/);
            }),
            { numRuns: 300 },
        );
    });
});
