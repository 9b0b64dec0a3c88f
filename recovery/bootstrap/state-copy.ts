import { CreateRoleCommand, PutRolePolicyCommand, type IAMClient } from "@aws-sdk/client-iam";
import { DescribeKeyCommand, ReplicateKeyCommand, type KMSClient } from "@aws-sdk/client-kms";
import { PutBucketReplicationCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Estate } from "../../model/estate.ts";
import { names } from "../../model/names.ts";
import { errorCode } from "../answers.ts";

/** The multi-region key in another region. @returns its ARN there, and whether it was made */
export async function ensureReplicaKey(
    home: KMSClient,
    there: KMSClient,
    key: string,
    region: string,
): Promise<{ arn: string; made: boolean }> {
    const arn = key.replace(/^(arn:[^:]+:kms):[^:]+:/, `$1:${region}:`);
    try {
        await there.send(new DescribeKeyCommand({ KeyId: arn }));
        return { arn, made: false };
    } catch (error) {
        if (errorCode(error) !== "NotFoundException") throw error;
    }
    try {
        await home.send(new ReplicateKeyCommand({ KeyId: key, ReplicaRegion: region }));
        return { arn, made: true };
    } catch (error) {
        if (errorCode(error) === "AlreadyExistsException") return { arn, made: false }; // made meanwhile by another bootstrap
        throw error;
    }
}

export interface StateCopy {
    /** ARN of the state's key in the standby's region, and of its replica in the primary's. */
    key: string;
    replicaKey: string;
}

/** What S3 may do to keep the copy. https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html */
function copyPolicy(estate: Estate, account: string, { key, replicaKey }: StateCopy) {
    const { stateBucket, stateCopyBucket } = names(estate, account);
    const allow = (Action: string | string[], Resource: string) => ({ Effect: "Allow", Action, Resource });
    return {
        Version: "2012-10-17",
        Statement: [
            allow(["s3:GetReplicationConfiguration", "s3:ListBucket"], `arn:aws:s3:::${stateBucket}`),
            allow(
                ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
                `arn:aws:s3:::${stateBucket}/*`,
            ),
            allow(["s3:ReplicateObject", "s3:ReplicateTags", "s3:ReplicateDelete"], `arn:aws:s3:::${stateCopyBucket}/*`),
            allow("kms:Decrypt", key),
            allow(["kms:Encrypt", "kms:GenerateDataKey"], replicaKey),
        ],
    };
}

/** The role by which S3 copies; its document is put in any case. True where it was made. */
export async function ensureCopyRole(iam: IAMClient, estate: Estate, account: string, copy: StateCopy): Promise<boolean> {
    const RoleName = names(estate, account).stateCopyRole;
    const trust = { Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sts:AssumeRole" };
    let made = true;
    try {
        const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
        await iam.send(
            new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, Description: `Copies the Pulumi state of ${estate.name}` }),
        );
    } catch (error) {
        if (!["EntityAlreadyExistsException", "EntityAlreadyExists"].includes(errorCode(error))) throw error;
        made = false;
    }
    const PolicyDocument = JSON.stringify(copyPolicy(estate, account, copy));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "copy-the-state", PolicyDocument }));
    return made;
}

/** Has S3 copy every new version of the state to the primary's region: it is what the standby is rebuilt from when its own region is lost. */
export async function replicateState(s3: S3Client, estate: Estate, account: string, { replicaKey }: StateCopy): Promise<void> {
    const name = names(estate, account);
    await s3.send(
        new PutBucketReplicationCommand({
            Bucket: name.stateBucket,
            ReplicationConfiguration: {
                Role: `arn:aws:iam::${account}:role/${name.stateCopyRole}`,
                Rules: [
                    {
                        ID: "state",
                        Status: "Enabled",
                        Priority: 0,
                        Filter: { Prefix: "" },
                        // Pulumi's locks come and go; the copy is to have none that is long gone.
                        DeleteMarkerReplication: { Status: "Enabled" },
                        SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } },
                        Destination: {
                            Bucket: `arn:aws:s3:::${name.stateCopyBucket}`,
                            EncryptionConfiguration: { ReplicaKmsKeyID: replicaKey },
                        },
                    },
                ],
            },
        }),
    );
}
