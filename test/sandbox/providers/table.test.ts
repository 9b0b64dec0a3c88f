import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { NormalizedSchema } from "@smithy/core/schema";
import { awsTable } from "../../../sandbox/providers/aws/provider.ts";
import type { Fields, Shape } from "../../../sandbox/providers/aws/shape.ts";

const sdk = resolve(import.meta.dirname, "../../../node_modules/@pulumi/aws");

/** Names of an interface's or class's own members in the official SDK's declarations. */
function members(file: string, start: RegExp, member: RegExp): Set<string> {
    const text = readFileSync(file, "utf8");
    const from = text.slice(text.search(start));
    const body = from.slice(0, from.search(/^}/m));
    return new Set([...body.matchAll(member)].map(([, name]) => name!));
}

/** Where each type's properties go: the service's package, its command, and the member that holds them. */
const requests: Readonly<Record<string, readonly [service: string, command: string, at?: string][]>> = {
    "s3/bucket:Bucket": [["s3", "CreateBucket"]],
    "s3/bucketVersioning:BucketVersioning": [["s3", "PutBucketVersioning"]],
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": [
        ["s3", "PutBucketEncryption", "ServerSideEncryptionConfiguration"],
    ],
    "s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": [["s3", "PutObjectLockConfiguration", "ObjectLockConfiguration"]],
    "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": [["s3", "PutBucketLifecycleConfiguration", "LifecycleConfiguration"]],
    "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": [["s3", "PutPublicAccessBlock", "PublicAccessBlockConfiguration"]],
    "s3/bucketPolicy:BucketPolicy": [["s3", "PutBucketPolicy"]],
    "s3/bucketLogging:BucketLogging": [["s3", "GetBucketLogging", "LoggingEnabled"]],
    "s3/bucketOwnershipControls:BucketOwnershipControls": [],
    "s3/bucketReplicationConfig:BucketReplicationConfig": [["s3", "PutBucketReplication", "ReplicationConfiguration"]],
    "s3/bucketObjectv2:BucketObjectv2": [["s3", "PutObject"]],
    "kms/key:Key": [["kms", "CreateKey"]],
    "kms/replicaKey:ReplicaKey": [["kms", "ReplicateKey"]],
    "kms/alias:Alias": [["kms", "CreateAlias"]],
    "iam/role:Role": [["iam", "CreateRole"]],
    "iam/rolePolicy:RolePolicy": [["iam", "PutRolePolicy"]],
    "route53/zone:Zone": [["route-53", "CreateHostedZone"]],
    "route53/record:Record": [],
    "route53/healthCheck:HealthCheck": [["route-53", "CreateHealthCheck", "HealthCheckConfig"]],
    "cloudwatch/metricAlarm:MetricAlarm": [["cloudwatch", "PutMetricAlarm"]],
    "ec2/launchTemplate:LaunchTemplate": [["ec2", "CreateLaunchTemplate", "LaunchTemplateData"]],
    "autoscaling/group:Group": [["auto-scaling", "CreateAutoScalingGroup"]],
    "secretsmanager/secret:Secret": [["secrets-manager", "CreateSecret"]],
    "secretsmanager/secretVersion:SecretVersion": [["secrets-manager", "PutSecretValue"]],
};

/** Properties that an entry's own code puts where they belong, so that the SDK's schema need not have them under the name in the table. */
const byHand: Readonly<Record<string, readonly string[]>> = {
    "s3/bucketObjectv2:BucketObjectv2": ["content", "contentBase64", "kmsKeyId"],
    "kms/key:Key": ["isEnabled", "enableKeyRotation", "rotationPeriodInDays"],
    "kms/replicaKey:ReplicaKey": ["primaryKeyArn", "enabled"],
    "kms/alias:Alias": [],
    "route53/zone:Zone": ["comment"],
    "route53/healthCheck:HealthCheck": ["cloudwatchAlarmName", "cloudwatchAlarmRegion"],
    "ec2/launchTemplate:LaunchTemplate": ["name", "description", "defaultVersion"],
    "autoscaling/group:Group": ["vpcZoneIdentifiers"],
    "secretsmanager/secret:Secret": ["policy", "replicas"],
};

const nameOf = (property: string, shape: Shape): string => shape.as ?? property.charAt(0).toUpperCase() + property.slice(1);

/** Names of the table that the SDK's schema does not have: it would drop them without a word. */
function* strangers(fields: Fields, schema: NormalizedSchema, path: string): Generator<string> {
    const known = Object.fromEntries(schema.structIterator());
    for (const [property, shape] of Object.entries(fields)) {
        const member = known[nameOf(property, shape)];
        const at = `${path}.${property}`;
        if (!member) yield `${at} (${nameOf(property, shape)})`;
        else yield* inside(shape, member, at);
    }
}
function* inside(shape: Shape, schema: NormalizedSchema, at: string): Generator<string> {
    if (shape.kind === "struct") {
        if (schema.isStructSchema()) yield* strangers(shape.fields, schema, at);
        else yield `${at} is no structure`;
    } else if (shape.kind === "list") {
        if (schema.isListSchema()) yield* inside(shape.of, schema.getValueSchema(), `${at}[]`);
        else yield `${at} is no list`;
    } else if (shape.kind === "map" && shape.pair) {
        const pair = schema.isListSchema() ? Object.keys(Object.fromEntries(schema.getValueSchema().structIterator())) : [];
        if (!shape.pair.every((name) => pair.includes(name))) yield `${at} is no list of ${shape.pair.join(" and ")}`;
    } else if (shape.kind === "number" ? !schema.isNumericSchema() : shape.kind === "flag" ? !schema.isBooleanSchema() : false)
        yield `${at} is no ${shape.kind}`;
}

interface CommandClass {
    new (input: object): { schema: readonly unknown[] };
}
async function schemaOf(service: string, command: string, at?: string): Promise<NormalizedSchema> {
    const module = (await import(`@aws-sdk/client-${service}`)) as Record<string, CommandClass>;
    const { schema } = new module[`${command}Command`]!({});
    const [, , , , input, output] = schema;
    const unwrap = (given: unknown): NormalizedSchema =>
        NormalizedSchema.of((typeof given === "function" ? (given as () => unknown)() : given) as never);
    const whole = unwrap(command.startsWith("Get") ? output : input);
    return at === undefined ? whole : Object.fromEntries(whole.structIterator())[at]!;
}

describe("the aws stand-in's table", function () {
    this.timeout(60_000);
    for (const [type, entry] of Object.entries(awsTable)) {
        const [path = "", name = ""] = type.split(":");
        const file = join(sdk, `${path}.d.ts`);

        it(`${name}: takes only what the official SDK's arguments have`, () => {
            const official = members(file, new RegExp(`^export interface ${name}Args`, "m"), /^ {4}(\w+)\??:/gm);
            const own = [...Object.keys(entry.fields), ...(entry.global ? [] : ["region"]), ...(entry.tagged ? ["tags"] : [])];
            assert.deepEqual(
                own.filter((property) => !official.has(property)),
                [],
            );
            const regional = official.has("region");
            assert.equal(entry.global === true, !regional, `${name} ${regional ? "has" : "has no"} region in the official SDK`);
        });

        it(`${name}: answers only what the official class has`, () => {
            const official = members(file, new RegExp(`^export declare class ${name} `, "m"), /^ {4}readonly (\w+): pulumi\.Output/gm);
            assert.deepEqual(
                (entry.outputs ?? []).filter((property) => !official.has(property)),
                [],
            );
        });

        it(`${name}: every property reaches the service's API`, async () => {
            const own = new Set([
                ...(entry.untold ?? []).filter((property) => property !== "bypassPolicyLockoutSafetyCheck"),
                ...(byHand[type] ?? []),
            ]);
            const fields = Object.fromEntries(
                Object.entries(entry.fields).filter(([property]) => !own.has(property) && property !== "bucket"),
            );
            const targets = requests[type];
            assert.ok(targets, `${type} has no line in this test`);
            for (const target of targets) assert.deepEqual([...strangers(fields, await schemaOf(...target), name)], []);
        });
    }
});
