import { bucketArn, objectsArn, policyDocument, type PolicyDocument, type Statement } from "./statement.ts";

const tlsOnly = (bucket: string): Statement => ({
    Sid: "TlsOnly",
    Effect: "Deny",
    Principal: { AWS: "*" },
    Action: "s3:*",
    Resource: [bucketArn(bucket), objectsArn(bucket)],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
});

/** Denies a put that names something else. A put that names nothing gets the bucket's default; without `Null`, a negated condition would deny that too. */
const onlyIfNamed = (Sid: string, bucket: string, header: string, value: string): Statement => ({
    Sid,
    Effect: "Deny",
    Principal: { AWS: "*" },
    Action: "s3:PutObject",
    Resource: objectsArn(bucket),
    Condition: { Null: { [header]: "false" }, StringNotEquals: { [header]: value } },
});

/** Policy of a vault: no plain HTTP, and nobody puts an object under another key than the vault's own, which is its default. */
export const vaultPolicy = ({ bucket, keyArn }: { bucket: string; keyArn: string }): PolicyDocument =>
    policyDocument(
        tlsOnly(bucket),
        onlyIfNamed("NoOtherEncryption", bucket, "s3:x-amz-server-side-encryption", "aws:kms"),
        onlyIfNamed("NoOtherKey", bucket, "s3:x-amz-server-side-encryption-aws-kms-key-id", keyArn),
    );

/** Policy of an access log: only S3's log delivery writes, only for one vault of this account. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html */
export const logPolicy = ({ bucket, vault, account }: { bucket: string; vault: string; account: string }): PolicyDocument =>
    policyDocument(tlsOnly(bucket), {
        Sid: "LogDelivery",
        Effect: "Allow",
        Principal: { Service: "logging.s3.amazonaws.com" },
        Action: "s3:PutObject",
        Resource: objectsArn(bucket),
        Condition: { ArnLike: { "aws:SourceArn": bucketArn(vault) }, StringEquals: { "aws:SourceAccount": account } },
    });
