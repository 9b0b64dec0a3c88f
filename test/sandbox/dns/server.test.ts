import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CloudWatchClient, PutMetricAlarmCommand, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
    ChangeResourceRecordSetsCommand,
    CreateHealthCheckCommand,
    CreateHostedZoneCommand,
    Route53Client,
    type HealthCheckConfig,
    type ResourceRecordSet,
} from "@aws-sdk/client-route-53";
import { makeAuthority } from "../../../sandbox/aws/authority.ts";
import { callControl } from "../../../sandbox/control.ts";
import { until } from "../../../sandbox/daemon.ts";
import { startDns } from "../../../sandbox/dns/server.ts";
import { startMoto } from "../../support/moto.ts";
import { direct, regions } from "../aws/fixture.ts";

const run = promisify(execFile);

describe("resolver and health checkers", function () {
    this.timeout(120_000);
    const directory = mkdtempSync(join(tmpdir(), "dns-"));
    let moto: Awaited<ReturnType<typeof startMoto>>;
    let dns: Awaited<ReturnType<typeof startDns>>;
    let route53: Route53Client;
    let cloudwatch: CloudWatchClient;
    let zone: string;
    let service: Server;
    let status = 200;
    const asked: { name: string | false | undefined; path: string | undefined; from: string | undefined }[] = [];

    const check = async (HealthCheckConfig: HealthCheckConfig) =>
        (await route53.send(new CreateHealthCheckCommand({ CallerReference: String(Math.random()), HealthCheckConfig }))).HealthCheck!.Id!;
    const put = (...records: ResourceRecordSet[]) =>
        route53.send(
            new ChangeResourceRecordSetsCommand({
                HostedZoneId: zone,
                ChangeBatch: { Changes: records.map((ResourceRecordSet) => ({ Action: "UPSERT", ResourceRecordSet })) },
            }),
        );
    const metric = (value: number) =>
        cloudwatch.send(
            new PutMetricDataCommand({
                Namespace: "Lifeboat",
                MetricData: [{ MetricName: "LatchThrown", Value: value, Dimensions: [{ Name: "Estate", Value: "orders" }] }],
            }),
        );
    const dig = async (...question: string[]) => (await run("dig", ["@127.0.0.1", "-p", String(dns.port), "+tries=1", ...question])).stdout;
    const short = async (...question: string[]) => (await dig("+short", ...question)).trim().split("\n");
    const health = (id: string) => dns.health().find((each) => each.id === id);

    before(async () => {
        [moto] = await Promise.all([startMoto(), makeAuthority(directory, { regions: Object.values(regions), domain: "orders.example" })]);
        route53 = new Route53Client(direct(moto.url, "us-east-1"));
        cloudwatch = new CloudWatchClient(direct(moto.url, "us-west-2"));
        zone = (await route53.send(new CreateHostedZoneCommand({ Name: "orders.example", CallerReference: "zone" }))).HostedZone!.Id!;
        const [cert, key] = ["pem", "key"].map((end) => readFileSync(join(directory, `ca/service.${end}`)));
        service = createServer({ cert, key }, (request, response) => {
            asked.push({
                name: (request.socket as { servername?: string | false }).servername,
                path: request.url,
                from: request.socket.remoteAddress,
            });
            response.writeHead(status).end();
        });
        await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
        dns = await startDns({
            address: "127.0.0.1",
            port: 0,
            moto: moto.url,
            regions: { "us-east-1": "10.1.255.1", "us-west-2": "10.2.255.1" },
            global: "10.0.255.1",
            fast: 50,
            checkersFrom: "127.0.3.1",
            socket: join(directory, "dns.sock"),
            everyMs: 100,
        });
    });
    after(async () => {
        await dns.close();
        service.closeAllConnections();
        await new Promise((resolve) => service.close(resolve));
        await moto.stop();
        rmSync(directory, { recursive: true });
    });

    it("answers for AWS over UDP and TCP, and has no IPv6", async () => {
        assert.deepEqual(await short("kms.us-west-2.amazonaws.com"), ["10.2.255.1"]);
        assert.deepEqual(await short("+tcp", "iam.amazonaws.com"), ["10.0.255.1"]);
        const aaaa = await dig("kms.us-west-2.amazonaws.com", "AAAA");
        assert.match(aaaa, /status: NOERROR.*\n.*ANSWER: 0/);
        assert.match(await dig("www.example.com"), /status: NXDOMAIN/);
        assert.match(await dig("-c", "CH", "version.bind", "TXT"), /status: REFUSED/);
    });

    it("takes a record over soon after it was put, and says what is not there", async () => {
        assert.match(await dig("later.orders.example"), /status: NXDOMAIN.*(\n.*)*SOA/);
        await put({ Name: "later.orders.example", Type: "A", TTL: 300, ResourceRecords: [{ Value: "192.0.2.1" }] });
        await until("the record is answered", 5000, async () => (await short("later.orders.example"))[0] === "192.0.2.1");
        assert.match(await dig("LATER.orders.example"), /LATER\.orders\.example\.\s+6\s+IN\s+A/);
        assert.match(await dig("orders.example", "SOA"), /status: NOERROR/);
    });

    it("moves a name by endpoint and latch, and back by nobody's accident", async () => {
        const { port } = service.address() as { port: number };
        await put(
            { Name: "site.us-east-1.orders.example", Type: "A", TTL: 60, ResourceRecords: [{ Value: "127.0.0.1" }] },
            { Name: "site.us-west-2.orders.example", Type: "A", TTL: 60, ResourceRecords: [{ Value: "127.0.0.2" }] },
        );
        await cloudwatch.send(
            new PutMetricAlarmCommand({
                AlarmName: "latch",
                Namespace: "Lifeboat",
                MetricName: "LatchThrown",
                Dimensions: [{ Name: "Estate", Value: "orders" }],
                Statistic: "Maximum",
                Period: 60,
                EvaluationPeriods: 1,
                Threshold: 1,
                ComparisonOperator: "GreaterThanOrEqualToThreshold",
            }),
        );
        const latch = {
            Type: "CLOUDWATCH_METRIC",
            AlarmIdentifier: { Region: "us-west-2", Name: "latch" },
            InsufficientDataHealthStatus: "LastKnownStatus",
        } as const;
        await until("the site's name is there", 5000, async () => (await short("site.us-east-1.orders.example"))[0] === "127.0.0.1");
        const endpoint = await check({
            Type: "HTTPS",
            FullyQualifiedDomainName: "site.us-east-1.orders.example",
            Port: port,
            ResourcePath: "/health",
            RequestInterval: 10,
            FailureThreshold: 3,
        });
        const held = await check(latch);
        const thrown = await check({ ...latch, Inverted: true });
        const both = await check({ Type: "CALCULATED", ChildHealthChecks: [endpoint, held], HealthThreshold: 2 });
        const record = (kind: "PRIMARY" | "SECONDARY", region: string, HealthCheckId: string) => ({
            Name: "users.orders.example",
            Type: "CNAME" as const,
            TTL: 60,
            SetIdentifier: kind,
            Failover: kind,
            HealthCheckId,
            ResourceRecords: [{ Value: `site.${region}.orders.example` }],
        });
        await put(record("PRIMARY", "us-east-1", both), record("SECONDARY", "us-west-2", thrown));
        const leadsTo = (address: string) =>
            until(`users are led to ${address}`, 15_000, async () => (await short("users.orders.example")).at(-1) === address);
        await leadsTo("127.0.0.1");
        await until("the endpoint was asked", 5000, () => asked.length > 0);
        assert.deepEqual(asked[0], { name: "site.us-east-1.orders.example", path: "/health", from: "127.0.3.1" });
        // Without data a new check is healthy, and its inverse is not.
        assert.deepEqual([health(held)!.healthy, health(thrown)!.healthy, health(both)!.healthy], [true, false, true]);

        const failing = Date.now();
        status = 503;
        await until("the endpoint is unhealthy", 10_000, () => health(endpoint)!.healthy === false);
        assert.ok(Date.now() - failing >= 2 * 200, "three answers are needed, 10 s / 50 apart");
        assert.equal(health(both)!.healthy, false);
        // Neither is healthy: the primary is answered, so nothing has moved before the latch is thrown.
        await leadsTo("127.0.0.1");

        await metric(0);
        await new Promise((resolve) => setTimeout(resolve, 1100));
        await metric(1);
        await until("the latch is seen", 10_000, () => health(thrown)!.healthy);
        await leadsTo("127.0.0.2");
        status = 200;
        await until("the endpoint is healthy again", 10_000, () => health(endpoint)!.healthy);
        assert.equal(health(both)!.healthy, false);
        await leadsTo("127.0.0.2");

        const listed = (await callControl(join(directory, "dns.sock"), "GET", "/health")) as {
            id: string;
            type: string;
            name: string;
            changes: { at: string; healthy: boolean }[];
        }[];
        const { type, name, changes } = listed.find((each) => each.id === endpoint)!;
        assert.deepEqual([type, name, changes.map(({ healthy }) => healthy)], ["HTTPS", "site.us-east-1.orders.example", [false, true]]);
    });

    it("takes a check of a kind that it does not have for failed, and says so", async () => {
        const id = await check({ Type: "TCP", IPAddress: "127.0.0.1", Port: 1, RequestInterval: 10, FailureThreshold: 1 });
        await until("it has failed", 5000, () => health(id)?.healthy === false);
        assert.match(health(id)!.last!, /beyond the sandbox/);
    });

    it("keeps a list of who asked what", async () => {
        await short("asked.orders.example");
        const queries = (await callControl(join(directory, "dns.sock"), "GET", "/queries")) as {
            name: string;
            source: string;
            who: string;
            rcode: string;
        }[];
        const { source, who, rcode } = queries.findLast((query) => query.name === "asked.orders.example")!;
        assert.deepEqual([source, who, rcode], ["127.0.0.1", "sandbox", "NXDOMAIN"]);
    });
});
