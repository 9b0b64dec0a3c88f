import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Seconds } from "../model/units.ts";
import { Component, document, type Options, type Transform } from "./component.ts";
import { logPolicy, vaultPolicy } from "./documents/bucket-policy.ts";
import { lockDays, logLifecycle, vaultLifecycle } from "./documents/lifecycle.ts";
import { replicationAccess, replicationRule } from "./documents/replication.ts";
import { serviceTrust } from "./documents/trust-policy.ts";

export interface BackupVaultArgs {
    /** Name of the bucket: derived, so that the other site need not look it up. */
    bucket: string;
    /** Name of the bucket that takes its access log. */
    logBucket: string;
    /** AWS account, 12 digits. */
    account: string;
    /** Key of the bucket's encryption, in this region. */
    keyArn: pulumi.Input<string>;
    /** For each store: how long its points are immutable (seconds, rounded up to days), and when they move to the cold tier. */
    stores: Readonly<Record<string, { lock: Seconds; coldAfter: Seconds }>>;
    /**
     * The vault of the other site that every object is copied to.
     * @default none: this vault is the one that is copied to
     */
    replicateTo?: { bucket: string; keyArn: pulumi.Input<string>; role: string };
    /** Changes the resources underneath. */
    transform?: {
        bucket?: Transform<aws.s3.BucketArgs>;
        lifecycle?: Transform<aws.s3.BucketLifecycleConfigurationArgs>;
        policy?: Transform<aws.s3.BucketPolicyArgs>;
        replication?: Transform<aws.s3.BucketReplicationConfigArgs>;
        logBucket?: Transform<aws.s3.BucketArgs>;
    };
}

/**
 * The bucket that holds a site's recovery points: versioned, encrypted under one key, immutable for as long as the stores ask for, closed to the
 * public and to plain HTTP, logged, and copied to the other site.
 *
 * Cost: 0.023 USD per GB-month, 0.004 once cold; a copied GB costs 0.02 between regions and 0.015 for the 15-minute promise (us-east-1, 2025).
 */
export class BackupVault extends Component {
    readonly bucket: pulumi.Output<string>;
    readonly nodes: {
        bucket: aws.s3.Bucket;
        versioning: aws.s3.BucketVersioning;
        lock: aws.s3.BucketObjectLockConfiguration;
        logBucket: aws.s3.Bucket;
        replication: aws.s3.BucketReplicationConfig | undefined;
    };

    constructor(name: string, args: BackupVaultArgs, options: Options = {}) {
        super("BackupVault", name, options);
        const bucket = this.#bucket(args);
        const versioning = this.#versioning("versioning", bucket);
        this.#encryption(args, bucket);
        const lock = this.#lock(args, bucket, versioning);
        this.#closed("public", bucket);
        this.#policy(args, bucket);
        this.#lifecycle(args, bucket, versioning);
        const { log: logBucket, policy } = this.#logBucket(args);
        this.#logging(bucket, logBucket, policy);
        const replication = args.replicateTo && this.#replication(args, args.replicateTo, bucket, versioning);

        this.bucket = bucket.bucket;
        this.nodes = { bucket, versioning, lock, logBucket, replication };
        this.registerOutputs({ bucket: this.bucket });
    }

    #bucket({ bucket, transform }: BackupVaultArgs) {
        // Object lock can be had at a bucket's birth only, as far as an engine can promise it.
        const args: aws.s3.BucketArgs = { bucket, objectLockEnabled: true };
        return new aws.s3.Bucket(...this.child("bucket", args, { ...stays, protect: true }, transform?.bucket));
    }

    #versioning(suffix: string, bucket: aws.s3.Bucket) {
        const args: aws.s3.BucketVersioningArgs = { bucket: bucket.id, versioningConfiguration: { status: "Enabled" } };
        return new aws.s3.BucketVersioning(...this.child(suffix, args, stays));
    }

    #encryption({ keyArn }: BackupVaultArgs, bucket: aws.s3.Bucket) {
        const args: aws.s3.BucketServerSideEncryptionConfigurationArgs = {
            bucket: bucket.id,
            rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn }, bucketKeyEnabled: true }],
        };
        return new aws.s3.BucketServerSideEncryptionConfiguration(...this.child("encryption", args, stays));
    }

    #lock({ stores }: BackupVaultArgs, bucket: aws.s3.Bucket, versioning: aws.s3.BucketVersioning) {
        const days = lockDays(Object.values(stores).map(({ lock }) => lock));
        const args: aws.s3.BucketObjectLockConfigurationArgs = {
            bucket: bucket.id,
            rule: { defaultRetention: { mode: "COMPLIANCE", days } },
        };
        return new aws.s3.BucketObjectLockConfiguration(...this.child("lock", args, { ...stays, dependsOn: [versioning] }));
    }

    #closed(suffix: string, bucket: aws.s3.Bucket) {
        const args: aws.s3.BucketPublicAccessBlockArgs = {
            bucket: bucket.id,
            blockPublicAcls: true,
            blockPublicPolicy: true,
            ignorePublicAcls: true,
            restrictPublicBuckets: true,
        };
        return new aws.s3.BucketPublicAccessBlock(...this.child(suffix, args, stays));
    }

    #policy({ bucket: name, keyArn, transform }: BackupVaultArgs, bucket: aws.s3.Bucket) {
        const policy = document({ bucket: name, keyArn }, vaultPolicy);
        return new aws.s3.BucketPolicy(...this.child("policy", { bucket: bucket.id, policy }, stays, transform?.policy));
    }

    #lifecycle({ stores, transform }: BackupVaultArgs, bucket: aws.s3.Bucket, versioning: aws.s3.BucketVersioning) {
        const coldAfter = Object.fromEntries(Object.entries(stores).map(([store, times]) => [store, times.coldAfter]));
        const args: aws.s3.BucketLifecycleConfigurationArgs = { bucket: bucket.id, rules: vaultLifecycle(coldAfter) };
        return new aws.s3.BucketLifecycleConfiguration(
            ...this.child("lifecycle", args, { ...stays, dependsOn: [versioning] }, transform?.lifecycle),
        );
    }

    /** A bucket that receives access logs can have neither object lock nor a key of ours: it is versioned, SSE-S3 and closed instead. */
    #logBucket({ logBucket: name, bucket: vault, account, transform }: BackupVaultArgs) {
        const log = new aws.s3.Bucket(...this.child("log", { bucket: name }, { ...stays, protect: true }, transform?.logBucket));
        const versioning = this.#versioning("log-versioning", log);
        this.#closed("log-public", log);
        new aws.s3.BucketServerSideEncryptionConfiguration(
            ...this.child(
                "log-encryption",
                {
                    bucket: log.id,
                    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
                },
                stays,
            ),
        );
        const document = JSON.stringify(logPolicy({ bucket: name, vault, account }));
        const policy = new aws.s3.BucketPolicy(...this.child("log-policy", { bucket: log.id, policy: document }, stays));
        new aws.s3.BucketLifecycleConfiguration(
            ...this.child("log-lifecycle", { bucket: log.id, rules: logLifecycle }, { ...stays, dependsOn: [versioning] }),
        );
        return { log, policy };
    }

    /** The policy comes first: it is what lets the logging service write. */
    #logging(bucket: aws.s3.Bucket, log: aws.s3.Bucket, policy: aws.s3.BucketPolicy) {
        const args: aws.s3.BucketLoggingArgs = { bucket: bucket.id, targetBucket: log.id, targetPrefix: "access/" };
        return new aws.s3.BucketLogging(...this.child("logging", args, { ...stays, dependsOn: [policy] }));
    }

    #replication(
        { bucket: from, account, keyArn, transform }: BackupVaultArgs,
        to: NonNullable<BackupVaultArgs["replicateTo"]>,
        bucket: aws.s3.Bucket,
        versioning: aws.s3.BucketVersioning,
    ) {
        const role = new aws.iam.Role(
            ...this.child("replication-role", {
                name: to.role,
                assumeRolePolicy: JSON.stringify(serviceTrust("s3.amazonaws.com", account)),
            }),
        );
        const access = new aws.iam.RolePolicy(
            ...this.child("replication-access", {
                role: role.name,
                policy: document({ from, to: to.bucket, fromKeyArn: keyArn, toKeyArn: to.keyArn }, replicationAccess),
            }),
        );
        const rule = pulumi.output(to.keyArn).apply((toKeyArn) => replicationRule({ vault: to.bucket, keyArn: toKeyArn }));
        const args: aws.s3.BucketReplicationConfigArgs = { bucket: bucket.id, role: role.arn, rules: [rule] };
        return new aws.s3.BucketReplicationConfig(
            ...this.child("replication", args, { dependsOn: [versioning, access] }, transform?.replication),
        );
    }
}

/** The data outlives the stack, and so does what keeps it safe. */
const stays: pulumi.CustomResourceOptions = { retainOnDelete: true };
