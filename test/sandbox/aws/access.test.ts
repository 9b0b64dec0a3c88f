import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { CreateOpenIDConnectProviderCommand, CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateAliasCommand, CreateKeyCommand, DecryptCommand, GenerateDataKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
    CreateBucketCommand,
    DeleteObjectCommand,
    DeleteObjectsCommand,
    GetObjectCommand,
    HeadObjectCommand,
    ListObjectsV2Command,
    PutBucketEncryptionCommand,
    PutBucketVersioningCommand,
    PutObjectCommand,
    PutObjectTaggingCommand,
    S3Client,
} from "@aws-sdk/client-s3";
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { Upload } from "@aws-sdk/lib-storage";
import { startAccount, type Account, type Credentials } from "./fixture.ts";

const account = "123456789012";
const vault = "arn:aws:s3:::vault";
const subject = "system:serviceaccount:orders:backup-writer";

describe("access of a role", function () {
    this.timeout(120_000);
    let cloud: Account;
    let writer: S3Client;
    let writerKeys: KMSClient;
    let credentials: Credentials;
    let operator: S3Client;
    let bucketKey: string;
    let envelopeKey: string;

    const role = async (name: string, statements: object[]) => {
        const iam = new IAMClient(cloud.at("global", "iam"));
        const trust = {
            Effect: "Allow",
            Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${cloud.issuer}` },
            Action: "sts:AssumeRoleWithWebIdentity",
            Condition: { StringEquals: { [`${cloud.issuer}:sub`]: subject, [`${cloud.issuer}:aud`]: "sts.amazonaws.com" } },
        };
        await iam.send(
            new CreateRoleCommand({
                RoleName: name,
                AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
            }),
        );
        await grant(name, statements);
    };
    const grant = (name: string, Statement: object[]) =>
        new IAMClient(cloud.at("global", "iam")).send(
            new PutRolePolicyCommand({
                RoleName: name,
                PolicyName: "duty",
                PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
            }),
        );
    const assume = async (name: string, token: string): Promise<Credentials> => {
        const sts = new STSClient({ ...cloud.at("us-west-2", "sts") });
        const { Credentials } = await sts.send(
            new AssumeRoleWithWebIdentityCommand({
                RoleArn: `arn:aws:iam::${account}:role/${name}`,
                RoleSessionName: "pod",
                WebIdentityToken: token,
            }),
        );
        return {
            accessKeyId: Credentials!.AccessKeyId!,
            secretAccessKey: Credentials!.SecretAccessKey!,
            sessionToken: Credentials!.SessionToken!,
        };
    };

    before(async () => {
        cloud = await startAccount();
        operator = new S3Client(cloud.at("us-west-2", "s3"));
        const kms = new KMSClient(cloud.at("us-west-2", "kms"));
        const made = await Promise.all([1, 2].map(() => kms.send(new CreateKeyCommand({ MultiRegion: true }))));
        [bucketKey, envelopeKey] = made.map((key) => key.KeyMetadata!.Arn!) as [string, string];
        await kms.send(new CreateAliasCommand({ AliasName: "alias/envelope", TargetKeyId: envelopeKey }));
        await operator.send(new CreateBucketCommand({ Bucket: "vault", CreateBucketConfiguration: { LocationConstraint: "us-west-2" } }));
        await operator.send(new PutBucketVersioningCommand({ Bucket: "vault", VersioningConfiguration: { Status: "Enabled" } }));
        const rule = {
            ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" as const, KMSMasterKeyID: bucketKey },
            BucketKeyEnabled: true,
        };
        await operator.send(new PutBucketEncryptionCommand({ Bucket: "vault", ServerSideEncryptionConfiguration: { Rules: [rule] } }));
        await new IAMClient(cloud.at("global", "iam")).send(
            new CreateOpenIDConnectProviderCommand({
                Url: `https://${cloud.issuer}`,
                ClientIDList: ["sts.amazonaws.com"],
                ThumbprintList: ["0".repeat(40)],
            }),
        );
        await role("writer", [
            { Effect: "Allow", Action: ["s3:PutObject", "s3:AbortMultipartUpload"], Resource: `${vault}/orders/*` },
            { Effect: "Allow", Action: "s3:ListBucket", Resource: vault, Condition: { StringLike: { "s3:prefix": "orders/*" } } },
            {
                Effect: "Allow",
                Action: ["kms:GenerateDataKey", "kms:Decrypt"],
                Resource: bucketKey,
                Condition: { StringEquals: { "kms:ViaService": "s3.us-west-2.amazonaws.com" } },
            },
            {
                Effect: "Allow",
                Action: "kms:GenerateDataKey",
                Resource: "*",
                Condition: { StringEquals: { "kms:RequestAlias": "alias/envelope" } },
            },
            {
                Effect: "Allow",
                Action: "cloudwatch:PutMetricData",
                Resource: "*",
                Condition: { StringEquals: { "cloudwatch:namespace": "Lifeboat" } },
            },
        ]);
        credentials = await assume("writer", cloud.token({ sub: subject }));
        writer = new S3Client(cloud.at("us-west-2", "s3", credentials));
        writerKeys = new KMSClient(cloud.at("us-west-2", "kms", credentials));
    });
    after(() => cloud.stop());
    const denied = { name: "AccessDenied" };
    const deniedByKms = { name: "AccessDeniedException" };

    it("lets a writer put, in one piece and in parts, through the bucket's key", async () => {
        await writer.send(new PutObjectCommand({ Bucket: "vault", Key: "orders/1", Body: "x" }));
        await new Upload({ client: writer, params: { Bucket: "vault", Key: "orders/2", Body: Buffer.alloc(11 * 2 ** 20) } }).done();
        const line = cloud.gate.audit().findLast((each) => each.action === "CompleteMultipartUpload")!;
        assert.equal(line.principal, `arn:aws:sts::${account}:assumed-role/writer/pod`);
    });

    it("lets a writer neither delete, nor read, nor tag, nor write or list elsewhere", async () => {
        const { VersionId } = await operator.send(new PutObjectCommand({ Bucket: "vault", Key: "orders/there", Body: "x" }));
        const where = { Bucket: "vault", Key: "orders/there" };
        const calls = [
            () => writer.send(new DeleteObjectCommand(where)),
            () => writer.send(new DeleteObjectCommand({ ...where, VersionId })),
            () => writer.send(new DeleteObjectsCommand({ Bucket: "vault", Delete: { Objects: [{ Key: "orders/there" }] } })),
            () => writer.send(new GetObjectCommand(where)),
            () => writer.send(new PutObjectTaggingCommand({ ...where, Tagging: { TagSet: [{ Key: "expire", Value: "yes" }] } })),
            () => writer.send(new PutObjectCommand({ Bucket: "vault", Key: "others/1", Body: "x" })),
            () => writer.send(new PutObjectCommand({ Bucket: "vault", Key: "orders/1", Body: "x", Tagging: "expire=yes" })),
            () => writer.send(new ListObjectsV2Command({ Bucket: "vault" })),
            () => writer.send(new ListObjectsV2Command({ Bucket: "vault", Prefix: "others/" })),
        ];
        for (const call of calls) await assert.rejects(call(), denied);
        await writer.send(new ListObjectsV2Command({ Bucket: "vault", Prefix: "orders/" }));
        await assert.rejects(writer.send(new HeadObjectCommand(where)), ({ $metadata }) => $metadata.httpStatusCode === 403);
    });

    it("lets a writer encrypt under the envelope key by its alias, and never decrypt", async () => {
        const { CiphertextBlob } = await writerKeys.send(new GenerateDataKeyCommand({ KeyId: "alias/envelope", KeySpec: "AES_256" }));
        await assert.rejects(writerKeys.send(new DecryptCommand({ CiphertextBlob: CiphertextBlob! })), deniedByKms);
        await assert.rejects(
            writerKeys.send(new DecryptCommand({ CiphertextBlob: CiphertextBlob!, KeyId: "alias/envelope" })),
            deniedByKms,
        );
        await assert.rejects(writerKeys.send(new GenerateDataKeyCommand({ KeyId: envelopeKey, KeySpec: "AES_256" })), deniedByKms);
    });

    it("does not let the bucket's key be used but through S3", async () => {
        await assert.rejects(writerKeys.send(new GenerateDataKeyCommand({ KeyId: bucketKey, KeySpec: "AES_256" })), deniedByKms);
    });

    it("denies a put when the role may not use the key that it would be encrypted with", async () => {
        await role("keyless", [{ Effect: "Allow", Action: "s3:*", Resource: "*" }]);
        const keyless = new S3Client(cloud.at("us-west-2", "s3", await assume("keyless", cloud.token({ sub: subject }))));
        await assert.rejects(keyless.send(new PutObjectCommand({ Bucket: "vault", Key: "a", Body: "x" })), {
            name: "AccessDenied",
            message: /kms:GenerateDataKey/,
        });
        await operator.send(new PutObjectCommand({ Bucket: "vault", Key: "a", Body: "x" }));
        await assert.rejects(keyless.send(new GetObjectCommand({ Bucket: "vault", Key: "a" })), {
            name: "AccessDenied",
            message: /kms:Decrypt/,
        });
        await keyless.send(new PutObjectCommand({ Bucket: "vault", Key: "a", Body: "x", ServerSideEncryption: "AES256" }));
    });

    it("holds a metric's writer to its namespace", async () => {
        const cloudwatch = new CloudWatchClient(cloud.at("us-west-2", "monitoring", credentials));
        const MetricData = [{ MetricName: "LatchThrown", Value: 1 }];
        await cloudwatch.send(new PutMetricDataCommand({ Namespace: "Lifeboat", MetricData }));
        await assert.rejects(cloudwatch.send(new PutMetricDataCommand({ Namespace: "Other", MetricData })), { name: /AccessDenied/ });
    });

    it("denies, and says so in the audit, where a policy has a condition that it does not know", async () => {
        await role("conditional", [
            { Effect: "Allow", Action: "s3:*", Resource: "*", Condition: { DateLessThan: { "aws:CurrentTime": "2099-01-01T00:00:00Z" } } },
        ]);
        const s3 = new S3Client(cloud.at("us-west-2", "s3", await assume("conditional", cloud.token({ sub: subject }))));
        await assert.rejects(s3.send(new ListObjectsV2Command({ Bucket: "vault" })), denied);
        assert.deepEqual(cloud.gate.audit().at(-1)!.unknownConditions, ["DateLessThan aws:CurrentTime (Allow)"]);
    });

    it("takes notice of a policy that changes", async () => {
        await role("changing", [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }]);
        const s3 = new S3Client(cloud.at("us-west-2", "s3", await assume("changing", cloud.token({ sub: subject }))));
        await assert.rejects(s3.send(new ListObjectsV2Command({ Bucket: "vault" })), denied);
        await grant("changing", [{ Effect: "Allow", Action: "s3:ListBucket", Resource: vault }]);
        await s3.send(new ListObjectsV2Command({ Bucket: "vault" }));
    });

    it("tells any role who it is", async () => {
        const { Arn } = await new STSClient(cloud.at("us-west-2", "sts", credentials)).send(new GetCallerIdentityCommand({}));
        assert.equal(Arn, `arn:aws:sts::${account}:assumed-role/writer/pod`);
    });

    it("exchanges only the token of the service account that the role trusts", async () => {
        const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
        const past = Math.floor(Date.now() / 1000) - 10;
        const cases: [string, string][] = [
            ["AccessDenied", cloud.token({ sub: "system:serviceaccount:orders:guard" })],
            ["InvalidIdentityTokenException", cloud.token({ sub: subject }, stranger)],
            ["InvalidIdentityTokenException", cloud.token({ sub: subject, aud: ["https://kubernetes.default.svc"] })],
            ["InvalidIdentityTokenException", cloud.token({ sub: subject, iss: "https://elsewhere.example" })],
            ["ExpiredTokenException", cloud.token({ sub: subject, exp: past })],
            ["InvalidIdentityTokenException", "no.token.atall"],
        ];
        for (const [name, token] of cases) await assert.rejects(assume("writer", token), { name });
        await assert.rejects(assume("nobody", cloud.token({ sub: subject })), denied);
    });

    it("lets a person assume a role that trusts the account, with the role's rights and no more", async () => {
        const iam = new IAMClient(cloud.at("global", "iam"));
        const trust = { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "sts:AssumeRole" };
        await iam.send(
            new CreateRoleCommand({
                RoleName: "break-glass",
                AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
            }),
        );
        await grant("break-glass", [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }]);
        const sts = new STSClient(cloud.at("us-west-2", "sts"));
        const RoleArn = `arn:aws:iam::${account}:role/break-glass`;
        const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "night" }));
        const assumed = {
            accessKeyId: Credentials!.AccessKeyId!,
            secretAccessKey: Credentials!.SecretAccessKey!,
            sessionToken: Credentials!.SessionToken!,
        };
        await assert.rejects(
            new S3Client(cloud.at("us-west-2", "s3", assumed)).send(new ListObjectsV2Command({ Bucket: "vault" })),
            denied,
        );
        const writersOwn = new STSClient(cloud.at("us-west-2", "sts", credentials));
        await assert.rejects(writersOwn.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "night" })), denied);
    });
});
