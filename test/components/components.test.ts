import { kindOf } from "../../stores/registry.ts";
import assert from "node:assert/strict";
import { BackupSchedule } from "../../components/backup-schedule.ts";
import { BackupVault } from "../../components/backup-vault.ts";
import { EncryptionKey } from "../../components/encryption-key.ts";
import { FailoverRecord } from "../../components/failover-record.ts";
import { loadBalancerName } from "../../components/load-balancer-name.ts";
import { PilotLight } from "../../components/pilot-light.ts";
import { Published } from "../../components/published.ts";
import { StorePasswords } from "../../components/store-passwords.ts";
import { Workload } from "../../components/workload.ts";
import { seconds } from "../../model/units.ts";
import { estate } from "../stacks/stand.ts";
import { account, outputsOf, record, unwrapSecret } from "../support/program.ts";

const day = 86_400;

describe("EncryptionKey", function () {
    this.timeout(60_000);

    const args = { alias: "alias/k", description: "d", users: { account, encrypt: ["writer"], decrypt: ["reader"] } };

    it("is born multi-region, rotated and protected, under its alias", async () => {
        const { one } = await record({}, () => new EncryptionKey("k", args));
        const key = one("aws:kms/key:Key", "k");
        assert.equal(key.inputs["multiRegion"], true);
        assert.equal(key.inputs["enableKeyRotation"], true);
        assert.equal(key.options.protect, true);
        assert.deepEqual(
            [one("aws:kms/alias:Alias").inputs["name"], one("aws:kms/alias:Alias").inputs["targetKeyId"]],
            ["alias/k", "mrk-k"],
        );
    });
    it("is a replica where its origin is given", async () => {
        const { one, all } = await record({}, () => new EncryptionKey("k", { ...args, replicaOf: "arn:aws:kms:us-west-2:1:key/mrk-1" }));
        assert.deepEqual(all("aws:kms/key:Key"), []);
        assert.equal(one("aws:kms/replicaKey:ReplicaKey").inputs["primaryKeyArn"], "arn:aws:kms:us-west-2:1:key/mrk-1");
        assert.equal(one("aws:kms/replicaKey:ReplicaKey").options.protect, true);
    });
    it("can be changed underneath, by arguments or by a function", async () => {
        const changed = await record(
            {},
            () =>
                new EncryptionKey("k", {
                    ...args,
                    transform: {
                        key: { deletionWindowInDays: 7 },
                        alias: (alias, options) => {
                            alias.name = "alias/other";
                            options.protect = true;
                        },
                    },
                }),
        );
        assert.equal(changed.one("aws:kms/key:Key").inputs["deletionWindowInDays"], 7);
        assert.equal(changed.one("aws:kms/alias:Alias").inputs["name"], "alias/other");
        assert.equal(changed.one("aws:kms/alias:Alias").options.protect, true);
    });
});

describe("BackupVault", function () {
    this.timeout(60_000);

    const args = {
        bucket: "vault",
        logBucket: "logs",
        account,
        keyArn: "arn:here",
        stores: { a: { lock: seconds(day), coldAfter: seconds(30 * day) }, b: { lock: seconds(3 * day), coldAfter: seconds(60 * day) } },
    };
    const s3 = (kind: string) => `aws:s3/${kind[0]!.toLowerCase()}${kind.slice(1)}:${kind}`;

    it("is locked from birth, for the longest that a store asks for", async () => {
        const { one } = await record({}, () => new BackupVault("v", args));
        assert.equal(one(s3("Bucket"), "v-bucket").inputs["objectLockEnabled"], true);
        assert.deepEqual(one(s3("BucketObjectLockConfiguration")).inputs["rule"], { defaultRetention: { mode: "COMPLIANCE", days: 3 } });
    });
    it("stays, with all its settings, when the stack goes; its buckets cannot go by accident", async () => {
        const { resources } = await record({}, () => new BackupVault("v", args));
        for (const { type, name, options } of resources.filter((resource) => resource.type.startsWith("aws:s3/"))) {
            assert.equal(options.retainOnDelete, true, name);
            if (type === s3("Bucket")) assert.equal(options.protect, true, name);
        }
    });
    it("logs to a bucket without lock, under S3's own key", async () => {
        const { one } = await record({}, () => new BackupVault("v", args));
        assert.equal(one(s3("Bucket"), "v-log").inputs["objectLockEnabled"], undefined);
        assert.match(JSON.stringify(one(s3("BucketServerSideEncryptionConfiguration"), "v-log-encryption").inputs), /AES256/);
        assert.equal(one(s3("BucketLogging")).inputs["targetBucket"], "logs");
    });
    it("is copied only where there is somewhere to copy to", async () => {
        const alone = await record({}, () => new BackupVault("v", args));
        assert.deepEqual(alone.all(s3("BucketReplicationConfig")), []);
        const copied = await record(
            {},
            () => new BackupVault("v", { ...args, replicateTo: { bucket: "there", keyArn: "arn:there", role: "copier" } }),
        );
        const { inputs } = copied.one(s3("BucketReplicationConfig"));
        assert.equal(inputs["role"], `arn:aws:iam::${account}:role/copier`);
        assert.match(JSON.stringify(inputs["rules"]), /"bucket":"arn:aws:s3:::there".*"replicaKmsKeyId":"arn:there"/);
    });
});

describe("FailoverRecord", function () {
    this.timeout(60_000);

    const args = {
        zoneId: "Z",
        host: "shop.example",
        primaryHost: "shop.us-east-1.example",
        standbyHost: "shop.us-west-2.example",
        traffic: estate.traffic,
        healthPath: "/health",
        latch: { heldCheckId: "held", thrownCheckId: "thrown" },
    };
    const recordType = "aws:route53/record:Record";

    it("answers SECONDARY only by the thrown latch, before and after the primary has joined", async () => {
        for (const joined of [false, true]) {
            const { one } = await record({}, () => new FailoverRecord("f", { ...args, joined }));
            const { inputs } = one(recordType, "f-secondary");
            assert.equal(inputs["healthCheckId"], "thrown");
            assert.deepEqual(inputs["failoverRoutingPolicies"], [{ type: "SECONDARY" }]);
        }
    });
    it("answers PRIMARY while its endpoint is healthy and the latch is held: both", async () => {
        const { one, all } = await record({}, () => new FailoverRecord("f", { ...args, joined: true }));
        assert.equal(one(recordType, "f-primary").inputs["healthCheckId"], "f-both");
        const both = all("aws:route53/healthCheck:HealthCheck").find(({ inputs }) => inputs["type"] === "CALCULATED");
        assert.deepEqual(both?.inputs["childHealthchecks"], ["f-endpoint", "held"]);
        assert.equal(both?.inputs["childHealthThreshold"], 2);
        const endpoint = one("aws:route53/healthCheck:HealthCheck", "f-endpoint").inputs;
        assert.deepEqual(
            [endpoint["type"], endpoint["fqdn"], endpoint["requestInterval"], endpoint["failureThreshold"]],
            ["HTTPS", "shop.us-east-1.example", 10, 3],
        );
    });
    it("has no PRIMARY while there is none to lead to", async () => {
        const { all } = await record({}, () => new FailoverRecord("f", { ...args, joined: false }));
        assert.deepEqual(
            all(recordType).map(({ name }) => name),
            ["f-secondary"],
        );
    });
});

describe("PilotLight", function () {
    this.timeout(60_000);

    const args = {
        group: "nodes",
        imageId: "ami-1",
        instanceProfile: "p",
        securityGroupIds: ["sg-1"],
        subnetIds: ["s-1"],
        nodes: 3,
    };
    const group = async (active: boolean) =>
        (await record({}, () => new PilotLight("p", { ...args, active }))).one("aws:autoscaling/group:Group");

    it("stands at none while passive and at the declared number while active, and nothing else differs", async () => {
        const [passive, active] = [await group(false), await group(true)];
        assert.equal(passive.inputs["minSize"], 0);
        assert.equal(active.inputs["minSize"], 3);
        assert.deepEqual({ ...passive.inputs, minSize: 3 }, active.inputs);
    });
    it("leaves the desired capacity to the cluster", async () =>
        assert.deepEqual((await group(true)).options.ignoreChanges, ["desiredCapacity"]));
    it("joins by the user data that is given, or by the image", async () => {
        const { one } = await record({}, () => new PilotLight("p", { ...args, active: true, userData: "am9pbg==" }));
        assert.equal(one("aws:ec2/launchTemplate:LaunchTemplate").inputs["userData"], "am9pbg==");
    });
});

describe("Workload", function () {
    this.timeout(60_000);

    const args = {
        service: "shop",
        declaration: estate.services["shop"]!,
        namespace: "shop",
        needs: [
            { store: "shop-mysql", kind: kindOf({ engine: "mariadb" }), database: "orders" },
            { store: "shop-postgres", kind: kindOf({ engine: "postgres" }), database: "orders" },
        ],
        certificateArn: "arn:cert",
    };
    interface Deployment {
        spec: {
            replicas: number;
            template: { spec: { containers: { env: { name: string; value: string }[] }[]; volumes: { secret?: { items: unknown } }[] } };
        };
    }
    const deployment = async (active: boolean) => {
        const { one } = await record({}, () => new Workload("shop", { ...args, active }));
        return one("kubernetes:apps/v1:Deployment").inputs as unknown as Deployment;
    };

    it("has the declared pods while active and none while passive, and nothing else differs", async () => {
        const [passive, active] = [await deployment(false), await deployment(true)];
        assert.equal(passive.spec.replicas, 0);
        assert.equal(active.spec.replicas, 3);
        assert.deepEqual({ ...passive, spec: { ...passive.spec, replicas: 3 } }, active);
    });
    it("finds its stores by names that are the same in both sites, and is given the app's password only", async () => {
        const { template } = (await deployment(true)).spec;
        const env = Object.fromEntries(template.spec.containers[0]!.env.map(({ name, value }) => [name, value]));
        assert.equal(env["MYSQL_HOST"], "shop-mysql.shop.svc");
        assert.equal(env["POSTGRES_PASSWORD_FILE"], "/etc/lifeboat/stores/shop-postgres/app");
        for (const { secret } of template.spec.volumes) if (secret) assert.deepEqual(secret.items, [{ key: "app", path: "app" }]);
    });
    it("tells two stores of one kind apart by variables that have the stores' names", async () => {
        const twice = [args.needs[0]!, { ...args.needs[0]!, store: "other-mysql" }];
        const { one } = await record({}, () => new Workload("shop", { ...args, needs: twice, active: true }));
        const { template } = (one("kubernetes:apps/v1:Deployment").inputs as unknown as Deployment).spec;
        const hosts = template.spec.containers[0]!.env.filter(({ name }) => name.endsWith("_HOST"));
        assert.deepEqual(hosts, [
            { name: "SHOP_MYSQL_HOST", value: "shop-mysql.shop.svc" },
            { name: "OTHER_MYSQL_HOST", value: "other-mysql.shop.svc" },
        ]);
    });
    it("waits for its load balancer's name, not for pods, and tells it", async () => {
        const { one, result } = await record({}, () => new Workload("shop", { ...args, active: false }));
        const { annotations } = one("kubernetes:core/v1:Service").inputs["metadata"] as { annotations: Record<string, string> };
        assert.equal(annotations["pulumi.com/waitFor"], "jsonpath={.status.loadBalancer.ingress[0].hostname}");
        assert.equal(await new Promise((resolve) => result.address.apply(resolve)), "shop-service.elb.amazonaws.com");
    });
    it("does not know the name in a preview of a Service that is not there yet, and fails in an update that leaves it without", async () => {
        const outputs = (resource: Parameters<typeof outputsOf>[0]) =>
            resource.type === "kubernetes:core/v1:Service" ? { status: {} } : outputsOf(resource);
        const preview = await record({ preview: true, outputs }, () => {
            const { nodes } = new Workload("shop", { ...args, active: false });
            return { address: loadBalancerName(nodes.service) };
        });
        assert.equal(await (preview.result.address as unknown as { isKnown: Promise<boolean> }).isKnown, false);
        const update = await record({ outputs }, () => {
            const { nodes } = new Workload("shop", { ...args, active: false });
            const name = (loadBalancerName(nodes.service) as unknown as { promise(): Promise<string> }).promise();
            return { refused: assert.rejects(name, /has no load balancer name/) };
        });
        await update.result.refused;
    });
});

describe("StorePasswords", function () {
    this.timeout(60_000);

    const args = { store: "shop-mysql", secret: "shop/shop-mysql", namespace: "shop" };

    it("are born once, replicated, protected, and secret wherever they go", async () => {
        const { one, all, invokes } = await record({}, () => new StorePasswords("p", { ...args, bornHereAndReplicatedTo: "us-east-1" }));
        assert.deepEqual(
            all("random:index/randomPassword:RandomPassword").map(({ name, options }) => [name, options.protect]),
            ["root", "app", "backup", "replication"].map((user) => [`p-${user}`, true]),
        );
        assert.deepEqual(one("aws:secretsmanager/secret:Secret").inputs["replicas"], [{ region: "us-east-1" }]);
        const json = unwrapSecret(one("aws:secretsmanager/secretVersion:SecretVersion").inputs["secretString"]) as string;
        assert.deepEqual(JSON.parse(json), {
            root: "generated-p-root",
            app: "generated-p-app",
            backup: "generated-p-backup",
            replication: "generated-p-replication",
        });
        assert.deepEqual(unwrapSecret(one("kubernetes:core/v1:Secret").inputs["stringData"]), JSON.parse(json));
        assert.deepEqual(invokes, []);
    });
    it("are read from this region's replica otherwise, and stay secret", async () => {
        const secretString = JSON.stringify({ root: "r", app: "a", backup: "b", replication: "c", other: "not mounted" });
        const invokes = { "aws:secretsmanager/getSecretVersion:getSecretVersion": () => ({ secretString }) };
        const { one, all } = await record({ invokes }, () => new StorePasswords("p", args));
        assert.deepEqual(all("random:index/randomPassword:RandomPassword"), []);
        assert.deepEqual(unwrapSecret(one("kubernetes:core/v1:Secret").inputs["stringData"]), {
            root: "r",
            app: "a",
            backup: "b",
            replication: "c",
        });
    });
});

describe("BackupSchedule", function () {
    this.timeout(60_000);

    const args = {
        store: "shop-postgres",
        declaration: estate.stores["shop-postgres"]!,
        namespace: "shop",
        place: { site: "standby" as const, account },
    };
    const jobs = async (o: { active: boolean; keeper: boolean }) =>
        (await record({}, () => new BackupSchedule("s", { ...args, ...o }))).all("kubernetes:batch/v1:CronJob");
    const spec = (job: { inputs: Record<string, unknown> } | undefined) => job?.inputs["spec"] as Record<string, unknown>;

    it("backs up where it is active and only there, and nothing else differs", async () => {
        const [passive, active] = [await jobs({ active: false, keeper: true }), await jobs({ active: true, keeper: true })];
        const suspended = (all: typeof passive) => Object.fromEntries(all.map((job) => [job.name, spec(job)["suspend"]]));
        assert.deepEqual(suspended(passive), { "s-backup": true, "s-verify": false, "s-expire": false, "s-restore": true });
        assert.deepEqual(suspended(active), { "s-backup": false, "s-verify": false, "s-expire": false, "s-restore": true });
        const apart = (all: typeof passive) => all.map(({ inputs }) => JSON.stringify(inputs).replace(/"suspend":\w+/, "")).sort();
        assert.deepEqual(apart(passive), apart(active));
    });
    it("verifies, expires and drills only where it is a keeper; elsewhere it can save aside what was held alone, when it is told to", async () => {
        const elsewhere = await jobs({ active: true, keeper: false });
        assert.deepEqual(
            elsewhere.map((job) => [job.name, spec(job)["suspend"]]),
            [
                ["s-backup", false],
                ["s-aside", true],
            ],
        );
    });
    it("starts as declared, never twice at a time, and ends at the declared limit", async () => {
        const backup = (await jobs({ active: true, keeper: true })).find(({ name }) => name === "s-backup");
        assert.equal(spec(backup)["schedule"], "*/10 * * * *");
        assert.equal(spec(backup)["concurrencyPolicy"], "Forbid");
        assert.equal((spec(backup)["jobTemplate"] as { spec: Record<string, unknown> }).spec["activeDeadlineSeconds"], 600);
    });
});

describe("Published", function () {
    this.timeout(60_000);

    it("stays when the stack that wrote it goes: a cleared-away primary has still been joined", async () => {
        const { one } = await record({}, () => new Published("p", { bucket: "b", key: "k.json", ids: { zoneId: "Z" } }));
        const object = one("aws:s3/bucketObjectv2:BucketObjectv2");
        assert.equal(object.options.retainOnDelete, true);
        assert.deepEqual(JSON.parse(object.inputs["content"] as string), { zoneId: "Z" });
    });
});
