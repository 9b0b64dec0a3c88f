import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { evidence as schema, type Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { exitCodes } from "../../model/failure.ts";
import { sums, total } from "../../sandbox/rehearsal/clock.ts";
import { inspectDump } from "../../sandbox/rehearsal/own-data/dump.ts";
import { loadDump } from "../../sandbox/rehearsal/own-data/own-data.ts";
import { report } from "../../sandbox/rehearsal/report.ts";
import { estate } from "../../stacks/estate.ts";
import { lifeboat, type Ended } from "../support/cli.ts";
import { assertNoDrift, records, rehearsed, source } from "./support.ts";

const status = () =>
    execFileSync("git", ["-C", source, "status", "--porcelain", "Pulumi.dr.yaml", "Pulumi.prod.yaml", "stacks"], { encoding: "utf8" });

const dump = `-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB
CREATE TABLE \`people\` (\`id\` int NOT NULL PRIMARY KEY, \`name\` varchar(40), \`photo\` blob) ENGINE=InnoDB;
INSERT INTO \`people\` VALUES (1,'Zoë O\\'Brien 🚤',0x00ff),(2,NULL,NULL);
CREATE TABLE \`nobody\` (\`id\` int) ENGINE=InnoDB;
-- Dump completed
`;
/** A dump that nothing is wrong with until a server reads it. */
const broken = dump.replaceAll("people", "others").replace("VALUES (1", "VALUE S (1");

describe("a rehearsal of the loss of a region", function () {
    this.timeout(420_000);
    let found: Evidence;
    let path: string;
    let checkout: string;
    let epoch: unknown;
    let second: Ended;
    let drift: Error | undefined;
    let driftAfter: Error | undefined;
    let refused: Error | undefined;
    let directory: string;
    const put = (name: string, content: string | Buffer) => {
        writeFileSync(join(directory, name), content);
        return inspectDump(join(directory, name), estate);
    };

    before(async () => {
        checkout = status();
        directory = mkdtempSync(join(tmpdir(), "lifeboat-own-data-"));
        ({ evidence: found, path } = await rehearsed("green", 1, {
            dump: await put("mine.sql.gz", gzipSync(dump)),
            sabotage: async (phase, sandbox) => {
                if (phase !== "customers") return;
                refused = await loadDump(sandbox, await put("broken.sql", broken)).then(
                    () => undefined,
                    (error: Error) => error,
                );
                try {
                    await Promise.all([assertNoDrift(sandbox, "dr"), assertNoDrift(sandbox, "prod")]);
                } catch (error) {
                    drift = error as Error;
                }
            },
            afterwards: async (sandbox) => {
                second = await lifeboat(["rehearse", "region-loss", "--name", sandbox.name]);
                epoch = (await records(sandbox, "epoch.json"))["epoch.json"];
                try {
                    await assertNoDrift(sandbox, "dr");
                } catch (error) {
                    driftAfter = error as Error;
                }
            },
        }));
    });

    after(() => rmSync(directory, { recursive: true, force: true }));

    it("passes, with every objective held", () => {
        assert.deepEqual([found.verdict, found.reasons], ["PASS", []]);
        assert.deepEqual([found.rto.verdict, found.rpo.verdict], ["PASS", "PASS"]);
    });
    it("writes the evidence that it returns", () => {
        assert.deepEqual(schema.parse(JSON.parse(readFileSync(path, "utf8"))), found);
    });
    it("adds the recovery time up from its clock, kind by kind", () => {
        const { measuredSeconds, scaledSeconds, modelledSeconds, declaredSeconds, totalSeconds } = found.rto;
        assert.deepEqual({ measuredSeconds, scaledSeconds, modelledSeconds, declaredSeconds }, sums(found.clock));
        assert.equal(totalSeconds, total(sums(found.clock)));
        assert.equal(declaredSeconds, 300);
        for (const name of ["detect", "decide", "claim", "fence", "promote", "scale", "verify", "latch", "dns", "answer"])
            assert.ok(found.clock[name], `the clock has ${name}`);
    });
    it("finds every acknowledged order in both databases, or says which are lost", () => {
        const { acknowledged, survived, lost, lostAfterTheLoss, unknown } = found.orders;
        assert.ok(acknowledged > 100, `${acknowledged} orders`);
        assert.equal(survived + lost, acknowledged);
        assert.deepEqual([lostAfterTheLoss, unknown], [0, 0]);
    });
    it("activates with no call to the lost region and none to a global control plane", () => {
        assert.ok(found.calls.total > 10, `${found.calls.total} calls`);
        assert.deepEqual([found.calls.deadRegion, found.calls.globalControlPlane], [0, 0]);
    });
    it("sees that others did try the lost region", () => {
        assert.ok((found.otherCalls.by["customers"]?.deadRegion ?? 0) > 0, JSON.stringify(found.otherCalls));
        assert.ok((found.otherCalls.by["checkers"]?.deadRegion ?? 0) > 0, JSON.stringify(found.otherCalls));
    });
    it("has verified and restored the newest recovery point of each store", () => {
        assert.deepEqual(
            found.recoveryPoints.map(({ store, verified, restored, verdict }) => [store, verified, restored, verdict]),
            [
                ["orders-mysql", true, true, "PASS"],
                ["orders-postgres", true, true, "PASS"],
            ],
        );
        for (const { promisedOrders, restoredOrders } of found.recoveryPoints)
            assert.ok(restoredOrders! >= promisedOrders! && promisedOrders! > 0);
    });
    it("brings a user's own data through, every table of it", () => {
        assert.deepEqual(
            found.ownData?.tables.map(({ name, loaded, same }) => [name, loaded.rows, same]),
            [
                ["nobody", 0, true],
                ["people", 2, true],
            ],
        );
    });
    it("tells the server's own words of SQL that it refuses", () => {
        assert.match(refused!.message, /broken\.sql was not loaded: orders-mysql refuses it: ERROR 1064 .* at line 3/);
    });
    it("leaves the standby active in the epoch record", () => {
        const { epoch: number, active } = epoch as { epoch: number; active: string };
        assert.deepEqual([number, active], [2, "standby"]);
    });
    it("is reported with measured, scaled, modelled and declared apart", () => {
        const text = report(found, path);
        assert.match(text, /^RTO .*: PASS$/m);
        assert.match(text, /measured +scaled +modelled +declared/);
    });
    it("has stacks without drift after up", () => assert.ifError(drift));
    it("has no drift in the living stack after the activation", () => assert.ifError(driftAfter));
    it("lets no other rehearsal of its name begin beside it", () => {
        assert.equal(second.code, exitCodes.refused, second.stderr);
        assert.match(second.stderr, /sandbox test-green is in use: what started it.*\n {2}next: choose another --name, or wait/);
    });
    it("leaves the checkout as it was", () => assert.equal(status(), checkout));
});
