import type { Difference } from "../differences.ts";
import { within } from "../differences.ts";

/** An object's type in the program and in the API. */
export interface ObjectKind {
    apiVersion: string;
    kind: string;
}

/** `kubernetes:core/v1:Secret` is `v1` `Secret`; `kubernetes:apps/v1:Deployment` is `apps/v1` `Deployment`. */
export function kindOf(token: string): ObjectKind | undefined {
    const [, group = "", version = "", kind = ""] = /^kubernetes:([^/:]+)\/([^/:]+):([A-Za-z0-9]+)$/.exec(token) ?? [];
    if (kind === "") return undefined;
    // Lists, patches and charts have a life of their own in the official provider, which is not copied.
    if (/(List|Patch)$/.test(kind) || ["helm.sh", "kustomize", "yaml"].includes(group)) return undefined;
    // Its await looks at ingress controllers, and the sandbox has none.
    if (kind === "Ingress") return undefined;
    return { apiVersion: group === "core" ? version : `${group}/${version}`, kind };
}

const clusterWide = new Set([
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "FlowSchema",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
]);
const builtIn = ({ apiVersion }: ObjectKind): boolean =>
    !/\/.*\//.test(apiVersion) && (!apiVersion.split("/")[0]!.includes(".") || apiVersion.split("/")[0]!.endsWith(".k8s.io"));

/** Whether the kind lives in a namespace; undefined for a custom kind, which only the cluster can tell. */
export const isNamespaced = (object: ObjectKind): boolean | undefined => (builtIn(object) ? !clusterWide.has(object.kind) : undefined);

/**
 * Fields whose change the API server refuses, so that the object must be made anew.
 * Source: https://github.com/pulumi/pulumi-kubernetes/blob/master/provider/pkg/provider/diff.go
 */
const immutable: Readonly<Record<string, readonly string[]>> = {
    "apps/v1 Deployment": ["spec.selector"],
    "apps/v1 DaemonSet": ["spec.selector"],
    "apps/v1 ReplicaSet": ["spec.selector"],
    "apps/v1 StatefulSet": ["spec.podManagementPolicy", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"],
    "batch/v1 Job": ["spec.completions", "spec.completionMode", "spec.parallelism", "spec.selector", "spec.template"],
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding": ["roleRef"],
    "rbac.authorization.k8s.io/v1 RoleBinding": ["roleRef"],
    "scheduling.k8s.io/v1 PriorityClass": ["value"],
    "storage.k8s.io/v1 StorageClass": ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
    "v1 PersistentVolume": ["spec.csi", "spec.hostPath", "spec.local", "spec.nfs", "spec.awsElasticBlockStore"],
    "v1 PersistentVolumeClaim": ["spec"],
    "v1 Pod": ["spec"],
    "v1 ResourceQuota": ["spec.scopes"],
    "v1 Secret": ["type"],
    "v1 Service": ["spec.clusterIP"],
};

/** How ConfigMaps and Secrets are changed: by default a new one takes the place of the old, so that pods see it. */
export interface Mutability {
    enableConfigMapMutable: boolean;
    enableSecretMutable: boolean;
}

/** Whether a difference needs a new object. Source of the two settings: https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/ */
export function needsNew(object: ObjectKind, { path }: Difference, mutability: Mutability): boolean {
    const key = `${object.apiVersion} ${object.kind}`;
    const fields = ["metadata.name", "metadata.namespace", ...(immutable[key] ?? [])];
    if (key === "v1 ConfigMap" && !mutability.enableConfigMapMutable) fields.push("data", "binaryData");
    if (key === "v1 Secret" && !mutability.enableSecretMutable) fields.push("data", "stringData");
    return fields.some((field) => within(path, field) || within(field, path));
}
