import {
    CreateRoleCommand,
    GetRoleCommand,
    PutRolePolicyCommand,
    UpdateAssumeRolePolicyCommand,
    type IAMClient,
} from "@aws-sdk/client-iam";
import type { Estate } from "../../model/estate.ts";
import { names, witnessRegion } from "../../model/names.ts";
import { errorCode } from "../answers.ts";

/** Whoever of the account may assume roles, with a second factor: single sign-on may have gone down with the primary. */
export const breakGlassTrust = (account: string) => ({
    Version: "2012-10-17",
    Statement: [
        {
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${account}:root` },
            Action: "sts:AssumeRole",
            Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } },
        },
    ],
});

/** What an activation does: in the standby region, in the witness's bucket, and nowhere else. The cluster itself must let the role in (an EKS access entry). */
export function breakGlassPolicy(estate: Estate, account: string, stateKey: string) {
    const name = names(estate, account);
    const region = estate.sites.standby.region;
    const buckets = [name.stateBucket, name.coordinationBucket];
    const allow = (Sid: string, Action: string[], Resource: string | string[], where = region) => ({
        Sid,
        Effect: "Allow",
        Action,
        Resource,
        Condition: { StringEquals: { "aws:RequestedRegion": where } },
    });
    return {
        Version: "2012-10-17",
        Statement: [
            allow(
                "ListStateAndCoordination",
                ["s3:ListBucket", "s3:GetBucketLocation"],
                buckets.map((bucket) => `arn:aws:s3:::${bucket}`),
            ),
            // Deleting covers Pulumi's own locks; both buckets keep every version.
            allow(
                "StateAndCoordination",
                ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                buckets.map((bucket) => `arn:aws:s3:::${bucket}/*`),
            ),
            allow("ListWitness", ["s3:ListBucket"], `arn:aws:s3:::${name.witnessBucket}`, witnessRegion(estate)),
            allow("Witness", ["s3:GetObject", "s3:PutObject"], `arn:aws:s3:::${name.witnessBucket}/*`, witnessRegion(estate)),
            allow("StateKey", ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], stateKey),
            // What it runs comes from the released bundle, which it may not change.
            allow(
                "ReadRecoveryPointsAndReleases",
                ["s3:GetObject", "s3:ListBucket"],
                [name.vaultBucket("standby"), name.releaseBucket].flatMap((own) => [`arn:aws:s3:::${own}`, `arn:aws:s3:::${own}/*`]),
            ),
            allow("Latch", ["cloudwatch:PutMetricData", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"], "*"),
            allow(
                "Capacity",
                [
                    "autoscaling:Describe*",
                    "autoscaling:UpdateAutoScalingGroup",
                    "autoscaling:SetDesiredCapacity",
                    "ec2:Describe*",
                    "eks:DescribeCluster",
                ],
                "*",
            ),
            allow(
                "Secrets",
                ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                `arn:aws:secretsmanager:${region}:${account}:secret:${estate.name}/*`,
            ),
            allow("WhoAmI", ["sts:GetCallerIdentity"], "*"),
        ],
    };
}

/** Makes the break-glass role, and its documents in any case. True where it was made. IAM is a global control plane: for calm days only. */
export async function ensureBreakGlassRole(iam: IAMClient, estate: Estate, account: string, stateKey: string): Promise<boolean> {
    const RoleName = names(estate, account).breakGlassRole;
    const trust = JSON.stringify(breakGlassTrust(account));
    let made = false;
    try {
        await iam.send(new GetRoleCommand({ RoleName }));
        await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trust }));
    } catch (error) {
        if (errorCode(error) !== "NoSuchEntityException" && errorCode(error) !== "NoSuchEntity") throw error;
        const Description = `Activates the standby of ${estate.name} when nothing else of the account answers`;
        await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, Description, MaxSessionDuration: 12 * 3600 }));
        made = true;
    }
    const PolicyDocument = JSON.stringify(breakGlassPolicy(estate, account, stateKey));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "activate-the-standby", PolicyDocument }));
    return made;
}
