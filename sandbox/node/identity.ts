import type { V1Container, V1Pod, V1ServiceAccount } from "@kubernetes/client-node";

const directory = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
const volume = "aws-iam-token";

/**
 * Gives a pod the identity of its ServiceAccount's role, as EKS's pod identity webhook does: five variables (those that are set already stay) and a
 * projected token for sts.amazonaws.com. The node does it when it starts the pod, so the pod in the API does not show it.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-configuration.html
 * @see https://github.com/aws/amazon-eks-pod-identity-webhook
 */
export function withIdentity(pod: V1Pod, account: V1ServiceAccount | undefined, region: string): V1Pod {
    const role = account?.metadata?.annotations?.["eks.amazonaws.com/role-arn"];
    if (!role) return pod;
    const variables: Record<string, string> = {
        AWS_STS_REGIONAL_ENDPOINTS:
            account.metadata?.annotations?.["eks.amazonaws.com/sts-regional-endpoints"] === "false" ? "legacy" : "regional",
        AWS_DEFAULT_REGION: region,
        AWS_REGION: region,
        AWS_ROLE_ARN: role,
        AWS_WEB_IDENTITY_TOKEN_FILE: `${directory}/token`,
    };
    const give = (container: V1Container): V1Container => ({
        ...container,
        env: [
            ...(container.env ?? []),
            ...Object.entries(variables)
                .filter(([name]) => !container.env?.some((own) => own.name === name))
                .map(([name, value]) => ({ name, value })),
        ],
        volumeMounts: [...(container.volumeMounts ?? []), { name: volume, mountPath: directory, readOnly: true }],
    });
    const spec = pod.spec!;
    const token = { serviceAccountToken: { audience: "sts.amazonaws.com", expirationSeconds: 86400, path: "token" } };
    return {
        ...pod,
        spec: {
            ...spec,
            containers: spec.containers.map(give),
            ...(spec.initContainers && { initContainers: spec.initContainers.map(give) }),
            volumes: [...(spec.volumes ?? []), { name: volume, projected: { sources: [token] } }],
        },
    };
}
