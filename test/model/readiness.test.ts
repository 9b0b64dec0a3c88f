import assert from "node:assert/strict";
import fc from "fast-check";
import { judgeReadiness, tellPrice, type Answer, type DatabaseFacts, type Facts, type Readiness } from "../../model/readiness.ts";
import { at, both, calm, epoch, estate, minutesAgo, none, replica, server, value } from "./facts.ts";

const judge = (change: Partial<Facts>): Readiness => judgeReadiness(estate, { ...calm, ...change });
const standby = (ledger: Answer<DatabaseFacts>) => ({ ...calm.databases, standby: { ledger, people: replica(0) } });

describe("the answer to: could we fail over now?", () => {
    it("on a calm day is yes, with the furthest replica's lag as the loss, and nothing unprotected", () => {
        const { failover, losses, unprotected, takes, active } = judge({});
        assert.deepEqual([failover, active, unprotected], ["yes", "primary", []]);
        assert.deepEqual(losses, [{ service: "till", seconds: 0.2, promised: 5, holds: true }]);
        assert.equal(takes[0]?.of, "till");
    });

    it("with the primary dead is yes, at a loss that nobody can tell while the replicas do not hear from it", () => {
        const dead = { databases: { primary: both(none("no answer")), standby: both(replica(null, "it does not hear from its peer")) } };
        const found = judge({ ...dead, services: { ...calm.services, primary: { till: none("no answer") } } });
        assert.equal(found.failover, "over the promise");
        assert.match(tellPrice(found)[0] ?? "", /loses what its replicas had not received/);
        assert.deepEqual(
            found.unprotected.map(({ why }) => why),
            Array(2).fill("its replica does not follow: it does not hear from its peer"),
        );
    });

    const silent = (secondsAgo: number, lagSeconds: number): Answer<DatabaseFacts> =>
        value({ role: "replica", lagSeconds: null, heard: { secondsAgo, lagSeconds }, problem: "it does not hear from its peer" });

    it("with the primary dead is yes, with the loss as it was when the replicas last heard from it", () => {
        const found = judge({ databases: { primary: both(none("no answer")), standby: { ledger: silent(130, 0.4), people: replica(0) } } });
        assert.deepEqual(found.losses, [{ service: "till", seconds: 0.4, silentFor: 130, promised: 5, holds: true }]);
        assert.equal(found.failover, "yes");
        assert.match(
            tellPrice(found)[0] ?? "",
            /loses under 1 s of acknowledged writes, as of 2 min 10 s ago: its replicas have heard nothing since/,
        );
    });

    it("with a primary that lives and a replication that broke counts all that was acknowledged since", () => {
        const found = judge({ databases: { ...calm.databases, standby: { ledger: silent(130, 0.4), people: replica(0) } } });
        assert.equal(found.losses[0]?.seconds, 130.4);
        assert.equal(found.failover, "over the promise");
    });

    it("before the first backup is yes, and the stores are unprotected", () => {
        const { failover, unprotected } = judge({ points: both(value(undefined)) });
        assert.equal(failover, "yes");
        assert.deepEqual(unprotected, [
            { store: "ledger", why: "no verified recovery point yet" },
            { store: "people", why: "no verified recovery point yet" },
        ]);
    });

    const noes: [string, Partial<Facts>, RegExp, RegExp][] = [
        ["before bootstrap", { epoch: none("there is no epoch record") }, /no epoch record/, /mend it/],
        ["with a dead standby", { epoch: none("no answer within 6 s") }, /^the standby: no answer within 6 s/, /mend it/],
        ["with standby and witness dead", { epoch: none("no answer"), witness: none("no answer") }, /^the standby: no answer$/, /mend it/],
        ["before dr's first pass", { built: { primary: value(false), standby: value(false) } }, /standby was never/, /^pulumi up -s dr$/],
        [
            "between dr's two passes",
            { built: { primary: value(false), standby: value(true) } },
            /primary was never/,
            /-s prod && pulumi up -s dr/,
        ],
        ["after an activation", { epoch: epoch("standby") }, /the standby is the active site already/, /lifeboat backups/],
        ["with no pod in the standby", { databases: standby(none("pod not found")) }, /pod not found/, /mend it/],
        [
            "with an unfinished seed",
            { databases: standby(server("read-only", "its seed is not finished")) },
            /seed is not finished/,
            /kubectl/,
        ],
        ["with two writers", { databases: standby(server("writable")) }, /is writable, though the epoch/, /kubectl/],
        [
            "while another activation runs",
            { unfinished: value({ activation: "A", scenario: "region-loss", by: "bert@desk", lastAt: at, left: false }) },
            /activation A is under way: bert@desk/,
            /speak with them/,
        ],
        [
            "with an activation left behind",
            { unfinished: value({ activation: "A", scenario: "region-loss", by: "bert@desk", lastAt: at, left: true }) },
            /A was left unfinished/,
            /^lifeboat activate --resume$/,
        ],
        ["with a silent witness", { witness: none("no answer within 6 s") }, /^the witness: no answer/, /^mend it; .*--without-witness/],
        ["with a damaged journal", { unfinished: none("the journal is damaged") }, /damaged/, /mend it/],
    ];
    for (const [when, change, what, next] of noes)
        it(`${when} is no, with the reason and the next step`, () => {
            const { failover, obstacles, losses } = judge(change);
            assert.equal(failover, "no");
            assert.match(obstacles[0]?.what ?? "", what);
            assert.match(obstacles[0]?.next ?? "", next);
            assert.deepEqual(losses, []);
        });

    it("is over the promise exactly where a replica that a service needs is further behind than its RPO", () => {
        fc.assert(
            fc.property(fc.double({ min: 0, max: 20, noNaN: true }), fc.double({ min: 0, max: 20, noNaN: true }), (ledger, people) => {
                const { failover, losses } = judge({
                    databases: { ...calm.databases, standby: { ledger: replica(ledger), people: replica(people) } },
                });
                assert.equal(losses[0]?.seconds, Math.max(ledger, people));
                assert.equal(failover, Math.max(ledger, people) <= 5 ? "yes" : "over the promise");
            }),
        );
    });
});

describe("what a replica does not carry", () => {
    it("is told of the active site's server, one line a store, and makes no store unprotected", () => {
        const unprotected = [
            { name: "shop.sessions", why: "is a MEMORY table: it is empty in every recovery point" },
            { name: "shop.old", why: "is a MyISAM table" },
        ];
        const found = judge({
            databases: {
                ...calm.databases,
                primary: { ...calm.databases.primary, ledger: value({ role: "writable", lagSeconds: null, unprotected }) },
            },
        });
        assert.deepEqual(found.notCarried, [
            { store: "ledger", why: "shop.sessions is a MEMORY table: it is empty in every recovery point; and 1 more: shop.old" },
        ]);
        assert.deepEqual(found.unprotected, []);
    });
});

describe("what is unprotected", () => {
    const cases: [string, Partial<Facts>, string][] = [
        ["a replica that is too far behind", { databases: standby(replica(12)) }, "its replica is 12 s behind, over 5 s"],
        ["a replica that is not there", { databases: standby(none("pod not found")) }, "no replica: the standby's server does not answer"],
        [
            "an old point",
            { points: { ledger: minutesAgo(20), people: minutesAgo(1) } },
            "newest verified point is 20 min old, over its RPO of 15 min",
        ],
        ["a single copy", { points: { ledger: minutesAgo(1, 1), people: minutesAgo(1) } }, "its newest point has one copy"],
        [
            "a log with a gap",
            { points: { ledger: minutesAgo(1, 2, "has a gap since noon: binlog.000003 is missing"), people: minutesAgo(1) } },
            "its log in the vault has a gap since noon: binlog.000003 is missing",
        ],
        [
            "a catalog that does not answer",
            { points: { ledger: none("no answer"), people: minutesAgo(1) } },
            "its recovery points cannot be listed",
        ],
    ];
    for (const [what, change, why] of cases)
        it(`names ${what}`, () => assert.deepEqual(judge(change).unprotected, [{ store: "ledger", why }]));

    it("names every store while the standby is dark, and the witness says that the primary is active", () => {
        const dark = none("no answer within 6 s");
        const found = judge({ epoch: dark, points: both(dark), databases: { ...calm.databases, standby: both(dark) } });
        assert.deepEqual([found.active, found.failover], ["primary", "no"]);
        assert.deepEqual(
            found.unprotected.filter(({ store }) => store === "people").map(({ why }) => why),
            ["no replica: the standby's server does not answer", "its recovery points cannot be listed"],
        );
    });

    it("names every store whose peer is gone after an activation, whatever its backups are", () => {
        const { unprotected } = judge({
            epoch: epoch("standby"),
            databases: { primary: both(none("no answer")), standby: both(server("writable")) },
        });
        assert.deepEqual(
            unprotected.map(({ store, why }) => `${store}: ${why}`),
            ["ledger: no replica: the primary's server does not answer", "people: no replica: the primary's server does not answer"],
        );
    });
});
