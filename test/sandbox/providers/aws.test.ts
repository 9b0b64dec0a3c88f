import assert from "node:assert/strict";
import { DescribeImagesCommand, DescribeSecurityGroupsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { CreateInstanceProfileCommand, IAMClient } from "@aws-sdk/client-iam";
import { KMSClient, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import { DeleteBucketPolicyCommand, PutBucketTaggingCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { awsTable } from "../../../sandbox/providers/aws/provider.ts";
import { cleanUp, startAccount, Workspace, type Outcome } from "./workspace.ts";

/** What the state has of a type, by name. */
interface Exported {
    deployment: { resources: { type: string; urn: string; id?: string; outputs?: Record<string, unknown> }[] };
}

describe("the aws stand-in, under the real engine and moto", function () {
    this.timeout(900_000);
    const ran: Record<string, Outcome> = {};
    let outputs: Record<string, unknown>;
    let first: string;
    let shown: string;

    before(async () => {
        const moto = await startAccount();
        const workspace = await Workspace.make(moto.env);
        const access = { endpoint: moto.url, region: "us-west-2", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
        const ec2 = new EC2Client(access);
        const s3 = new S3Client({ ...access, forcePathStyle: true });
        const images = await ec2.send(new DescribeImagesCommand({ Owners: ["amazon"] }));
        const groups = await ec2.send(new DescribeSecurityGroupsCommand({}));
        await new IAMClient(access).send(new CreateInstanceProfileCommand({ InstanceProfileName: "node-of-the-test" }));
        await workspace.succeed("config", "set", "image", images.Images![0]!.ImageId!);
        await workspace.succeed("config", "set", "securityGroup", groups.SecurityGroups![0]!.GroupId!);

        await workspace.program("aws.js");
        ran["preview"] = await workspace.preview();
        ran["up"] = await workspace.up();
        outputs = await workspace.outputs();
        first = await workspace.exported();
        shown = (await workspace.succeed("stack", "output", "secretString", "--show-secrets")).stdout;
        ran["refresh"] = await workspace.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes");
        ran["again"] = await workspace.preview("--expect-no-changes");

        await workspace.succeed("config", "set", "edition", "2");
        ran["preview of an update"] = await workspace.preview();
        ran["update"] = await workspace.up();
        ran["refresh after the update"] = await workspace.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes");
        ran["again after the update"] = await workspace.preview("--expect-no-changes");

        // Somebody changes things by hand.
        const Bucket = "vault-of-the-test";
        const key = String((outputs["outputs"] as Record<string, unknown>)["keyId"]);
        const Policy = JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Principal: "*", Action: "kms:*", Resource: "*" }],
        });
        await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }));
        await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
        await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: "by", Value: "hand" }] } }));
        await new KMSClient(access).send(new PutKeyPolicyCommand({ KeyId: key, PolicyName: "default", Policy }));
        ran["drift"] = await workspace.pulumi("refresh", "--yes", "--diff");
        ran["mending"] = await workspace.preview();
        ran["destroy"] = await workspace.destroy();
    });
    after(cleanUp);

    const resources = () => (JSON.parse(first) as Exported).deployment.resources;
    const text = (name: string): string => ran[name]!.text;

    it("makes every type of its table", () => {
        const made = new Set(resources().map(({ type }) => type));
        const missing = Object.keys(awsTable).filter((type) => !made.has(`aws:${type}`));
        assert.deepEqual(missing, []);
    });

    it("leaves what the service computes unknown in a preview, and knows it afterwards", () => {
        assert.match(text("preview"), /keyId\s*: \[unknown\]/);
        assert.match(text("preview"), /targetKeyId: \[unknown\]/);
        const given = outputs["outputs"] as Record<string, unknown>;
        assert.equal(given["account"], "123456789012");
        assert.equal(given["region"], "us-east-1");
        assert.match(String(given["logs"]), /^logs-[0-9a-f]{7}$/);
        assert.equal(given["regional"], "vault-of-the-test.s3.us-west-2.amazonaws.com");
        assert.match(String(given["keyId"]), /^mrk-/);
        assert.equal(given["replica"], `arn:aws:kms:us-east-1:123456789012:key/${String(given["keyId"])}`);
        assert.equal(given["fqdn"], "plain.example.test");
        assert.equal(given["latest"], 1);
        assert.equal(given["again"], `arn:aws:kms:us-west-2:123456789012:key/${String(given["keyId"])}`);
        assert.equal(given["peerAgain"], "us-east-1");
        assert.equal((given["nameServers"] as unknown[]).length, 4);
    });

    it("sees neither change nor drift after an up", () => {
        assert.equal(ran["refresh"]!.code, 0, text("refresh"));
        assert.equal(ran["again"]!.code, 0, text("again"));
    });

    it("changes in place what can be changed, and says so before", () => {
        const changed = text("preview of an update");
        assert.match(changed, /~ aws:kms\/key:Key: \(update\)/);
        assert.match(changed, /~ aws:autoscaling\/group:Group: \(update\)/);
        assert.match(changed, /~ minSize\s*: 0 => 1/);
        assert.match(changed, /~ version: "1" => \[unknown\]/);
        assert.doesNotMatch(changed, /aws:.*\(replace\)/);
        assert.equal(ran["refresh after the update"]!.code, 0, text("refresh after the update"));
        assert.equal(ran["again after the update"]!.code, 0, text("again after the update"));
    });

    it("sees what somebody changed by hand, and puts it back with the next up", () => {
        const drift = text("drift");
        assert.match(drift, /"Enabled" => "Suspended"/);
        assert.match(drift, /by\s*: "hand"/);
        assert.match(drift, /aws:s3\/bucketPolicy:BucketPolicy: \(delete\)/);
        assert.match(drift, /aws:kms\/key:Key: \(update\)/);
        assert.match(text("mending"), /"Suspended" => "Enabled"/);
        assert.match(text("mending"), /\+ aws:s3\/bucketPolicy:BucketPolicy: \(create\)/);
    });

    it("keeps secrets out of the state's plain text", () => {
        const { app } = JSON.parse(shown) as { app: string };
        assert.equal(app.length, 24);
        assert.ok(!first.includes(app), "the password stands in the exported state");
        assert.ok(!text("preview").includes(app) && !text("up").includes(app));
        assert.equal(outputs["same"], "[secret]");
    });

    it("takes everything away again", () => {
        assert.match(text("destroy"), /- 3\d deleted/);
    });
});
