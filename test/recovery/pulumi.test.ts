import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import {
    GetBucketEncryptionCommand,
    GetBucketPolicyCommand,
    GetBucketVersioningCommand,
    GetObjectCommand,
    PutObjectCommand,
} from "@aws-sdk/client-s3";
import { execa } from "execa";
import { names } from "../../model/names.ts";
import type { Bootstrapped } from "../../recovery/bootstrap.ts";
import { promotionTargets } from "../../recovery/steps/scale.ts";
import { tools } from "../../sandbox/tools.ts";
import { estate } from "../../stacks/estate.ts";
import { startAccount, type Account } from "./account.ts";

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const number = "123456789012";
const name = names(estate, number);

describe("bootstrap, by the command and the real engine", function () {
    this.timeout(240_000);
    let account: Account;
    let directory: string;
    let env: Record<string, string>;
    let first: Bootstrapped;

    const lifeboat = async (...args: string[]) => {
        const { stdout } = await execa(process.execPath, [file("scripts/main.ts"), ...args, "--json"], { cwd: directory, env });
        return JSON.parse(stdout) as unknown;
    };
    const scale = async () =>
        execa(process.execPath, [file("test/recovery/scale-once.ts"), directory], { cwd: directory, env, reject: false });
    const pulumi = async (...args: string[]) =>
        (await execa("pulumi", [...args, "--non-interactive"], { cwd: directory, env: { ...env, PULUMI_BACKEND_URL: first.backend } }))
            .stdout;

    before(async () => {
        account = await startAccount();
        directory = mkdtempSync(join(tmpdir(), "lifeboat-bootstrap-"));
        cpSync(file("Pulumi.yaml"), join(directory, "Pulumi.yaml"));
        writeFileSync(join(directory, "Pulumi.dr.yaml"), "# what people wrote stays\nconfig:\n    lifeboat:site: standby\n");
        env = {
            ...account.env,
            LIFEBOAT_ACCOUNT: number,
            PULUMI_HOME: join(directory, "home"),
            PATH: [dirname(process.execPath), dirname(tools.pulumi), process.env["PATH"] ?? ""].join(delimiter),
        };
        first = (await lifeboat("bootstrap")) as Bootstrapped;
    });
    after(async () => {
        await account.stop();
        rmSync(directory, { recursive: true, force: true });
    });

    it("makes everything the first time and nothing the second", async () => {
        assert.ok(
            first.foundations.every(({ made }) => made),
            JSON.stringify(first.foundations),
        );
        assert.deepEqual(
            first.foundations.map(({ kind }) => kind),
            [
                "key",
                "bucket",
                "key",
                "bucket",
                "role",
                "bucket",
                "bucket",
                "bucket",
                "role",
                "record",
                "record",
                "record",
                "stack",
                "stack",
            ],
        );
        const second = (await lifeboat("bootstrap")) as Bootstrapped;
        assert.deepEqual(second, { ...first, foundations: first.foundations.map((each) => ({ ...each, made: false })) });
    });

    it("makes buckets that keep versions, encrypt and refuse plain HTTP", async () => {
        for (const Bucket of [name.stateBucket, name.coordinationBucket]) {
            assert.equal((await account.s3.send(new GetBucketVersioningCommand({ Bucket }))).Status, "Enabled");
            const { Policy = "{}" } = await account.s3.send(new GetBucketPolicyCommand({ Bucket }));
            assert.match(Policy, /"aws:SecureTransport":\s*"false"/);
        }
        const { ServerSideEncryptionConfiguration } = await account.s3.send(new GetBucketEncryptionCommand({ Bucket: name.stateBucket }));
        const [rule] = ServerSideEncryptionConfiguration?.Rules ?? [];
        assert.match(rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID ?? "", /:key\/mrk-/, "the state's key is multi-region");
    });

    it("writes the first epoch and a latch that is not thrown, and the commands show them", async () => {
        const epoch = (await lifeboat("epoch")) as { epoch: number; active: string };
        assert.deepEqual([epoch.epoch, epoch.active], [1, "primary"]);
        assert.equal(((await lifeboat("latch")) as { thrown: boolean }).thrown, false);
        assert.equal(((await lifeboat("latch", "publish")) as { published: number }).published, 0);
    });

    it("keeps what a stack file has, and puts back a data key that a fresh clone lacks", async () => {
        const path = join(directory, "Pulumi.dr.yaml");
        const whole = readFileSync(path, "utf8");
        assert.match(whole, /# what people wrote stays/);
        assert.match(whole, /^encryptedkey: /m);
        writeFileSync(path, "# a clone's\nconfig:\n    lifeboat:site: standby\n");
        await lifeboat("bootstrap");
        const mended = readFileSync(path, "utf8");
        assert.match(mended, /# a clone's/);
        const key = (text: string) => /^encryptedkey: (.+)$/m.exec(text)?.[1];
        assert.equal(key(mended), key(whole));
    });

    it("leaves a scale-up that cancels a dead update's lock and drops what it left pending, and refuses a stack with nothing to scale", async () => {
        // As a killed `pulumi up` leaves them; `stack import` would drop the operation.
        const stateKey = ".pulumi/stacks/lifeboat/dr.json";
        const stored = await account.s3.send(new GetObjectCommand({ Bucket: name.stateBucket, Key: stateKey }));
        const state = JSON.parse((await stored.Body?.transformToString()) ?? "") as { checkpoint: { latest: Record<string, unknown> } };
        const urn = "urn:pulumi:dr::lifeboat::pulumi:pulumi:Stack::lifeboat-dr";
        const resource = { urn, type: "pulumi:pulumi:Stack", custom: false };
        state.checkpoint.latest["resources"] = [resource];
        state.checkpoint.latest["pending_operations"] = [
            { resource: { ...resource, urn: urn.replace("lifeboat-dr", "half-made") }, type: "creating" },
        ];
        await account.s3.send(new PutObjectCommand({ Bucket: name.stateBucket, Key: stateKey, Body: JSON.stringify(state) }));
        const Key = ".pulumi/locks/organization/lifeboat/dr/6f9619ff-8b86-d011-b42d-00c04fc964ff.json";
        const Body = JSON.stringify({ pid: 1, username: "bert", hostname: "desk", timestamp: "2026-11-21T15:40:10Z" });
        await account.s3.send(new PutObjectCommand({ Bucket: name.stateBucket, Key, Body }));
        // One that was cut off while it was written is a lock all the same.
        await account.s3.send(new PutObjectCommand({ Bucket: name.stateBucket, Key: Key.replace("/6f", "/0f"), Body: "{" }));

        const { stdout, stderr } = await scale();
        assert.match(stdout, /its lock is cancelled/, stderr);
        assert.match(stdout, /what a dead update left pending is dropped: half-made/);
        assert.match(stdout, /refused: the stack dr has nothing that a promotion could scale/);
        const after = JSON.parse(await pulumi("stack", "export", "-s", "dr")) as { deployment: Record<string, unknown> };
        assert.equal(after.deployment["pending_operations"], undefined);
        const again = await scale();
        assert.doesNotMatch(again.stdout, /cancelled|dropped/);
    });
});

describe("what a promotion aims at", () => {
    it("is Deployments, CronJobs and auto-scaling groups, and never a copy that is to be deleted", () => {
        const of = (type: string, more: object = {}) => ({ urn: `urn:pulumi:dr::lifeboat::${type}::x`, type, ...more });
        const state = {
            version: 3,
            deployment: {
                resources: [
                    of("kubernetes:apps/v1:Deployment"),
                    of("kubernetes:apps/v1:Deployment", { delete: true }),
                    of("kubernetes:apps/v1:StatefulSet"),
                    of("kubernetes:batch/v1:CronJob"),
                    of("aws:autoscaling/group:Group"),
                    of("aws:iam/role:Role"),
                    of("aws:route53/record:Record"),
                ],
                pending_operations: [],
            },
        };
        assert.deepEqual(
            promotionTargets(state).map((urn) => urn.split("::")[2]),
            ["kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:CronJob", "aws:autoscaling/group:Group"],
        );
    });
});

describe("a command on the leash", function () {
    this.timeout(60_000);
    const isAlive = (pid: number) => existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    const until = async (what: () => boolean) => {
        for (const deadline = Date.now() + 30_000; !what(); await sleep(50)) assert.ok(Date.now() < deadline, what.toString());
    };

    it("dies with all that it started when its holder is killed, though it ignores polite signals", async () => {
        const folder = mkdtempSync(join(tmpdir(), "lifeboat-leash-"));
        try {
            const pids = join(folder, "pids");
            // A child in a session of its own, as the engine's plugins are.
            const script = `trap '' TERM INT HUP; setsid sh -c 'echo $$ >> ${pids}; sleep 600' & echo $$ >> ${pids}; wait; sleep 600`;
            const holder = `require("node:child_process").spawn(process.execPath, [${JSON.stringify(file("recovery/leash.ts"))}, "sh", "-c", ${JSON.stringify(script)}], { stdio: ["pipe", "inherit", "inherit"] }); setInterval(() => {}, 1000)`;
            const child = spawn(process.execPath, ["-e", holder], { stdio: "ignore" });
            const read = () => (existsSync(pids) ? readFileSync(pids, "utf8").trim().split("\n").map(Number) : []);
            await until(() => read().length === 2);
            assert.ok(read().every(isAlive));
            child.kill("SIGKILL");
            await once(child, "exit");
            await until(() => read().every((pid) => !isAlive(pid)));
        } finally {
            rmSync(folder, { recursive: true, force: true });
        }
    });

    it("passes on how the command ended", async () => {
        const run = (...command: string[]) =>
            execa(process.execPath, [file("recovery/leash.ts"), ...command], { stdin: "pipe", reject: false });
        const asked = run("sh", "-c", "echo told; exit 7");
        assert.equal((await asked).exitCode, 7);
        assert.equal((await asked).stdout, "told");
        assert.equal((await run("no-such-command")).exitCode, 127);
    });
});
