import assert from "node:assert/strict";
import fc from "fast-check";
import { answer, chooseRecord, fastTtl, type World } from "../../../sandbox/dns/answer.ts";
import { awsAddress } from "../../../sandbox/dns/aws-names.ts";
import type { RecordSet, Zone } from "../../../sandbox/dns/zone-data.ts";

const failover = (kind: "PRIMARY" | "SECONDARY", check?: string): RecordSet => ({
    name: "orders.orders.example",
    type: "CNAME",
    ttl: 60,
    values: [`orders.${kind === "PRIMARY" ? "us-east-1" : "us-west-2"}.orders.example`],
    failover: kind,
    setIdentifier: kind.toLowerCase(),
    ...(check === undefined ? {} : { healthCheckId: check }),
});
const addresses = { regions: { "us-east-1": "10.1.255.1", "us-west-2": "10.2.255.1" }, global: "10.0.255.1", fast: 1 };
const zone: Zone = {
    name: "orders.example",
    records: [
        failover("PRIMARY", "p"),
        failover("SECONDARY", "s"),
        {
            name: "orders.us-east-1.orders.example",
            type: "CNAME",
            ttl: 30,
            values: ["orders-orders-0a018107.elb.us-east-1.amazonaws.com."],
        },
        { name: "orders.us-west-2.orders.example", type: "CNAME", ttl: 30, values: ["orders-orders-0a028107.elb.us-west-2.amazonaws.com"] },
        { name: "a.orders.example", type: "A", ttl: 60, values: ["192.0.2.1", "192.0.2.2"] },
        { name: "*.wild.orders.example", type: "A", ttl: 60, values: ["192.0.2.3"] },
        { name: "there.wild.orders.example", type: "TXT", ttl: 60, values: ['"x"'] },
        { name: "loop.orders.example", type: "CNAME", ttl: 60, values: ["loop.orders.example"] },
        { name: "weighted.orders.example", type: "A", ttl: 60, values: ["192.0.2.4"], beyond: "weighted" },
    ],
};
const world = (healthy: Record<string, boolean>, fast = 1): World => ({
    zones: [zone],
    healthy: (id) => healthy[id],
    outside: (name) => awsAddress(name, { ...addresses, fast }),
    fast,
});
const ask = (name: string, type = "A", healthy: Record<string, boolean> = { p: true, s: false }, fast = 1) =>
    answer({ name, type }, world(healthy, fast));
const texts = (reply: ReturnType<typeof answer>) => reply.answers.map(({ type, value, ttl }) => `${type} ${value} ${ttl}`);

describe("answers of the resolver", () => {
    it("lead through the failover record and the load balancer's name to an address", () => {
        assert.deepEqual(texts(ask("Orders.Orders.Example.")), [
            "CNAME orders.us-east-1.orders.example 60",
            "CNAME orders-orders-0a018107.elb.us-east-1.amazonaws.com. 30",
            "A 10.1.129.7 60",
        ]);
    });

    it("fail over only to a secondary that is healthy", () => {
        const first = (healthy: Record<string, boolean>) => ask("orders.orders.example", "A", healthy).answers[0]!.value;
        const [primary, secondary] = ["orders.us-east-1.orders.example", "orders.us-west-2.orders.example"];
        assert.equal(first({ p: true, s: true }), primary);
        assert.equal(first({ p: true, s: false }), primary);
        assert.equal(first({ p: false, s: true }), secondary);
        assert.equal(first({ p: false, s: false }), primary);
    });

    it("count a record without a check, or whose check is gone, as healthy", () => {
        const [plain, gone, secondary] = [failover("PRIMARY"), failover("PRIMARY", "gone"), failover("SECONDARY", "s")];
        const healthy = (id: string) => (id === "gone" ? undefined : true);
        assert.equal(chooseRecord([plain, secondary], healthy), plain);
        assert.equal(chooseRecord([gone, secondary], healthy), gone);
        const unchecked = failover("SECONDARY");
        assert.equal(
            chooseRecord([failover("PRIMARY", "p"), unchecked], () => false),
            unchecked,
        );
    });

    it("divide every TTL of a zone by --fast, and never to nothing", () => {
        assert.deepEqual(
            texts(ask("orders.orders.example", "A", { p: true }, 10)).map((text) => text.split(" ").at(-1)),
            ["6", "3", "6"],
        );
        fc.assert(
            fc.property(fc.integer({ min: 1, max: 172800 }), fc.integer({ min: 1, max: 1000 }), (ttl, fast) => {
                const divided = fastTtl(ttl, fast);
                assert.ok(divided >= 1 && divided >= ttl / fast && divided < ttl / fast + 1);
            }),
        );
    });

    it("say that a name has no such record, or that there is no such name", () => {
        assert.deepEqual(ask("a.orders.example", "AAAA"), { rcode: "NOERROR", answers: [], authority: "orders.example" });
        assert.equal(ask("nothing.orders.example").rcode, "NXDOMAIN");
        assert.equal(ask("us-east-1.orders.example").rcode, "NOERROR");
        assert.equal(ask("example.com").rcode, "NXDOMAIN");
        assert.deepEqual(ask("kms.us-east-1.amazonaws.com", "AAAA"), { rcode: "NOERROR", answers: [] });
    });

    it("stop at the alias itself when that is what was asked for", () => {
        assert.deepEqual(texts(ask("orders.orders.example", "CNAME")), ["CNAME orders.us-east-1.orders.example 60"]);
    });

    it("have all values of a simple record, and of a wildcard for what it covers only", () => {
        assert.equal(ask("a.orders.example").answers.length, 2);
        assert.equal(ask("any.wild.orders.example").answers[0]!.value, "192.0.2.3");
        assert.equal(ask("a.any.wild.orders.example").answers[0]!.value, "192.0.2.3");
        assert.equal(ask("there.wild.orders.example").rcode, "NOERROR");
        assert.equal(ask("there.wild.orders.example").answers.length, 0);
        assert.equal(ask("below.there.wild.orders.example").rcode, "NXDOMAIN");
    });

    it("fail where a record asks for what the sandbox does not do, and for a chain without end", () => {
        assert.deepEqual([ask("weighted.orders.example").rcode, ask("loop.orders.example").rcode], ["SERVFAIL", "SERVFAIL"]);
        assert.match(ask("weighted.orders.example").problem!, /weighted/);
    });
});

describe("names of AWS", () => {
    const at = (name: string) => awsAddress(name, addresses)?.address;
    it("lead to the region's gate, or to the one outside every region", () => {
        for (const service of ["s3", "kms", "sts", "bucket.s3", "bucket.with.dots.s3", "bucket.s3.dualstack"])
            assert.equal(at(`${service}.us-west-2.amazonaws.com`), "10.2.255.1");
        for (const service of ["iam", "route53", "sts"]) assert.equal(at(`${service}.amazonaws.com`), "10.0.255.1");
        for (const name of ["s3.amazonaws.com", "bucket.s3.amazonaws.com"]) assert.equal(at(name), "10.1.255.1");
    });
    it("are none for regions that the sandbox does not have", () => {
        for (const name of [
            "kms.eu-west-1.amazonaws.com",
            "amazonaws.com",
            "us-east-1.amazonaws.com",
            "a.b.amazonaws.com",
            "elsewhere.com",
        ])
            assert.equal(at(name), undefined);
    });
    it("carry a load balancer's address in the name", () => {
        fc.assert(
            fc.property(fc.ipV4(), fc.constantFrom("us-east-1", "us-west-2"), (address, region) => {
                const hex = address
                    .split(".")
                    .map((byte) => Number(byte).toString(16).padStart(2, "0"))
                    .join("");
                assert.equal(at(`orders-orders-${hex}.elb.${region}.amazonaws.com`), address);
            }),
        );
        assert.equal(at("orders-orders.elb.us-east-1.amazonaws.com"), undefined);
    });
});
