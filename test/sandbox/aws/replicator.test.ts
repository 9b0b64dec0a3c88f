import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient, ReplicateKeyCommand } from "@aws-sdk/client-kms";
import {
    CreateBucketCommand,
    DeleteObjectCommand,
    GetBucketReplicationCommand,
    GetObjectCommand,
    GetObjectRetentionCommand,
    GetObjectTaggingCommand,
    HeadObjectCommand,
    ListObjectVersionsCommand,
    PutBucketReplicationCommand,
    PutBucketVersioningCommand,
    PutObjectCommand,
    PutObjectTaggingCommand,
    S3Client,
    type ReplicationRule,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { startReplicator } from "../../../sandbox/aws/replicator.ts";
import { until } from "../../../sandbox/daemon.ts";
import { startMoto } from "../../support/moto.ts";
import { direct } from "./fixture.ts";

const roleArn = "arn:aws:iam::123456789012:role/replication";

describe("replicator", function () {
    this.timeout(120_000);
    let moto: Awaited<ReturnType<typeof startMoto>>;
    let replicator: Awaited<ReturnType<typeof startReplicator>>;
    let east: S3Client;
    let west: S3Client;
    let eastKey: string;
    let westKey: string;
    let rule: ReplicationRule;

    before(async () => {
        moto = await startMoto();
        east = new S3Client(direct(moto.url, "us-east-1"));
        west = new S3Client(direct(moto.url, "us-west-2"));
        const kms = new KMSClient(direct(moto.url, "us-west-2"));
        westKey = (await kms.send(new CreateKeyCommand({ MultiRegion: true }))).KeyMetadata!.Arn!;
        eastKey = (await kms.send(new ReplicateKeyCommand({ KeyId: westKey, ReplicaRegion: "us-east-1" }))).ReplicaKeyMetadata!.Arn!;
        const iam = new IAMClient(direct(moto.url, "us-east-1"));
        const trust = { Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sts:AssumeRole" };
        const Statement = [
            { Effect: "Allow", Action: ["s3:GetReplicationConfiguration", "s3:ListBucket"], Resource: "arn:aws:s3:::*" },
            { Effect: "Allow", Action: ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"], Resource: "*" },
            { Effect: "Allow", Action: ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ReplicateDelete"], Resource: "*" },
            {
                Effect: "Allow",
                Action: "kms:Decrypt",
                Resource: eastKey,
                Condition: { StringLike: { "kms:ViaService": "s3.us-east-1.amazonaws.com" } },
            },
            { Effect: "Allow", Action: "kms:Encrypt", Resource: westKey },
        ];
        for (const name of ["replication", "powerless"]) {
            await iam.send(
                new CreateRoleCommand({
                    RoleName: name,
                    AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: trust }),
                }),
            );
            const PolicyDocument = JSON.stringify({
                Version: "2012-10-17",
                Statement: name === "powerless" ? Statement.slice(0, 2) : Statement,
            });
            await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "duty", PolicyDocument }));
        }
        rule = {
            ID: "all",
            Priority: 1,
            Status: "Enabled",
            Filter: { Prefix: "" },
            DeleteMarkerReplication: { Status: "Enabled" },
            SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } },
            Destination: { Bucket: "", EncryptionConfiguration: { ReplicaKmsKeyID: westKey } },
        };
    });
    beforeEach(async () => {
        replicator = await startReplicator({ moto: moto.url, lagMs: 0 });
    });
    afterEach(() => replicator.close());
    after(() => moto.stop());

    /** Two versioned buckets, the first replicating to the second. */
    async function pair(options: { rule?: Partial<ReplicationRule>; role?: string; lock?: boolean } = {}) {
        const id = randomBytes(4).toString("hex");
        const [source, replica] = [`source-${id}`, `replica-${id}`];
        const lock = { ObjectLockEnabledForBucket: options.lock ?? false };
        await east.send(new CreateBucketCommand({ Bucket: source, ...lock }));
        await west.send(
            new CreateBucketCommand({ Bucket: replica, CreateBucketConfiguration: { LocationConstraint: "us-west-2" }, ...lock }),
        );
        for (const Bucket of [source, replica])
            await east.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
        const Rules = [{ ...rule, ...options.rule, Destination: { ...rule.Destination, Bucket: `arn:aws:s3:::${replica}` } }];
        await east.send(
            new PutBucketReplicationCommand({ Bucket: source, ReplicationConfiguration: { Role: options.role ?? roleArn, Rules } }),
        );
        return { source, replica };
    }
    const drained = () => until("nothing waits", 10_000, async () => (await replicator.status()).pending === 0);
    const versions = async (Bucket: string) => (await west.send(new ListObjectVersionsCommand({ Bucket }))).Versions ?? [];

    it("copies what was put, with its version, metadata and tags, under the rule's key", async () => {
        const { source, replica } = await pair();
        const { VersionId } = await east.send(
            new PutObjectCommand({
                Bucket: source,
                Key: "a",
                Body: "hello",
                Metadata: { x: "y" },
                Tagging: "t=1",
                ServerSideEncryption: "aws:kms",
                SSEKMSKeyId: eastKey,
            }),
        );
        await drained();
        const copy = await west.send(new GetObjectCommand({ Bucket: replica, Key: "a" }));
        assert.equal(await copy.Body!.transformToString(), "hello");
        assert.deepEqual(
            [copy.VersionId, copy.ReplicationStatus, copy.SSEKMSKeyId, copy.Metadata],
            [VersionId, "REPLICA", westKey, { x: "y" }],
        );
        const { TagSet } = await west.send(new GetObjectTaggingCommand({ Bucket: replica, Key: "a" }));
        assert.deepEqual(TagSet, [{ Key: "t", Value: "1" }]);
        const original = await east.send(new HeadObjectCommand({ Bucket: source, Key: "a" }));
        assert.equal(original.ReplicationStatus, "COMPLETED");
        assert.deepEqual(copy.LastModified, original.LastModified);
    });

    it("copies an object of many parts whole, with its entity tag", async () => {
        const { source, replica } = await pair();
        const body = randomBytes(11 * 2 ** 20);
        const { ETag } = await new Upload({ client: east, params: { Bucket: source, Key: "large", Body: body } }).done();
        await drained();
        const copy = await west.send(new GetObjectCommand({ Bucket: replica, Key: "large" }));
        assert.equal(copy.ETag, ETag);
        assert.ok(Buffer.from(await copy.Body!.transformToByteArray()).equals(body));
    });

    it("says PENDING while paused, copies nothing, and catches up", async () => {
        const { source, replica } = await pair();
        replicator.set({ paused: true });
        await east.send(new PutObjectCommand({ Bucket: source, Key: "a", Body: "x" }));
        await new Promise((resolve) => setTimeout(resolve, 400));
        assert.equal((await east.send(new HeadObjectCommand({ Bucket: source, Key: "a" }))).ReplicationStatus, "PENDING");
        assert.equal((await versions(replica)).length, 0);
        replicator.set({ paused: false });
        await drained();
        assert.equal((await versions(replica)).length, 1);
    });

    it("waits for the lag that it is given", async () => {
        const { source } = await pair();
        replicator.set({ lagMs: 1000 });
        const began = Date.now();
        await east.send(new PutObjectCommand({ Bucket: source, Key: "a", Body: "x" }));
        await drained();
        assert.ok(Date.now() - began >= 1000);
    });

    it("copies in an order that is not that of the puts, and leaves the newest version the newest", async () => {
        const { source, replica } = await pair();
        replicator.set({ paused: true });
        for (let n = 0; n < 8; n++) {
            await east.send(new PutObjectCommand({ Bucket: source, Key: "same", Body: String(n) }));
            await east.send(new PutObjectCommand({ Bucket: source, Key: `other-${n}`, Body: String(n) }));
        }
        const arrived: string[] = [];
        replicator.set({ paused: false });
        await until(
            "all have arrived",
            10_000,
            async () => {
                for (const { Key } of await versions(replica)) if (Key !== "same" && !arrived.includes(Key!)) arrived.push(Key!);
                return arrived.length === 8 && (await replicator.status()).pending === 0;
            },
            1,
        );
        assert.notDeepEqual(arrived, arrived.toSorted());
        assert.equal((await versions(replica)).length, 16);
        assert.equal(await (await west.send(new GetObjectCommand({ Bucket: replica, Key: "same" }))).Body!.transformToString(), "7");
    });

    it("goes on where a killed replicator stopped", async () => {
        const { source, replica } = await pair();
        replicator.set({ paused: true });
        await east.send(new PutObjectCommand({ Bucket: source, Key: "a", Body: "x" }));
        await replicator.close();
        replicator = await startReplicator({ moto: moto.url, lagMs: 0 });
        await drained();
        assert.equal((await versions(replica)).length, 1);
    });

    it("copies neither from nor to a lost region", async () => {
        const { source, replica } = await pair();
        replicator.set({ regions: ["us-east-1"] });
        await east.send(new PutObjectCommand({ Bucket: source, Key: "a", Body: "x" }));
        await new Promise((resolve) => setTimeout(resolve, 400));
        assert.equal((await versions(replica)).length, 0);
    });

    it("leaves alone what was there before the rule, what its prefix does not cover, and replicas", async () => {
        const { source, replica } = await pair({ rule: { Filter: { Prefix: "in/" } } });
        await east.send(new PutObjectCommand({ Bucket: source, Key: "out/a", Body: "x" }));
        await east.send(new PutObjectCommand({ Bucket: source, Key: "in/a", Body: "x" }));
        await drained();
        assert.deepEqual(
            (await versions(replica)).map(({ Key }) => Key),
            ["in/a"],
        );
        assert.equal((await east.send(new HeadObjectCommand({ Bucket: source, Key: "out/a" }))).ReplicationStatus, undefined);
        const back = { ...rule, Destination: { Bucket: `arn:aws:s3:::${source}` } };
        await west.send(new PutBucketReplicationCommand({ Bucket: replica, ReplicationConfiguration: { Role: roleArn, Rules: [back] } }));
        await west.send(new PutObjectTaggingCommand({ Bucket: replica, Key: "in/a", Tagging: { TagSet: [{ Key: "a", Value: "b" }] } }));
        assert.equal((await replicator.status()).pending, 0);
    });

    it("leaves encrypted objects alone where the rule does not ask for them", async () => {
        const { source } = await pair({ rule: { SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Disabled" } } } });
        await east.send(
            new PutObjectCommand({ Bucket: source, Key: "a", Body: "x", ServerSideEncryption: "aws:kms", SSEKMSKeyId: eastKey }),
        );
        assert.equal((await east.send(new HeadObjectCommand({ Bucket: source, Key: "a" }))).ReplicationStatus, undefined);
    });

    it("carries delete markers only where declared, and deletes of a version never", async () => {
        for (const Status of ["Enabled", "Disabled"] as const) {
            const { source, replica } = await pair({ rule: { DeleteMarkerReplication: { Status } } });
            const { VersionId } = await east.send(new PutObjectCommand({ Bucket: source, Key: "a", Body: "x" }));
            await drained();
            await east.send(new DeleteObjectCommand({ Bucket: source, Key: "a" }));
            await east.send(new DeleteObjectCommand({ Bucket: source, Key: "a", VersionId }));
            await drained();
            const { DeleteMarkers } = await west.send(new ListObjectVersionsCommand({ Bucket: replica }));
            assert.equal(DeleteMarkers?.length ?? 0, Status === "Enabled" ? 1 : 0);
            assert.equal((await versions(replica)).length, 1);
        }
    });

    it("carries retention, and tags that are changed later", async () => {
        const { source, replica } = await pair({ lock: true });
        const until = new Date(Date.now() + 3_600_000);
        await east.send(
            new PutObjectCommand({ Bucket: source, Key: "a", Body: "x", ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: until }),
        );
        await drained();
        const { Retention } = await west.send(new GetObjectRetentionCommand({ Bucket: replica, Key: "a" }));
        assert.equal(Retention!.Mode, "COMPLIANCE");
        const [copy] = await versions(replica);
        await assert.rejects(west.send(new DeleteObjectCommand({ Bucket: replica, Key: "a", VersionId: copy!.VersionId })), {
            name: "AccessDenied",
        });
        await east.send(new PutObjectTaggingCommand({ Bucket: source, Key: "a", Tagging: { TagSet: [{ Key: "expire", Value: "yes" }] } }));
        await drained();
        assert.deepEqual((await west.send(new GetObjectTaggingCommand({ Bucket: replica, Key: "a" }))).TagSet, [
            { Key: "expire", Value: "yes" },
        ]);
    });

    it("fails what the rule's role may not do, and says why", async () => {
        const { source, replica } = await pair({ role: roleArn.replace("replication", "powerless") });
        await east.send(new PutObjectCommand({ Bucket: source, Key: "a", Body: "x" }));
        await drained();
        assert.equal((await versions(replica)).length, 0);
        assert.equal((await east.send(new HeadObjectCommand({ Bucket: source, Key: "a" }))).ReplicationStatus, "FAILED");
        assert.match((await replicator.status()).failures.at(-1)!.why, /may not s3:ReplicateObject/);
    });

    it("reads a rule back as it was put, and refuses those that it could not follow", async () => {
        const { source, replica } = await pair();
        const { ReplicationConfiguration } = await east.send(new GetBucketReplicationCommand({ Bucket: source }));
        assert.deepEqual(ReplicationConfiguration!.Rules, [
            { ...rule, Destination: { ...rule.Destination, Bucket: `arn:aws:s3:::${replica}` } },
        ]);
        const put = (change: object) =>
            east.send(
                new PutBucketReplicationCommand({
                    Bucket: source,
                    ReplicationConfiguration: {
                        Role: roleArn,
                        Rules: [{ ...rule, Destination: { Bucket: `arn:aws:s3:::${replica}` }, ...change }],
                    },
                }),
            );
        await assert.rejects(put({ Filter: { Tag: { Key: "a", Value: "b" } } }), { name: "InvalidRequest" });
        await assert.rejects(put({ Destination: { Bucket: "arn:aws:s3:::nobodys" } }), { name: "InvalidRequest" });
    });
});
