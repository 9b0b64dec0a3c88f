import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { Failure } from "../../model/failure.ts";
import { coordination, witness } from "../../model/names.ts";
import { judgeReadiness } from "../../model/readiness.ts";
import { coordinationBucket } from "../../recovery/conditional-bucket.ts";
import { gatherFacts, type Sources } from "../../recovery/facts.ts";
import type { Guard } from "../../recovery/guard.ts";
import { openJournal } from "../../recovery/journal/journal.ts";
import { httpsStatus } from "../../recovery/steps/verify.ts";
import type { LogRecord } from "../../model/log-record.ts";
import { manifestOf, recoveryPointOf } from "../support/points.ts";
import { bucketInMemory } from "./bucket.ts";
import { estate, from, opened } from "./doubles.ts";

const never = () => new Promise<never>(() => undefined);
const guardSaying = (status: Guard["status"]): Guard => ({
    promote: () => assert.fail("nothing is promoted"),
    rejoin: () => assert.fail("nothing rejoins"),
    status,
});
const calm = (): Sources => ({
    estate,
    bucket: bucketInMemory(
        new Map([
            [coordination.epoch, JSON.stringify(from)],
            [coordination.latch, JSON.stringify({ thrown: false, epoch: 1, at: from.at })],
            [coordination.published("standby"), "{}"],
            [coordination.published("primary"), "{}"],
        ]),
    ),
    witness: bucketInMemory(new Map([[witness.fence, JSON.stringify(from)]])),
    guard: (site) => guardSaying(() => Promise.resolve(site === "primary" ? { role: "writable" } : { role: "replica", lagSeconds: 0.5 })),
    newestPoint: () => Promise.resolve(undefined),
    log: () => Promise.resolve(undefined),
    status: (url) => (url.includes("eu-west-1") ? Promise.resolve(200) : Promise.reject(new Error("connect ECONNREFUSED"))),
});

describe("the gathering of facts", () => {
    it("asks bucket, both clusters, both services and the catalog, and changes nothing", async () => {
        const sources = calm();
        const facts = await gatherFacts(sources);
        assert.deepEqual(facts.databases.standby["ledger"], { value: { role: "replica", lagSeconds: 0.5 } });
        assert.deepEqual(facts.databases.primary["people"], { value: { role: "writable", lagSeconds: null } });
        assert.deepEqual(facts.services.primary["till"], { value: 200 });
        assert.ok("none" in (facts.services.standby["till"] ?? assert.fail()));
        assert.deepEqual(facts.points, { ledger: { value: undefined }, people: { value: undefined } });
        assert.equal(judgeReadiness(estate, facts).failover, "yes");
        assert.equal((sources.bucket as ReturnType<typeof bucketInMemory>).objects.size, 4);
    });

    it("tells what is wrong with the log that goes on from the newest point", async () => {
        const point = recoveryPointOf(manifestOf("20261121T154010Z-9f3c", { log: { history: "h", file: "binlog.000001", offset: 4 } }));
        const since = "2026-11-21T15:41:00.000Z";
        const read = {
            version: 1,
            store: "ledger",
            history: "h",
            site: "primary",
            read: "standby",
            at: since,
            from: "binlog.000001",
        } as const;
        const told = async (manifest: typeof point.manifest, record?: LogRecord) => {
            const newestPoint = () => Promise.resolve({ ...point, manifest });
            const { points } = await gatherFacts({ ...calm(), newestPoint, log: () => Promise.resolve(record) });
            const found = points["ledger"];
            return found && "value" in found ? found.value?.logTrouble : assert.fail(JSON.stringify(found));
        };
        assert.equal(await told(point.manifest, read), undefined);
        assert.equal(await told(point.manifest), undefined);
        assert.equal(
            await told(point.manifest, { ...read, gap: { why: "binlog.000002 is missing", since } }),
            `has a gap since ${since}: binlog.000002 is missing`,
        );
        assert.equal(await told(point.manifest, { ...read, damaged: { why: "a piece", since } }), "is damaged: a piece");
        const { log, ...alone } = point.manifest;
        assert.equal(log?.history, "h");
        assert.equal(await told(alone), "does not go on from its newest point");
    });

    it("tells of an activation that has not ended, and who runs it", async () => {
        const sources = calm();
        await openJournal(sources.bucket, "20261121T154010Z-9f3c", opened, { by: "bert@desk", host: "desk", pid: 7 });
        const { unfinished } = await gatherFacts(sources);
        assert.ok("value" in unfinished && unfinished.value?.by === "bert@desk" && !unfinished.value.left);
    });

    it("says of a machine without a cluster's context what to type, and goes on with the rest", async () => {
        const guard = () => {
            throw new Failure("prerequisite", "the kubeconfig has no context named standby", "aws eks update-kubeconfig");
        };
        const facts = await gatherFacts({ ...calm(), guard });
        assert.deepEqual(facts.databases.standby["ledger"], {
            none: "the kubeconfig has no context named standby",
            next: "aws eks update-kubeconfig",
        });
        assert.ok("value" in facts.epoch);
        const { failover, obstacles } = judgeReadiness(estate, facts);
        assert.deepEqual([failover, obstacles[0]?.next], ["no", "aws eks update-kubeconfig"]);
    });

    it("asks the standby alone where that is what is wanted: an activation calls no lost region", async () => {
        const asked: string[] = [];
        const sources = calm();
        const facts = await gatherFacts(
            {
                ...sources,
                guard: (site) => (asked.push(site), sources.guard(site)),
                status: (url) => (asked.push(url), Promise.resolve(200)),
            },
            { sites: ["standby"] },
        );
        assert.deepEqual([...new Set(asked)], ["standby", "https://till.eu-central-1.shop.example/health"]);
        assert.deepEqual(facts.databases.primary, {});
        assert.equal(judgeReadiness(estate, facts).failover, "yes");
    });
});

describe("the gathering of facts from the dead", function () {
    this.timeout(20_000);
    let hole: Server;
    const sockets = new Set<Socket>();
    /** Takes connections and says nothing: what a region is like whose packets are dropped. */
    beforeEach(async () => {
        hole = createServer((socket) => void sockets.add(socket)).listen(0, "127.0.0.1");
        await once(hole, "listening");
    });
    afterEach(() => {
        for (const socket of sockets) socket.destroy();
        hole.close();
    });

    it("is done within its limit, and each question says that it had no answer", async () => {
        const { port } = hole.address() as AddressInfo;
        const credentials = { accessKeyId: "any", secretAccessKey: "any" };
        const s3 = new S3Client({ region: "eu-central-1", endpoint: `http://127.0.0.1:${port}`, credentials, forcePathStyle: true });
        const began = performance.now();
        const facts = await gatherFacts(
            {
                estate,
                bucket: coordinationBucket(s3, "any"),
                witness: coordinationBucket(s3, "witness"),
                guard: () => guardSaying(never),
                newestPoint: never,
                log: never,
                status: (_, signal) => httpsStatus(`https://127.0.0.1:${port}/`, signal),
            },
            { limit: 400 },
        );
        const took = performance.now() - began;
        s3.destroy();
        assert.ok(took < 1500, `${took} ms`);
        const answers = [facts.epoch, facts.latch, facts.witness, facts.unfinished, ...Object.values(facts.built)];
        const more = [...Object.values(facts.databases), ...Object.values(facts.services), facts.points].flatMap((each) =>
            Object.values(each),
        );
        assert.equal(answers.length + more.length, 14);
        for (const answer of [...answers, ...more]) assert.ok("none" in answer, JSON.stringify(answer));
        assert.match("none" in facts.epoch ? facts.epoch.none : "", /no answer within 0.4 s/);
        assert.equal(judgeReadiness(estate, facts).failover, "no");
    });

    it("with the primary alone dead still answers for the standby", async () => {
        const sources = calm();
        const facts = await gatherFacts(
            {
                ...sources,
                guard: (site) => (site === "primary" ? guardSaying(never) : sources.guard(site)),
                status: (url, signal) => (url.includes("eu-west-1") ? never() : httpsStatus(url, signal)),
            },
            { limit: 400 },
        );
        assert.ok("none" in (facts.databases.primary["ledger"] ?? assert.fail()));
        assert.equal(judgeReadiness(estate, facts).failover, "yes");
    });
});
