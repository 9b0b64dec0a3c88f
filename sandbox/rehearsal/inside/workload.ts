import { AppsV1Api, CoreV1Api, type KubeConfig } from "@kubernetes/client-node";

export interface ScaleRequest {
    context: string;
    namespace: string;
    deployment: string;
}
/** Pods that a Deployment is told to have, and those that are ready. */
export interface Scale {
    wanted: number;
    ready: number;
}

export async function scale(config: KubeConfig, { namespace, deployment }: ScaleRequest): Promise<Scale> {
    const { spec, status } = await config.makeApiClient(AppsV1Api).readNamespacedDeployment({ namespace, name: deployment });
    return { wanted: spec?.replicas ?? 0, ready: status?.readyReplicas ?? 0 };
}

export interface LogRequest {
    context: string;
    namespace: string;
    pod: string;
    container: string;
    lines: number;
}

/** The last lines that a container said. */
export const log = (config: KubeConfig, { namespace, pod, container, lines }: LogRequest): Promise<string> =>
    config.makeApiClient(CoreV1Api).readNamespacedPodLog({ namespace, name: pod, container, tailLines: lines });
