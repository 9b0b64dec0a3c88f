import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GetObjectCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { coordination, names, witness } from "../../../model/names.ts";
import { scenarios } from "../../../model/runbook.ts";
import { coordinationBucket } from "../../../recovery/conditional-bucket.ts";
import { openJournal } from "../../../recovery/journal/journal.ts";
import { estate } from "../../../stacks/estate.ts";
import { startAccount, type Account } from "../../recovery/account.ts";
import { from, opened } from "../../recovery/doubles.ts";
import { lifeboat, repository, startCommand } from "../../support/cli.ts";

const number = "123456789012";
const activation = "29991121T154010Z-9f3c";

describe("an operator at a machine that reaches the account and no cluster", function () {
    this.timeout(60_000);
    let account: Account;
    const folder = mkdtempSync(join(tmpdir(), "lifeboat-operator-"));
    const kubeconfig = join(folder, "kubeconfig");
    const bucketName = names(estate, number).coordinationBucket;
    const run = (...line: string[]) => lifeboat(line, { env: { ...account.env, LIFEBOAT_ACCOUNT: number, KUBECONFIG: kubeconfig } });
    const objects = async () => (await account.s3.send(new ListObjectVersionsCommand({ Bucket: bucketName }))).Versions?.length ?? 0;

    before(async () => {
        writeFileSync(kubeconfig, JSON.stringify({ apiVersion: "v1", kind: "Config", clusters: [], contexts: [], users: [] }));
        account = await startAccount();
    });
    after(async () => {
        rmSync(folder, { recursive: true });
        await account.stop();
    });

    it("is told before bootstrap to run it, whatever is asked", async () => {
        for (const line of [["runbook", "--publish"], ["journal"], ["activate", "--abort"], ["activate", "--resume"], ["epoch"]]) {
            const { code, stderr } = await run(...line);
            if (line[0] === "activate") assert.match(stderr, /no context named standby/);
            else assert.match(stderr, /next: run `lifeboat bootstrap`/, line.join(" "));
            assert.equal(code, 3, line.join(" "));
        }
        const { code, stdout } = await run("status");
        assert.equal(code, 1);
        assert.match(stdout, /nobody can say which site is active[\s\S]*next: run `lifeboat bootstrap`$/m);
    });

    it("sees the truth of the epoch, what stands in the way, and changes nothing", async () => {
        await account.makeBucket(bucketName);
        const bucket = coordinationBucket(account.s3, bucketName);
        await bucket.create(coordination.epoch, JSON.stringify(from));
        await bucket.create(coordination.published("standby"), "{}");
        await account.makeBucket(names(estate, number).witnessBucket);
        await coordinationBucket(account.s3, names(estate, number).witnessBucket).create(witness.fence, JSON.stringify(from));
        const { code, stdout } = await run("status", "--json");
        assert.equal(code, 1);
        const { readiness } = JSON.parse(stdout) as {
            readiness: { active: string; failover: string; obstacles: { what: string; next: string }[] };
        };
        assert.deepEqual([readiness.active, readiness.failover], ["primary", "no"]);
        assert.deepEqual(readiness.obstacles, [{ what: "the primary was never brought up", next: "pulumi up -s prod && pulumi up -s dr" }]);
        for (const line of [
            ["activate", "--yes"],
            ["activate", "--resume"],
        ]) {
            const ended = await run(...line);
            assert.equal(ended.code, 3);
            assert.match(ended.stderr, /the kubeconfig has no context named standby\n {2}next: aws eks update-kubeconfig/);
        }
        for (const broken of ["/dev/null", join(folder, "none")]) {
            const ended = await lifeboat(["activate", "--yes"], {
                env: { ...account.env, LIFEBOAT_ACCOUNT: number, KUBECONFIG: broken },
            });
            assert.deepEqual([ended.code, /next: (mend it|aws eks update)/.test(ended.stderr)], [3, true], ended.stderr);
        }
        assert.match((await run("journal")).stderr, /there was no activation yet/);
        assert.equal(await objects(), 2);
    });

    it("publishes every runbook in both forms, as what they are, and reads them back", async () => {
        const { code, stdout, stderr } = await run("runbook", "--publish", "--json");
        assert.equal(code, 0, stderr);
        const { runbooks, written } = JSON.parse(stdout) as { runbooks: { scenario: string; fingerprint: string }[]; written: string[] };
        assert.deepEqual(
            runbooks.map(({ scenario }) => scenario),
            scenarios,
        );
        assert.equal(written.length, runbooks.length * 2);
        for (const { scenario, fingerprint } of runbooks) {
            const page = await account.s3.send(new GetObjectCommand({ Bucket: bucketName, Key: coordination.runbook(`${scenario}.html`) }));
            assert.equal(page.ContentType, "text/html; charset=utf-8");
            const text = (await page.Body?.transformToString()) ?? "";
            assert.ok(text.includes(fingerprint) && text.includes(`-lifeboat-coordination-${number}/`), scenario);
        }
    });

    it("stops an activation with Ctrl-C, is told once where it stands, and finds it in the status", async () => {
        const cluster = createServer().listen(0, "127.0.0.1"); // takes connections and says nothing
        await once(cluster, "listening");
        const server = `https://127.0.0.1:${(cluster.address() as AddressInfo).port}`;
        const silent = join(folder, "silent");
        const [name, user] = ["standby", "any"];
        writeFileSync(
            silent,
            JSON.stringify({
                apiVersion: "v1",
                kind: "Config",
                clusters: [{ name, cluster: { server } }],
                users: [{ name: user, user: {} }],
                contexts: [{ name, context: { cluster: name, user } }],
            }),
        );
        const env = { ...account.env, LIFEBOAT_ACCOUNT: number, KUBECONFIG: silent };
        const main = join(repository, "scripts/main.ts");
        const started = startCommand([process.execPath, main, "activate", "--yes", "--reason", "a drill"], { env, cwd: repository });
        while (!/promote:.*writable, in place/.test(started.said())) {
            assert.equal(started.child.exitCode, null, started.said());
            await sleep(20);
        }
        started.child.kill("SIGINT");
        const { code, stderr } = await started.ended;
        cluster.close();
        assert.equal(code, 130, stderr);
        assert.equal(stderr.split("is not finished: stopped (done: claim, fence; past the point of no return").length, 2, stderr);
        assert.match(stderr, /next: run `lifeboat activate --resume`, here or on another machine\n$/);
        const { stdout } = await run("status");
        assert.match(stdout, /was left unfinished: [\s\S]* next: lifeboat activate --resume$/m);
        const aborted = await lifeboat(["activate", "--abort"], { env });
        assert.equal(aborted.code, 4);
        assert.match(aborted.stderr, /is past the point of no return \(promote:/);
    });

    it("gets the journal as text; another estate's journal is refused, and one that is not there is named", async () => {
        const bucket = coordinationBucket(account.s3, bucketName);
        const journal = await openJournal(bucket, activation, { ...opened, estate: estate.name, reason: "a drill" });
        await journal.append({ kind: "closed", outcome: "undone" });
        const { code, stdout } = await run("journal");
        assert.equal(code, 0);
        assert.match(stdout, /^activation 29991121T154010Z-9f3c of orders .*\n[\s\S]*closed: undone\n$/);
        assert.equal((await run("journal", "--list")).stdout.split("\n")[0], activation);
        assert.equal((await run("journal", "20261121T154010Z-0000")).code, 2);
        await openJournal(bucket, "29991121T164010Z-9f3c", opened);
        const foreign = await run("journal");
        assert.equal(foreign.code, 4);
        assert.match(foreign.stderr, /is of the estate shop, and this one is orders/);
    });
});
