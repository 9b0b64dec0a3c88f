import { text, type Props } from "../values.ts";
import { ifThere } from "./services.ts";
import { amount, flag, fromSdk, items, json, pairs, setOf, steering, struct, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const bucketOf = ({ id, inputs, state }: Call): string => (id === "" ? text(inputs["bucket"]) : text(state["bucket"] ?? id.split("/")[0]));
const s3 = (call: Call) => call.aws.use("s3", call.region);

/** A setting of a bucket: its id is the bucket's name, and it is put whole. */
function setting(
    fields: Fields,
    parts: {
        put(call: Call, bucket: string): Promise<unknown>;
        get(call: Call, bucket: string): Promise<Props | undefined>;
        remove?(call: Call, bucket: string): Promise<unknown>;
        required?: string[];
        untold?: string[];
        check?: NonNullable<Entry["check"]>;
    },
): Entry {
    return {
        fields: { bucket: words(), ...fields },
        required: ["bucket", ...(parts.required ?? [])],
        replace: ["bucket"],
        ...(parts.untold && { untold: parts.untold }),
        ...(parts.check && { check: parts.check }),
        create: async (call) => {
            await parts.put(call, bucketOf(call));
            return bucketOf(call);
        },
        read: async (call) => {
            const found = await ifThere(parts.get(call, bucketOf(call)));
            return found && { bucket: bucketOf(call), ...found };
        },
        update: async (call) => void (await parts.put(call, bucketOf(call))),
        delete: async (call) => void (await parts.remove?.(call, bucketOf(call))),
    };
}

const versioning: Fields = {
    versioningConfiguration: struct({ status: words(), mfaDelete: words("MFADelete", { computed: true }) }, "VersioningConfiguration"),
};
const bucketVersioning = setting(versioning, {
    required: ["versioningConfiguration"],
    put: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(
            new sdk.PutBucketVersioningCommand({ Bucket, ...toSdk<{ VersioningConfiguration: object }>(versioning, call.inputs) }),
        );
    },
    get: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        const answer = await client.send(new sdk.GetBucketVersioningCommand({ Bucket }));
        return answer.Status === undefined ? undefined : fromSdk(versioning, { VersioningConfiguration: answer });
    },
    // Versioning cannot be taken back: the official provider suspends it, and leaves "Disabled" alone.
    remove: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }));
    },
});

const encryption: Fields = {
    rules: setOf(
        struct({
            applyServerSideEncryptionByDefault: struct({ sseAlgorithm: words("SSEAlgorithm"), kmsMasterKeyId: words("KMSMasterKeyID") }),
            bucketKeyEnabled: flag("BucketKeyEnabled", { assumed: false }),
        }),
    ),
};
const bucketEncryption = setting(encryption, {
    required: ["rules"],
    put: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(
            new sdk.PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: toSdk(encryption, call.inputs) }),
        );
    },
    get: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return fromSdk(encryption, (await client.send(new sdk.GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration);
    },
    remove: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(new sdk.DeleteBucketEncryptionCommand({ Bucket }));
    },
});

const lock: Fields = {
    objectLockEnabled: words("ObjectLockEnabled", { assumed: "Enabled" }),
    rule: struct({
        defaultRetention: struct({ mode: words(), days: amount(undefined, { assumed: 0 }), years: amount(undefined, { assumed: 0 }) }),
    }),
};
const bucketObjectLock = setting(lock, {
    put: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled" as const, ...toSdk<object>(lock, call.inputs) };
        return client.send(new sdk.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
    },
    get: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return fromSdk(lock, (await client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket }))).ObjectLockConfiguration);
    },
    // Object lock stays on; what goes is the default retention.
    remove: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(
            new sdk.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" } }),
        );
    },
});

const sizes: Fields = { objectSizeGreaterThan: amount(), objectSizeLessThan: amount() };
const lifecycle: Fields = {
    rules: items(
        struct({
            id: words("ID"),
            status: words(),
            filter: struct({
                prefix: words(),
                tag: struct({ key: words(), value: words() }),
                ...sizes,
                and: struct({ prefix: words(), tags: pairs("Key", "Value"), ...sizes }),
            }),
            expiration: struct({ date: words(), days: amount(undefined, { assumed: 0 }), expiredObjectDeleteMarker: flag() }),
            transitions: setOf(struct({ date: words(), days: amount(), storageClass: words() })),
            noncurrentVersionExpiration: struct({ newerNoncurrentVersions: amount(), noncurrentDays: amount() }),
            noncurrentVersionTransitions: setOf(
                struct({ newerNoncurrentVersions: amount(), noncurrentDays: amount(), storageClass: words() }),
            ),
            abortIncompleteMultipartUpload: struct({ daysAfterInitiation: amount() }),
        }),
    ),
};
const bucketLifecycle = setting(lifecycle, {
    required: ["rules"],
    put: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(
            new sdk.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: toSdk(lifecycle, call.inputs) }),
        );
    },
    get: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return fromSdk(lifecycle, await client.send(new sdk.GetBucketLifecycleConfigurationCommand({ Bucket })));
    },
    remove: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(new sdk.DeleteBucketLifecycleCommand({ Bucket }));
    },
});

const access: Fields = {
    blockPublicAcls: flag(undefined, { assumed: false }),
    blockPublicPolicy: flag(undefined, { assumed: false }),
    ignorePublicAcls: flag(undefined, { assumed: false }),
    restrictPublicBuckets: flag(undefined, { assumed: false }),
};
const bucketPublicAccess = setting(
    { ...access, skipDestroy: steering },
    {
        untold: ["skipDestroy"],
        put: async (call, Bucket) => {
            const { sdk, client } = await s3(call);
            return client.send(new sdk.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: toSdk(access, call.inputs) }));
        },
        get: async (call, Bucket) => {
            const { sdk, client } = await s3(call);
            return fromSdk(access, (await client.send(new sdk.GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration);
        },
        remove: async (call, Bucket) => {
            if (call.state["skipDestroy"] === true) return;
            const { sdk, client } = await s3(call);
            await client.send(new sdk.DeletePublicAccessBlockCommand({ Bucket }));
        },
    },
);

const policy: Fields = { policy: json() };
const bucketPolicy = setting(policy, {
    required: ["policy"],
    put: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(new sdk.PutBucketPolicyCommand({ Bucket, ...toSdk<{ Policy: string }>(policy, call.inputs) }));
    },
    get: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return fromSdk(policy, await client.send(new sdk.GetBucketPolicyCommand({ Bucket })));
    },
    remove: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(new sdk.DeleteBucketPolicyCommand({ Bucket }));
    },
});

const logging: Fields = { targetBucket: words(), targetPrefix: words() };
const bucketLogging = setting(logging, {
    required: ["targetBucket", "targetPrefix"],
    put: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        const LoggingEnabled = { TargetBucket: text(call.inputs["targetBucket"]), TargetPrefix: text(call.inputs["targetPrefix"]) };
        return client.send(new sdk.PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: { LoggingEnabled } }));
    },
    get: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        const { LoggingEnabled } = await client.send(new sdk.GetBucketLoggingCommand({ Bucket }));
        return LoggingEnabled && { targetPrefix: "", ...fromSdk(logging, LoggingEnabled) };
    },
    remove: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(new sdk.PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: {} }));
    },
});

const ownership: Fields = { rule: struct({ objectOwnership: words() }) };
const bucketOwnership = setting(ownership, {
    required: ["rule"],
    put: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        const { Rule } = toSdk<{ Rule: { ObjectOwnership: "BucketOwnerEnforced" } }>(ownership, call.inputs);
        return client.send(new sdk.PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [Rule] } }));
    },
    get: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return fromSdk(ownership, {
            Rule: (await client.send(new sdk.GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls?.Rules?.[0],
        });
    },
    remove: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(new sdk.DeleteBucketOwnershipControlsCommand({ Bucket }));
    },
});

const status: Fields = { status: words() };
const minutes = struct({ minutes: amount() });
const replication: Fields = {
    role: words(),
    rules: items(
        struct({
            id: words("ID", { computed: true }),
            priority: amount(undefined, { assumed: 0 }),
            status: words(),
            filter: struct({
                prefix: words(),
                tag: struct({ key: words(), value: words() }),
                and: struct({ prefix: words(), tags: pairs("Key", "Value") }),
            }),
            deleteMarkerReplication: struct(status),
            existingObjectReplication: struct(status),
            sourceSelectionCriteria: struct({ sseKmsEncryptedObjects: struct(status), replicaModifications: struct(status) }),
            destination: struct({
                bucket: words(),
                account: words(),
                storageClass: words(),
                accessControlTranslation: struct({ owner: words() }),
                encryptionConfiguration: struct({ replicaKmsKeyId: words("ReplicaKmsKeyID") }),
                metrics: struct({ ...status, eventThreshold: minutes }),
                replicationTime: struct({ ...status, time: minutes }),
            }),
        }),
    ),
};
const bucketReplication = setting(replication, {
    required: ["role", "rules"],
    put: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(new sdk.PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: toSdk(replication, call.inputs) }));
    },
    get: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return fromSdk(replication, (await client.send(new sdk.GetBucketReplicationCommand({ Bucket }))).ReplicationConfiguration);
    },
    remove: async (call, Bucket) => {
        const { sdk, client } = await s3(call);
        return client.send(new sdk.DeleteBucketReplicationCommand({ Bucket }));
    },
});

/** A bucket's settings. Source: https://www.pulumi.com/registry/packages/aws/api-docs/s3/ and the S3 API reference. */
export const s3SettingTypes: Readonly<Record<string, Entry>> = {
    "s3/bucketVersioning:BucketVersioning": bucketVersioning,
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": bucketEncryption,
    "s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": bucketObjectLock,
    "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": bucketLifecycle,
    "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": bucketPublicAccess,
    "s3/bucketPolicy:BucketPolicy": bucketPolicy,
    "s3/bucketLogging:BucketLogging": bucketLogging,
    "s3/bucketOwnershipControls:BucketOwnershipControls": bucketOwnership,
    "s3/bucketReplicationConfig:BucketReplicationConfig": bucketReplication,
};
