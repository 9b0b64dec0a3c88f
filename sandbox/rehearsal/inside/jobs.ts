import { setTimeout as sleep } from "node:timers/promises";
import { BatchV1Api, CoreV1Api, type KubeConfig, type V1Job } from "@kubernetes/client-node";

export interface JobsRequest {
    /** Context in KUBECONFIG. */
    context: string;
    namespace: string;
    /** A Job is made of each of these CronJobs, all at once. */
    cronJobs: string[];
    limitMs: number;
}
export interface JobResult {
    cronJob: string;
    job: string;
    succeeded: boolean;
    /** What the Job's containers but its sidecars said, all pods of it, oldest first. */
    log: string;
    /** Why it did not succeed. */
    reason?: string;
    seconds: number;
}

/** Makes Jobs of CronJobs as `kubectl create job --from` does, waits for them and gives back what they said. */
export async function jobs(config: KubeConfig, { namespace, cronJobs, limitMs }: JobsRequest): Promise<JobResult[]> {
    const batch = config.makeApiClient(BatchV1Api);
    const core = config.makeApiClient(CoreV1Api);
    return Promise.all(
        cronJobs.map(async (cronJob): Promise<JobResult> => {
            const started = performance.now();
            const source = await batch.readNamespacedCronJob({ name: cronJob, namespace });
            const { metadata, spec } = source.spec!.jobTemplate;
            const made = await batch.createNamespacedJob({
                namespace,
                body: {
                    metadata: {
                        generateName: `${cronJob}-rehearsal-`,
                        labels: metadata?.labels ?? {},
                        annotations: { ...metadata?.annotations, "cronjob.kubernetes.io/instantiate": "manual" },
                        ownerReferences: [
                            { apiVersion: "batch/v1", kind: "CronJob", name: cronJob, uid: source.metadata!.uid!, controller: true },
                        ],
                    },
                    spec: spec!,
                },
            });
            const job = made.metadata!.name!;
            const ended = await untilOver(batch, namespace, job, limitMs);
            const log = await logs(core, namespace, job);
            return {
                cronJob,
                job,
                succeeded: ended.succeeded,
                log,
                ...(ended.reason === undefined ? {} : { reason: ended.reason }),
                seconds: (performance.now() - started) / 1000,
            };
        }),
    );
}

async function untilOver(
    batch: BatchV1Api,
    namespace: string,
    name: string,
    limitMs: number,
): Promise<{ succeeded: boolean; reason?: string }> {
    const end = performance.now() + limitMs;
    while (performance.now() < end) {
        const job: V1Job = await batch.readNamespacedJob({ name, namespace });
        for (const condition of job.status?.conditions ?? [])
            if (condition.status === "True") {
                if (condition.type === "Complete") return { succeeded: true };
                if (condition.type === "Failed") return { succeeded: false, reason: `${condition.reason}: ${condition.message}` };
            }
        await sleep(250);
    }
    return { succeeded: false, reason: `not over within ${limitMs / 1000} s` };
}

async function logs(core: CoreV1Api, namespace: string, job: string): Promise<string> {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: `batch.kubernetes.io/job-name=${job}` });
    const pods = items.toSorted((a, b) => a.metadata!.creationTimestamp!.getTime() - b.metadata!.creationTimestamp!.getTime());
    const said: string[] = [];
    for (const pod of pods)
        for (const container of pod.spec!.containers)
            said.push(await core.readNamespacedPodLog({ namespace, name: pod.metadata!.name!, container: container.name }));
    return said.join("");
}
