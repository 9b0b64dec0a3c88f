import assert from "node:assert/strict";
import { EstateError, otherSite, type EstateDeclaration } from "../../model/estate.ts";
import { defineEstate } from "../../stores/estate.ts";
import { estate } from "../../stacks/estate.ts";
import { declaration } from "./declaration.ts";

/** The problems of a declaration with one fault in it; each must be told by one line. */
function problemsOf(change: (estate: EstateDeclaration) => void): readonly string[] {
    try {
        defineEstate(declaration(change));
    } catch (error) {
        assert.ok(error instanceof EstateError, String(error));
        return error.problems;
    }
    return assert.fail("the fault was not found");
}
/** Writes past the types, as a program in JavaScript or a mistake would. */
const put = (target: object, path: readonly string[], value: unknown) => {
    const holder = path
        .slice(0, -1)
        .reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, target as Record<string, unknown>);
    const last = path.at(-1) ?? "";
    if (value === undefined) delete holder[last];
    else holder[last] = value;
};

describe("an estate", () => {
    it("that has no fault gets its quantities parsed and its defaults filled in", () => {
        const checked = defineEstate(declaration());
        assert.equal(checked.decision, 300);
        assert.equal(checked.stores["ledger"]?.backup.every, 300);
        assert.equal(checked.stores["ledger"]?.replica.maxLag, 5);
        assert.equal(checked.stores["ledger"]?.volume, 10 * 2 ** 30);
        assert.equal(checked.services["till"]?.pods, 2);
        assert.deepEqual(checked.lease, { duration: 15, renewEvery: 2 });
        assert.deepEqual(checked.traffic, { ttl: 60, healthCheck: { interval: 10, threshold: 3 } });
    });

    it("of this repository has none", () => {
        assert.deepEqual(Object.keys(estate.services), ["orders"]);
        assert.equal(otherSite("primary"), "standby");
        assert.equal(otherSite("standby"), "primary");
    });

    const faults: [what: string, path: string[], value: unknown, told: RegExp][] = [
        ["a name with capitals", ["name"], "Shop", /^name: a name has 2 to 31 lower-case letters/],
        ["a domain with one label", ["domain"], "localhost", /^domain: a domain is written like "orders.example"/],
        ["a region that is none", ["sites", "primary", "region"], "Dublin", /^sites.primary.region: a region is written like "us-west-2"/],
        [
            "two sites in one region",
            ["sites", "standby", "region"],
            "eu-west-1",
            /^sites.standby.region: is the primary's own region eu-west-1; name another one/,
        ],
        [
            "a witness in a site's own region",
            ["sites", "witness"],
            { region: "eu-central-1" },
            /^sites.witness.region: is the standby's own region eu-central-1.*name a third one, or leave the witness out/,
        ],
        [
            "a lease that one lost answer ends",
            ["lease"],
            { duration: "5 s", renewEvery: "2 s" },
            /^lease.duration: leaves no room for a lost answer: make it at least three times renewEvery, 6 s/,
        ],
        ["a lease that is renewed too often", ["lease"], { renewEvery: "100 ms" }, /^lease.renewEvery: .*"0.5 s" or more/],
        ["a site that is missing", ["sites", "standby"], undefined, /^sites.standby: /],
        ["a duration without a unit", ["decision"], "5", /^decision: "5" is not a quantity; write a number and one of ms, s, min/],
        ["a duration that is a number", ["decision"], 300, /^decision: .*string/],
        ["a size that is none", ["stores", "ledger", "volume"], "big", /^stores.ledger.volume: "big" is not a quantity.*10 GiB/],
        ["an engine without an adapter", ["stores", "ledger", "engine"], "oracle", /^stores.ledger.engine: .*mariadb, postgres/],
        ["a store's name that no host could have", ["stores", "The Ledger"], declaration().stores["ledger"], /^stores.The Ledger: .*/],
        ["a misspelt setting", ["stores", "ledger", "backup", "evry"], "5 min", /^stores.ledger.backup: .*"evry"/],
        [
            "an interval that does not divide the hour",
            ["stores", "ledger", "backup", "every"],
            "7 min",
            /^stores.ledger.backup.every: must be whole minutes that divide an hour, as in "5 min"/,
        ],
        [
            "an interval of no whole minute",
            ["stores", "ledger", "backup", "every"],
            "150 s",
            /^stores.ledger.backup.every: must be whole minutes/,
        ],
        [
            "an interval longer than the RPO",
            ["stores", "ledger", "backup", "every"],
            "20 min",
            /^stores.ledger.backup.every: is longer than the store's RPO of 900 s; back up more often or promise less/,
        ],
        [
            "a limit over which late backups pile up",
            ["stores", "ledger", "backup", "limit"],
            "1 h",
            /^stores.ledger.backup.limit: is over four times the interval/,
        ],
        [
            "a need that is no store",
            ["services", "till", "needs"],
            ["ledger", "lodger"],
            /^services.till.needs.1: "lodger" is not a store; the stores are ledger, people/,
        ],
        ["a service that needs nothing", ["services", "till", "needs"], [], /^services.till.needs: /],
        [
            "an RTO that the decision alone takes",
            ["services", "till", "objective", "rto"],
            "5 min",
            /^services.till.objective.rto: is not longer than the 300 s that people take to decide/,
        ],
        ["a health path that is none", ["services", "till", "healthPath"], "health", /^services.till.healthPath: .*"\/"/],
        ["half a pod", ["services", "till", "pods"], 0.5, /^services.till.pods: /],
        ["no pod at all", ["services", "till", "pods"], 0, /^services.till.pods: /],
        ["a port that is none", ["services", "till", "port"], 70_000, /^services.till.port: /],
        [
            "an interval that Route 53 does not offer",
            ["traffic"],
            { healthCheck: { interval: "20 s" } },
            /^traffic.healthCheck.interval: Route 53 offers "10 s" and "30 s"/,
        ],
        ["a threshold that Route 53 does not offer", ["traffic"], { healthCheck: { threshold: 11 } }, /^traffic.healthCheck.threshold: /],
    ];
    for (const [what, path, value, told] of faults)
        it(`refuses ${what}, with its path and what would be right`, () => {
            const problems = problemsOf((estate) => put(estate, path, value));
            assert.equal(problems.length, 1, problems.join("\n"));
            assert.match(problems[0] ?? "", told);
        });

    it("with several faults has all of them told at once", () => {
        const problems = problemsOf((estate) => {
            put(estate, ["decision"], "soon");
            put(estate, ["stores", "people", "engine"], "db2");
            put(estate, ["domain"], "x");
        });
        assert.equal(problems.length, 3);
        assert.match(new EstateError(problems).message, /^the estate has 3 faults:\n {2}/);
    });
});
