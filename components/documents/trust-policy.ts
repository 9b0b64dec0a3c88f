import { policyDocument, type PolicyDocument } from "./statement.ts";

export interface PodTrust {
    /** The cluster's OIDC provider in IAM. */
    readonly oidcProviderArn: string;
    /** Its issuer, without `https://`. */
    readonly oidcIssuer: string;
    readonly namespace: string;
    readonly serviceAccount: string;
}

/** Lets the pods of one ServiceAccount, and nothing else, take a role. Source: https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html */
export const podTrust = ({ oidcProviderArn, oidcIssuer, namespace, serviceAccount }: PodTrust): PolicyDocument =>
    policyDocument({
        Sid: "PodsOfOneServiceAccount",
        Effect: "Allow",
        Principal: { Federated: oidcProviderArn },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
            StringEquals: {
                [`${oidcIssuer}:aud`]: "sts.amazonaws.com",
                [`${oidcIssuer}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}`,
            },
        },
    });

/** Lets one AWS service take a role, on behalf of this account alone (no confused deputy). */
export const serviceTrust = (service: string, account: string): PolicyDocument =>
    policyDocument({
        Sid: "OneService",
        Effect: "Allow",
        Principal: { Service: service },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "aws:SourceAccount": account } },
    });
