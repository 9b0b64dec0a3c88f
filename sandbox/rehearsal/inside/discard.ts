import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";

export interface DiscardRequest {
    context: string;
    namespace: string;
    /** A StatefulSet of one pod, with one volume claim `data`. */
    statefulSet: string;
}

/** Throws the pod of a StatefulSet away with its volume, as a node does that dies with its disk; gives the old pod's uid once another one is there. */
export async function discard(config: KubeConfig, { namespace, statefulSet }: DiscardRequest): Promise<{ discarded: string }> {
    const core = config.makeApiClient(CoreV1Api);
    const name = `${statefulSet}-0`;
    const uid = (await core.readNamespacedPod({ namespace, name })).metadata!.uid!;
    // The claim goes once no pod uses it, and the next pod asks for another one.
    await core.deleteNamespacedPersistentVolumeClaim({ namespace, name: `data-${name}` });
    await core.deleteNamespacedPod({ namespace, name, body: { gracePeriodSeconds: 0 } });
    for (;;) {
        const pods = await core.listNamespacedPod({ namespace, fieldSelector: `metadata.name=${name}` });
        const next = pods.items[0]?.metadata?.uid;
        if (next !== undefined && next !== uid) return { discarded: uid };
        await sleep(200);
    }
}
