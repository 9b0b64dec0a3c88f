/** One statement of an AWS policy. */
export interface Statement {
    readonly Sid: string;
    readonly Effect: "Allow" | "Deny";
    readonly Principal?: "*" | { readonly AWS?: string; readonly Service?: string; readonly Federated?: string };
    readonly Action: string | readonly string[];
    readonly Resource?: string | readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A policy document, as IAM, KMS and S3 take it. */
export interface PolicyDocument {
    readonly Version: "2012-10-17";
    readonly Statement: readonly Statement[];
}

export const policyDocument = (...statements: readonly Statement[]): PolicyDocument => ({ Version: "2012-10-17", Statement: statements });

export const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`;
export const objectsArn = (bucket: string, prefix = "") => `arn:aws:s3:::${bucket}/${prefix}*`;
export const roleArn = (account: string, role: string) => `arn:aws:iam::${account}:role/${role}`;
