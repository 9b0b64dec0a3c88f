import type { V1Pod } from "@kubernetes/client-node";
import { statusOf, type Cluster } from "./cluster.ts";

interface Reference {
    readonly name?: string;
    readonly optional?: boolean;
}
type Data = Readonly<Record<string, Buffer>>;

/** Where a pod's environment and volumes get their content from. */
export class PodSource {
    readonly cluster: Cluster;
    readonly pod: V1Pod;
    readonly address: string;

    constructor(cluster: Cluster, pod: V1Pod, address: string) {
        this.cluster = cluster;
        this.pod = pod;
        this.address = address;
    }

    get namespace(): string {
        return this.pod.metadata!.namespace!;
    }

    get hostname(): string {
        return this.pod.spec?.hostname ?? this.pod.metadata!.name!;
    }

    /** Keys and values; empty when it is optional and not there. */
    async configMap(reference: Reference): Promise<Data> {
        const map = await this.read(reference, () =>
            this.cluster.core.readNamespacedConfigMap({ name: reference.name!, namespace: this.namespace }),
        );
        return { ...decode(map?.data, "utf8"), ...decode(map?.binaryData, "base64") };
    }

    async secret(reference: Reference): Promise<Data> {
        const secret = await this.read(reference, () =>
            this.cluster.core.readNamespacedSecret({ name: reference.name!, namespace: this.namespace }),
        );
        return decode(secret?.data, "base64");
    }

    /** A field of the pod, by the paths that the downward API has. @throws Error for any other path */
    field(path: string): string {
        const { metadata, spec } = this.pod;
        const [, kind, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
        if (kind && key) return metadata?.[kind as "labels" | "annotations"]?.[key] ?? "";
        const all = (map: Record<string, string> | undefined) =>
            Object.entries(map ?? {})
                .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
                .join("\n");
        const fields: Record<string, string | undefined> = {
            "metadata.name": metadata?.name,
            "metadata.namespace": metadata?.namespace,
            "metadata.uid": metadata?.uid,
            "metadata.labels": all(metadata?.labels),
            "metadata.annotations": all(metadata?.annotations),
            "spec.nodeName": spec?.nodeName,
            "spec.serviceAccountName": spec?.serviceAccountName,
            "status.podIP": this.address,
            "status.podIPs": this.address,
            "status.hostIP": this.cluster.address,
            "status.hostIPs": this.cluster.address,
        };
        const value = fields[path];
        if (value === undefined) throw new Error(`the sandbox's node does not know the field ${path}`);
        return value;
    }

    /** A token of the pod's ServiceAccount, bound to the pod: when the pod is gone it counts no more. */
    async token(audience: string | undefined, expirationSeconds: number): Promise<string> {
        const answer = await this.cluster.core.createNamespacedServiceAccountToken({
            name: this.pod.spec?.serviceAccountName ?? "default",
            namespace: this.namespace,
            body: {
                spec: {
                    audiences: audience ? [audience] : [],
                    expirationSeconds,
                    boundObjectRef: { apiVersion: "v1", kind: "Pod", name: this.pod.metadata!.name!, uid: this.pod.metadata!.uid! },
                },
            },
        });
        return answer.status!.token!;
    }

    private async read<T>(reference: Reference, ask: () => Promise<T>): Promise<T | undefined> {
        try {
            return await ask();
        } catch (error) {
            if (reference.optional && statusOf(error) === 404) return undefined;
            throw error;
        }
    }
}

const decode = (data: Record<string, string> | undefined, encoding: BufferEncoding): Record<string, Buffer> =>
    Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]));
