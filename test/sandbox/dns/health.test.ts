import assert from "node:assert/strict";
import { createServer as createHttp, type Server } from "node:http";
import { createServer as createTcp, type Server as TcpServer } from "node:net";
import fc from "fast-check";
import { metricHealth, metricVerdict, newEndpoint, observe, statusOf } from "../../../sandbox/dns/health.ts";
import { probe } from "../../../sandbox/dns/probe.ts";
import type { HealthCheckDeclaration } from "../../../sandbox/dns/zone-data.ts";

describe("health of an endpoint", () => {
    it("changes after as many observations in a row as the threshold says, in either direction", () => {
        const after = (passes: boolean[], threshold = 3) =>
            passes.reduce((state, passed) => observe(state, passed, threshold), newEndpoint).healthy;
        assert.equal(after([]), true);
        assert.equal(after([false, false]), true);
        assert.equal(after([false, false, false]), false);
        assert.equal(after([false, false, true, false, false]), true);
        assert.equal(after([false, false, false, true, true]), false);
        assert.equal(after([false, false, false, true, true, true]), true);
    });

    it("is that of the last run of at least the threshold", () => {
        fc.assert(
            fc.property(fc.array(fc.boolean(), { maxLength: 60 }), fc.integer({ min: 1, max: 10 }), (passes, threshold) => {
                const { healthy } = passes.reduce((state, passed) => observe(state, passed, threshold), newEndpoint);
                let expected = true;
                let run = 0;
                passes.forEach((passed, index) => {
                    run = passed === passes[index - 1] ? run + 1 : 1;
                    if (run >= threshold) expected = passed;
                });
                assert.equal(healthy, expected);
            }),
        );
    });
});

describe("health by a metric", () => {
    const alarm = { comparison: "GreaterThanOrEqualToThreshold", threshold: 1, treatMissingData: "missing" };
    it("is bad while the newest datum would raise the alarm", () => {
        assert.equal(metricVerdict(0, alarm), "healthy");
        assert.equal(metricVerdict(1, alarm), "unhealthy");
        assert.equal(metricVerdict(1, { ...alarm, comparison: "GreaterThanThreshold" }), "healthy");
        assert.equal(metricVerdict(0, { ...alarm, comparison: "LessThanThreshold" }), "unhealthy");
        assert.throws(() => metricVerdict(0, { ...alarm, comparison: "GreaterThanUpperThreshold" }), /GreaterThanUpperThreshold/);
    });
    it("follows the alarm and then the check when there is no data", () => {
        assert.equal(metricVerdict(undefined, { ...alarm, treatMissingData: "breaching" }), "unhealthy");
        assert.equal(metricVerdict(undefined, { ...alarm, treatMissingData: "notBreaching" }), "healthy");
        for (const last of [true, false]) {
            assert.equal(metricHealth(metricVerdict(undefined, alarm), last, "LastKnownStatus"), last);
            assert.equal(metricHealth(metricVerdict(undefined, alarm), last, "Healthy"), true);
            assert.equal(metricHealth(metricVerdict(undefined, alarm), last, "Unhealthy"), false);
            assert.equal(metricHealth(metricVerdict(undefined, { ...alarm, treatMissingData: "ignore" }), last, "Healthy"), last);
        }
    });
});

describe("status of a check", () => {
    const check = (change: Partial<HealthCheckDeclaration>): HealthCheckDeclaration => ({
        id: "x",
        name: "x",
        type: "HTTPS",
        inverted: false,
        disabled: false,
        ...change,
    });
    it("is the opposite when inverted, and healthy when disabled", () => {
        assert.equal(
            statusOf(check({ inverted: true }), true, () => undefined),
            false,
        );
        assert.equal(
            statusOf(check({ disabled: true }), false, () => undefined),
            true,
        );
        assert.equal(
            statusOf(check({ disabled: true, inverted: true }), true, () => undefined),
            false,
        );
    });
    it("needs so many healthy children as declared; one that is gone is not healthy", () => {
        fc.assert(
            fc.property(
                fc.array(fc.option(fc.boolean(), { nil: undefined })),
                fc.integer({ min: 0, max: 6 }),
                (children, healthThreshold) => {
                    const declared = check({ type: "CALCULATED", children: children.map((_, index) => String(index)), healthThreshold });
                    assert.equal(
                        statusOf(declared, false, (id) => children[Number(id)]),
                        children.filter((child) => child === true).length >= healthThreshold,
                    );
                },
            ),
        );
    });
});

describe("a probe", () => {
    let http: Server;
    let silent: TcpServer;
    const port = (server: Server | TcpServer) => (server.address() as { port: number }).port;
    before(async () => {
        http = createHttp((request, response) => {
            const [, status = "200", delay = "0"] = request.url!.split("/");
            setTimeout(() => response.writeHead(Number(status)).end(), Number(delay));
        });
        silent = createTcp(() => undefined);
        await Promise.all([http, silent].map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))));
    });
    after(() => {
        http.closeAllConnections();
        http.close();
        silent.close();
    });
    const limits = { connectMs: 500, answerMs: 200 };
    const at = (path: string, server: Server | TcpServer = http, tls = false) =>
        probe({ address: "127.0.0.1", port: port(server), host: "orders.example", path, tls, sni: tls }, limits);

    it("passes with 2xx and 3xx", async () => {
        for (const status of [200, 204, 302]) assert.deepEqual(await at(`/${status}`), { passed: true, said: String(status) });
        for (const status of [404, 500, 503]) assert.equal((await at(`/${status}`)).passed, false);
    });
    it("fails when the answer is late, however it is late", async () => {
        assert.match((await at("/200/400")).said, /no answer in 200 ms/);
        assert.match((await at("/", silent, true)).said, /no answer in 200 ms/);
    });
    it("fails when nobody listens", async () => {
        assert.match(
            (await probe({ address: "127.0.0.1", port: 1, host: "x", path: "/", tls: true, sni: true }, limits)).said,
            /ECONNREFUSED/,
        );
    });
});
