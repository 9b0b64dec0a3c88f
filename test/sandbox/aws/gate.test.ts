import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { DescribeVpcsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { CreateRoleCommand, IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { ListHostedZonesCommand, CreateHostedZoneCommand, Route53Client } from "@aws-sdk/client-route-53";
import {
    CreateBucketCommand,
    DeleteObjectsCommand,
    GetObjectCommand,
    HeadBucketCommand,
    ListBucketsCommand,
    PutBucketPolicyCommand,
    PutBucketVersioningCommand,
    PutObjectCommand,
    S3Client,
    CopyObjectCommand,
} from "@aws-sdk/client-s3";
import { SecretsManagerClient, ListSecretsCommand } from "@aws-sdk/client-secrets-manager";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { Upload } from "@aws-sdk/lib-storage";
import { callControl } from "../../../sandbox/control.ts";
import { startAccount, type Account } from "./fixture.ts";

describe("gate", function () {
    this.timeout(120_000);
    let account: Account;
    let east: S3Client;
    let west: S3Client;
    before(async () => {
        account = await startAccount();
        east = new S3Client(account.at("us-east-1", "s3"));
        west = new S3Client(account.at("us-west-2", "s3"));
        await east.send(new CreateBucketCommand({ Bucket: "in-east" }));
        await west.send(new CreateBucketCommand({ Bucket: "in-west", CreateBucketConfiguration: { LocationConstraint: "us-west-2" } }));
    });
    after(() => account.stop());
    afterEach(() => account.gate.refuse({}));
    const last = (action: string) => account.gate.audit().findLast((line) => line.action === action)!;

    it("writes down who called what, where, and what came of it", async () => {
        const since = new Date().toISOString();
        await west.send(new PutObjectCommand({ Bucket: "in-west", Key: "a/b c", Body: "x" }));
        const [line] = (await callControl(join(account.directory, "gate.sock"), "GET", `/audit?since=${since}`)) as [
            Record<string, unknown>,
        ];
        const { at, milliseconds, ...rest } = line;
        assert.ok(String(at) >= since && Number(milliseconds) >= 0);
        assert.deepEqual(rest, {
            source: "127.0.0.1",
            who: "sandbox",
            region: "us-west-2",
            service: "s3",
            action: "PutObject",
            write: true,
            bucket: "in-west",
            key: "a/b c",
            principal: "arn:aws:iam::123456789012:user/operator",
            status: 200,
        });
    });

    it("appends the audit to its file", async () => {
        await west.send(new ListBucketsCommand({}));
        await new Promise((resolve) => setTimeout(resolve, 300));
        const lines = readFileSync(join(account.directory, "audit.jsonl"), "utf8").trim().split("\n");
        assert.equal(JSON.parse(lines.at(-1)!).action, "ListBuckets");
    });

    it("streams large objects through, both ways, multipart too", async () => {
        const body = Buffer.alloc(20 * 2 ** 20, "lifeboat ");
        await new Upload({ client: west, params: { Bucket: "in-west", Key: "large", Body: body }, partSize: 6 * 2 ** 20 }).done();
        const read = await west.send(new GetObjectCommand({ Bucket: "in-west", Key: "large" }));
        assert.ok(Buffer.from(await read.Body!.transformToByteArray()).equals(body));
        await west.send(new PutObjectCommand({ Bucket: "in-west", Key: "whole", Body: body }));
        assert.equal(last("PutObject").key, "whole");
    });

    it("sends whoever dials the wrong region for a bucket to the right one, as S3 does", async () => {
        await assert.rejects(
            east.send(new GetObjectCommand({ Bucket: "in-west", Key: "a" })),
            (error: Error & { $metadata: { httpStatusCode: number } }) => {
                assert.equal(error.name, "PermanentRedirect");
                assert.equal(error.$metadata.httpStatusCode, 301);
                return true;
            },
        );
        await assert.rejects(
            west.send(new HeadBucketCommand({ Bucket: "in-east" })),
            (error: { $metadata: { httpStatusCode: number }; $response: { headers: Record<string, string> } }) => {
                assert.equal(error.$response.headers["x-amz-bucket-region"], "us-east-1");
                return error.$metadata.httpStatusCode === 301;
            },
        );
    });

    it("answers NoSuchBucket for a bucket that nobody has", async () => {
        await assert.rejects(east.send(new GetObjectCommand({ Bucket: "nobodys", Key: "a" })), { name: "NoSuchBucket" });
    });

    it("lets one of many conditional writers win", async () => {
        const put = (n: number) => west.send(new PutObjectCommand({ Bucket: "in-west", Key: "epoch", Body: String(n), IfNoneMatch: "*" }));
        const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => put(n)));
        assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
        for (const result of results) if (result.status === "rejected") assert.equal((result.reason as Error).name, "PreconditionFailed");
        const { ETag } = await west.send(new GetObjectCommand({ Bucket: "in-west", Key: "epoch" }));
        await west.send(new PutObjectCommand({ Bucket: "in-west", Key: "epoch", Body: "next", IfMatch: ETag! }));
        await assert.rejects(west.send(new PutObjectCommand({ Bucket: "in-west", Key: "epoch", Body: "late", IfMatch: ETag! })), {
            name: "PreconditionFailed",
        });
    });

    it("refuses a lost region in each service's own words", async () => {
        account.gate.refuse({ regions: ["us-west-2"] });
        const refusals: [string, () => Promise<unknown>][] = [
            ["ServiceUnavailable", () => west.send(new ListBucketsCommand({}))],
            ["ServiceUnavailable", () => new KMSClient(account.at("us-west-2", "kms")).send(new ListKeysCommand({}))],
            ["ServiceUnavailable", () => new STSClient(account.at("us-west-2", "sts")).send(new GetCallerIdentityCommand({}))],
            ["Unavailable", () => new EC2Client(account.at("us-west-2", "ec2")).send(new DescribeVpcsCommand({}))],
            [
                "ServiceUnavailable",
                () => new SecretsManagerClient(account.at("us-west-2", "secretsmanager")).send(new ListSecretsCommand({})),
            ],
        ];
        for (const [name, call] of refusals) await assert.rejects(call(), { name, message: /region us-west-2 is lost/ });
        await east.send(new ListBucketsCommand({}));
        assert.equal(last("DescribeVpcs").refused, "region us-west-2 is lost");
        await west.send(new ListBucketsCommand({})).catch(() => undefined);
        await assert.rejects(east.send(new CopyObjectCommand({ Bucket: "in-east", Key: "copy", CopySource: "in-west/epoch" })), {
            name: "ServiceUnavailable",
        });
    });

    it("refuses writes of the global control planes, and no reads", async () => {
        await callControl(join(account.directory, "gate.sock"), "PUT", "/refuse", { globalWrites: true });
        const iam = new IAMClient(account.at("global", "iam"));
        const route53 = new Route53Client(account.at("global", "route53"));
        const why = { name: "ServiceUnavailable", message: /global control planes/ };
        await assert.rejects(iam.send(new CreateRoleCommand({ RoleName: "x", AssumeRolePolicyDocument: "{}" })), why);
        await assert.rejects(route53.send(new CreateHostedZoneCommand({ Name: "x.example", CallerReference: "1" })), why);
        await assert.rejects(
            west.send(new PutBucketVersioningCommand({ Bucket: "in-west", VersioningConfiguration: { Status: "Enabled" } })),
            why,
        );
        await iam.send(new ListRolesCommand({}));
        await route53.send(new ListHostedZonesCommand({}));
        await west.send(new PutObjectCommand({ Bucket: "in-west", Key: "still", Body: "possible" }));
        assert.equal(last("ListHostedZones").region, "global");
        assert.equal(last("PutBucketVersioning").globalWrite, true);
    });

    it("refuses a control document that it does not understand", async () => {
        await assert.rejects(callControl(join(account.directory, "gate.sock"), "PUT", "/refuse", { region: "us-east-1" }), /globalWrites/);
    });

    it("refuses access keys that nobody was given", async () => {
        const stranger = { accessKeyId: "AKIASTRANGER000000000", secretAccessKey: "x" };
        const errors: [string, () => Promise<unknown>][] = [
            ["InvalidAccessKeyId", () => new S3Client(account.at("us-west-2", "s3", stranger)).send(new ListBucketsCommand({}))],
            ["UnrecognizedClientException", () => new KMSClient(account.at("us-west-2", "kms", stranger)).send(new CreateKeyCommand({}))],
            ["InvalidClientTokenId", () => new STSClient(account.at("us-west-2", "sts", stranger)).send(new GetCallerIdentityCommand({}))],
            ["AuthFailure", () => new EC2Client(account.at("us-west-2", "ec2", stranger)).send(new DescribeVpcsCommand({}))],
            [
                "UnrecognizedClientException",
                () =>
                    new CloudWatchClient(account.at("us-west-2", "monitoring", stranger)).send(
                        new PutMetricDataCommand({ Namespace: "x", MetricData: [] }),
                    ),
            ],
            [
                "InvalidClientTokenId",
                () => new Route53Client(account.at("global", "route53", stranger)).send(new ListHostedZonesCommand({})),
            ],
        ];
        for (const [name, call] of errors) await assert.rejects(call(), { name });
    });

    it("refuses a request that is signed for another region than the one dialled", async () => {
        const config = { ...account.at("us-west-2", "kms"), region: "us-east-1" };
        await assert.rejects(new KMSClient(config).send(new ListKeysCommand({})), { name: "InvalidSignatureException" });
    });

    const raw = (host: string, path: string, headers: Record<string, string> = {}, where: "us-west-2" | "global" = "us-west-2") =>
        new Promise<{ status: number; body: string }>((resolve, reject) => {
            const { port } = account.dialled[where];
            const outgoing = request({ host, port, path, agent: account.agentTo(where), headers: { host, ...headers } }, (answer) => {
                let body = "";
                answer.on("data", (chunk) => (body += chunk)).on("end", () => resolve({ status: answer.statusCode!, body }));
            });
            outgoing.on("error", reject).end();
        });

    it("refuses services and operations that the sandbox does not have", async () => {
        const json = await raw("dynamodb.us-west-2.amazonaws.com", "/", { "x-amz-target": "DynamoDB_20120810.ListTables" });
        assert.equal(json.status, 501);
        assert.equal(JSON.parse(json.body).__type, "NotImplemented");
        const xml = await raw("sqs.us-west-2.amazonaws.com", "/");
        assert.match(xml.body, /<Code>NotImplemented<\/Code>/);
        const torrent = await raw("s3.us-west-2.amazonaws.com", "/in-west/a?torrent");
        assert.equal(torrent.status, 501);
    });

    it("keeps the insides of the stand-in to itself", async () => {
        for (const path of ["/_sandbox/replication", "/moto-api/reset", "/%5Fsandbox/replication"])
            assert.equal((await raw("s3.us-west-2.amazonaws.com", path)).status, 400);
        assert.equal((await raw("_sandbox.s3.us-west-2.amazonaws.com", "/").catch(() => ({ status: 400 }))).status, 400);
    });

    it("refuses what is not signed", async () => {
        const { status, body } = await raw("s3.us-west-2.amazonaws.com", "/in-west/epoch");
        assert.equal(status, 403);
        assert.match(body, /<Code>AccessDenied<\/Code>/);
    });

    it("holds everybody to a bucket's policy, conditions and all", async () => {
        await west.send(new CreateBucketCommand({ Bucket: "strict", CreateBucketConfiguration: { LocationConstraint: "us-west-2" } }));
        const deny = (Action: string, Condition: object) => ({
            Effect: "Deny",
            Principal: "*",
            Action,
            Resource: ["arn:aws:s3:::strict", "arn:aws:s3:::strict/*"],
            Condition,
        });
        const Statement = [
            deny("s3:*", { Bool: { "aws:SecureTransport": "false" } }),
            deny("s3:PutObject", { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } }),
        ];
        await west.send(new PutBucketPolicyCommand({ Bucket: "strict", Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
        await assert.rejects(west.send(new PutObjectCommand({ Bucket: "strict", Key: "a", Body: "x" })), {
            name: "AccessDenied",
            message: /explicit deny in a resource-based policy/,
        });
        await west.send(new PutObjectCommand({ Bucket: "strict", Key: "a", Body: "x", ServerSideEncryption: "aws:kms" }));
        await new Upload({
            client: west,
            params: { Bucket: "strict", Key: "parts", Body: Buffer.alloc(6 * 2 ** 20), ServerSideEncryption: "aws:kms" },
        }).done();
        await west.send(new DeleteObjectsCommand({ Bucket: "strict", Delete: { Objects: [{ Key: "a" }] } }));
    });
});
