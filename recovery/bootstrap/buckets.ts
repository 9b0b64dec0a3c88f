import {
    CreateBucketCommand,
    GetBucketLocationCommand,
    PutBucketEncryptionCommand,
    PutBucketLifecycleConfigurationCommand,
    PutBucketPolicyCommand,
    PutBucketVersioningCommand,
    PutPublicAccessBlockCommand,
    type BucketLocationConstraint,
    type S3Client,
} from "@aws-sdk/client-s3";
import { Failure } from "../../model/failure.ts";
import { errorCode } from "../answers.ts";

/** A bucket that bootstrap makes: versioned, encrypted, closed to the public and to plain HTTP. Not object-locked: it is written on conditions. */
export interface BootstrapBucket {
    name: string;
    region: string;
    /** The key of its encryption, by ARN; without one S3's own keys are used. */
    key?: string;
    /** Objects whose older versions are dropped after so many days; an empty prefix means all of them. @default all versions are kept */
    forgets?: { prefix: string; afterDays: number };
}

/** Says who may not reach the bucket: whoever does not use TLS. */
export const tlsOnlyPolicy = (bucket: string) => ({
    Version: "2012-10-17",
    Statement: [
        {
            Sid: "TlsOnly",
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
    ],
});

/** Makes the bucket where it is not there, and its settings in any case. True where it was made. @throws Failure where another region has it. */
export async function ensureBucket(s3: S3Client, { name: Bucket, region, key, forgets }: BootstrapBucket): Promise<boolean> {
    const made = await create(s3, Bucket, region);
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    await s3.send(
        new PutPublicAccessBlockCommand({
            Bucket,
            PublicAccessBlockConfiguration: {
                BlockPublicAcls: true,
                IgnorePublicAcls: true,
                BlockPublicPolicy: true,
                RestrictPublicBuckets: true,
            },
        }),
    );
    await s3.send(
        new PutBucketEncryptionCommand({
            Bucket,
            ServerSideEncryptionConfiguration: {
                Rules: [
                    {
                        ApplyServerSideEncryptionByDefault:
                            key === undefined ? { SSEAlgorithm: "AES256" } : { SSEAlgorithm: "aws:kms", KMSMasterKeyID: key },
                        BucketKeyEnabled: key !== undefined,
                    },
                ],
            },
        }),
    );
    if (forgets !== undefined)
        await s3.send(
            new PutBucketLifecycleConfigurationCommand({
                Bucket,
                LifecycleConfiguration: {
                    Rules: [
                        {
                            ID: `forget-older-${forgets.prefix.replace(/\W+$/, "") || "versions"}`,
                            Status: "Enabled",
                            Filter: { Prefix: forgets.prefix },
                            NoncurrentVersionExpiration: { NoncurrentDays: forgets.afterDays },
                        },
                    ],
                },
            }),
        );
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(tlsOnlyPolicy(Bucket)) }));
    return made;
}

async function create(s3: S3Client, Bucket: string, region: string): Promise<boolean> {
    const home = await homeOf(s3, Bucket);
    if (home !== undefined) {
        if (home === region) return false;
        throw new Failure(
            "refused",
            `the bucket ${Bucket} is in ${home}, and it must outlive the loss of every region but ${region}`,
            "empty and delete it, or name the estate anew, then run `lifeboat bootstrap` again",
        );
    }
    try {
        // us-east-1 is the one region that may not be named.
        const place =
            region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } };
        await s3.send(new CreateBucketCommand({ Bucket, ...place }));
        return true;
    } catch (error) {
        if (errorCode(error) === "BucketAlreadyOwnedByYou") return false; // made meanwhile by another bootstrap
        if (errorCode(error) === "BucketAlreadyExists")
            throw new Failure(
                "refused",
                `the bucket name ${Bucket} belongs to another account`,
                "choose another estate name in stacks/estate.ts: names of buckets are shared by all accounts",
                { cause: error },
            );
        throw error;
    }
}

async function homeOf(s3: S3Client, Bucket: string): Promise<string | undefined> {
    try {
        const { LocationConstraint } = await s3.send(new GetBucketLocationCommand({ Bucket }));
        return LocationConstraint || "us-east-1";
    } catch (error) {
        if (errorCode(error) === "NoSuchBucket") return undefined;
        throw error;
    }
}
