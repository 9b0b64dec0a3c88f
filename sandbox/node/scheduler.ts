import type { V1Node, V1NodeSelectorTerm, V1Pod } from "@kubernetes/client-node";
import { describe, isGone, log, mergePatch, pools, type Cluster, type Pool } from "./cluster.ts";

/** Labels that a machine of a managed node group has, and the pool that stacks select by. */
export function nodeLabels(cluster: Cluster, pool: Pool): Record<string, string> {
    const name = cluster.nodeName(pool);
    return {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": cluster.place.region,
        "topology.kubernetes.io/zone": `${cluster.place.region}${pool === "system" ? "a" : "b"}`,
        "lifeboat.dev/pool": pool,
    };
}

/** Registers both machines, and goes on saying that they live. */
export async function registerNodes(cluster: Cluster): Promise<void> {
    const room = { cpu: "16", memory: "32Gi", pods: "110" };
    const register = async (pool: Pool) => {
        const name = cluster.nodeName(pool);
        await cluster.apply({ apiVersion: "v1", kind: "Node", metadata: { name, labels: nodeLabels(cluster, pool) } });
        const now = new Date();
        const status = {
            capacity: room,
            allocatable: room,
            addresses: [
                { type: "InternalIP", address: cluster.address },
                { type: "Hostname", address: name },
            ],
            daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
            nodeInfo: {
                ...{ kubeletVersion: "v1.35.4", kubeProxyVersion: "", osImage: "sandbox", operatingSystem: "linux", architecture: "amd64" },
                ...{ containerRuntimeVersion: "sandbox://1", kernelVersion: "", machineID: "", systemUUID: "", bootID: "" },
            },
            conditions: [{ type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: now, lastTransitionTime: now }],
        };
        await cluster.core.patchNodeStatus({ name, body: { status } }, mergePatch);
        const renew = () =>
            cluster.apply({
                apiVersion: "coordination.k8s.io/v1",
                kind: "Lease",
                metadata: { name, namespace: "kube-node-lease" },
                // Micro-seconds, as the type wants them.
                spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: new Date().toISOString().replace("Z", "000Z") },
            });
        await renew();
        setInterval(() => void renew().catch((error: unknown) => log(`lease of ${name}: ${describe(error)}`)), 10_000);
    };
    await Promise.all(pools.map(register));
}

/** Whether a machine's labels are what a pod asks for, by selector and by required node affinity. */
export function fits(pod: V1Pod, labels: Readonly<Record<string, string>>): boolean {
    const selected = Object.entries(pod.spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
    const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    return selected && (!terms || terms.some((term) => matches(term, labels)));
}

function matches(term: V1NodeSelectorTerm, labels: Readonly<Record<string, string>>): boolean {
    return (term.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
        const own = labels[key];
        switch (operator) {
            case "In":
                return own !== undefined && values.includes(own);
            case "NotIn":
                return own === undefined || !values.includes(own);
            case "Exists":
                return own !== undefined;
            case "DoesNotExist":
                return own === undefined;
            default:
                return false;
        }
    });
}

/**
 * Gives each pod a machine: one that its selector and node affinity allow, workload before system. Room is never short, and what pods ask of one
 * another (spread, affinity between pods) is accepted and not weighed: there is one machine of a kind.
 */
export class Scheduler {
    private readonly cluster: Cluster;
    private readonly binding = new Set<string>();
    private readonly cordoned = new Set<string>();

    constructor(cluster: Cluster) {
        this.cluster = cluster;
        cluster.watch<V1Node>(
            "/api/v1/nodes",
            () => cluster.core.listNode(),
            (node) => {
                if (node.spec?.unschedulable) this.cordoned.add(node.metadata!.name!);
                else this.cordoned.delete(node.metadata!.name!);
            },
        );
    }

    async bind(pod: V1Pod): Promise<void> {
        const { name = "", namespace = "", uid = "", deletionTimestamp } = pod.metadata ?? {};
        if (deletionTimestamp || pod.spec?.schedulingGates?.length || this.binding.has(uid)) return;
        this.binding.add(uid);
        try {
            const pool = pools
                .toReversed()
                .find((pool) => fits(pod, nodeLabels(this.cluster, pool)) && !this.cordoned.has(this.cluster.nodeName(pool)));
            if (!pool) return await this.refuse(pod);
            await this.chooseForClaims(pod, this.cluster.nodeName(pool));
            await this.cluster.core.createNamespacedPodBinding({
                name,
                namespace,
                body: { metadata: { name }, target: { kind: "Node", name: this.cluster.nodeName(pool) } },
            });
        } catch (error) {
            if (!isGone(error)) log(`binding ${namespace}/${name}: ${describe(error)}`);
        } finally {
            setTimeout(() => this.binding.delete(uid), 500);
        }
    }

    /** A claim that waits for its first consumer is told where that is. */
    private async chooseForClaims(pod: V1Pod, node: string): Promise<void> {
        for (const { persistentVolumeClaim } of pod.spec?.volumes ?? [])
            if (persistentVolumeClaim)
                await this.cluster.core.patchNamespacedPersistentVolumeClaim(
                    {
                        name: persistentVolumeClaim.claimName,
                        namespace: pod.metadata!.namespace!,
                        body: { metadata: { annotations: { "volume.kubernetes.io/selected-node": node } } },
                    },
                    mergePatch,
                );
    }

    private async refuse(pod: V1Pod): Promise<void> {
        const condition = {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "0/2 nodes are available: none matches the pod's node selector and affinity, or is not cordoned",
        };
        if (pod.status?.conditions?.some(({ type, reason }) => type === condition.type && reason === condition.reason)) return;
        await this.cluster.core.patchNamespacedPodStatus(
            { name: pod.metadata!.name!, namespace: pod.metadata!.namespace!, body: { status: { conditions: [condition] } } },
            mergePatch,
        );
    }
}
