import { policyDocument, roleArn, type PolicyDocument, type Statement } from "./statement.ts";

export interface KeyUsers {
    /** AWS account, 12 digits. */
    readonly account: string;
    /** Names of roles that may make data keys, and nothing else. */
    readonly encrypt: readonly string[];
    /** Names of roles that may decrypt. */
    readonly decrypt: readonly string[];
}

/**
 * Who may do what with a key. A policy that names a role which does not exist yet is refused by KMS, and the roles of one site are made after the
 * keys of both: so the principal is the account, and a condition says which of its roles is meant.
 * The account's root may administer the key, not use it.
 */
export function keyPolicy({ account, encrypt, decrypt }: KeyUsers): PolicyDocument {
    const Principal = { AWS: `arn:aws:iam::${account}:root` };
    const only = (roles: readonly string[]) => ({ ArnEquals: { "aws:PrincipalArn": roles.map((role) => roleArn(account, role)) } });
    const use = (Sid: string, Action: readonly string[], roles: readonly string[]): Statement[] =>
        roles.length === 0 ? [] : [{ Sid, Effect: "Allow", Principal, Action, Resource: "*", Condition: only(roles) }];
    return policyDocument(
        { Sid: "Administer", Effect: "Allow", Principal, Action: administration, Resource: "*" },
        ...use("Encrypt", ["kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:Encrypt", "kms:DescribeKey"], encrypt),
        ...use("Decrypt", ["kms:Decrypt", "kms:DescribeKey"], decrypt),
    );
}

/** All that is done to a key, as opposed to with it. Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
const administration = [
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ReplicateKey",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
];
