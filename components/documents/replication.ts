import { bucketArn, objectsArn, policyDocument, type PolicyDocument } from "./statement.ts";

/**
 * Copies every new object to the other site's vault, under that region's replica of the key, within 15 minutes as S3 promises it (replication time
 * control). Delete markers are not copied: whoever deletes here has deleted nothing there.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
 */
export const replicationRule = ({ vault, keyArn }: { vault: string; keyArn: string }) => ({
    id: "everything",
    status: "Enabled",
    priority: 0,
    filter: { prefix: "" },
    deleteMarkerReplication: { status: "Disabled" },
    sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
    destination: {
        bucket: bucketArn(vault),
        storageClass: "STANDARD",
        encryptionConfiguration: { replicaKmsKeyId: keyArn },
        replicationTime: { status: "Enabled", time: { minutes: 15 } },
        metrics: { status: "Enabled", eventThreshold: { minutes: 15 } },
    },
});

export interface ReplicationAccess {
    readonly from: string;
    readonly to: string;
    /** The bucket key in the region of `from`, and in that of `to`. */
    readonly fromKeyArn: string;
    readonly toKeyArn: string;
}

/** What S3 needs to copy on our behalf. */
export const replicationAccess = ({ from, to, fromKeyArn, toKeyArn }: ReplicationAccess): PolicyDocument =>
    policyDocument(
        {
            Sid: "ReadRule",
            Effect: "Allow",
            Action: ["s3:GetReplicationConfiguration", "s3:ListBucket"],
            Resource: bucketArn(from),
        },
        {
            Sid: "ReadVersions",
            Effect: "Allow",
            Action: [
                "s3:GetObjectVersionForReplication",
                "s3:GetObjectVersionAcl",
                "s3:GetObjectVersionTagging",
                "s3:GetObjectRetention",
                "s3:GetObjectLegalHold",
            ],
            Resource: objectsArn(from),
        },
        { Sid: "WriteReplicas", Effect: "Allow", Action: ["s3:ReplicateObject", "s3:ReplicateTags"], Resource: objectsArn(to) },
        { Sid: "Decrypt", Effect: "Allow", Action: "kms:Decrypt", Resource: fromKeyArn },
        { Sid: "Encrypt", Effect: "Allow", Action: ["kms:Encrypt", "kms:GenerateDataKey"], Resource: toKeyArn },
    );
