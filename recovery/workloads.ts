import { setTimeout as sleep } from "node:timers/promises";
import { BatchV1Api, CoreV1Api, type KubeConfig, type V1Job } from "@kubernetes/client-node";
import { Failure } from "../model/failure.ts";
import { whyOf } from "./pod-log.ts";

/** What runs in one namespace of a site's cluster, as far as a fail-back moves it. */
export interface Workloads {
    /** Name of the cluster in the kubeconfig. */
    readonly context: string;
    /** @throws Failure "unavailable" where the cluster does not answer */
    reach(signal: AbortSignal): Promise<void>;
    /** Deletes a StatefulSet's pod and waits until another one stands in its place, started or not. */
    replacePod(pod: string, signal: AbortSignal): Promise<void>;
    /**
     * Runs a CronJob's work once, now, as `kubectl create job --from` does.
     * @param args of its containers, in place of their own
     * @returns all that its containers said
     * @throws Failure "no" where it failed, with the end of what it said
     */
    runOnce(cronJob: string, signal: AbortSignal, args?: readonly string[]): Promise<string>;
}

const pause = 500;
const keptOfMessage = 600;

export function workloadsOf(config: KubeConfig, namespace: string): Workloads {
    const context = config.getCurrentContext();
    const [core, batch] = [config.makeApiClient(CoreV1Api), config.makeApiClient(BatchV1Api)];
    const kubectl = `kubectl --context ${context} -n ${namespace}`;

    /** The client has no time limit of its own, and its errors are the server's own documents. */
    async function ask<T>(what: string, question: () => Promise<T>, signal: AbortSignal): Promise<T> {
        signal.throwIfAborted();
        const stopped = Promise.withResolvers<never>();
        const stop = () =>
            stopped.reject(new Failure("unavailable", `the cluster ${context} does not answer (${what})`, `${kubectl} get pods`));
        signal.addEventListener("abort", stop, { once: true });
        try {
            return await Promise.race([question(), stopped.promise]);
        } catch (error) {
            if (error instanceof Failure) throw error;
            const { message } = error as Error;
            throw new Failure(
                "unavailable",
                `${what} in the cluster ${context}: ${message.slice(0, keptOfMessage)}`,
                `${kubectl} get pods`,
                {
                    cause: error,
                },
            );
        } finally {
            signal.removeEventListener("abort", stop);
        }
    }
    const uidOf = async (pod: string) => {
        const { items } = await core.listNamespacedPod({ namespace, fieldSelector: `metadata.name=${pod}` });
        return items[0]?.metadata?.uid;
    };
    const finished = ({ status }: V1Job, type: string) =>
        status?.conditions?.find((condition) => condition.type === type && condition.status === "True");

    async function logOf(job: string): Promise<string> {
        const { items } = await core.listNamespacedPod({ namespace, labelSelector: `batch.kubernetes.io/job-name=${job}` });
        const newestLast = items.toSorted((a, b) => a.metadata!.creationTimestamp!.getTime() - b.metadata!.creationTimestamp!.getTime());
        const said: string[] = [];
        for (const { metadata, spec } of newestLast)
            for (const { name: container } of spec!.containers)
                said.push(await core.readNamespacedPodLog({ namespace, name: metadata!.name!, container }));
        return said.join("");
    }

    return {
        context,
        reach: async (signal) => void (await ask("listing pods", () => core.listNamespacedPod({ namespace, limit: 1 }), signal)),
        async replacePod(pod, signal) {
            const before = await ask(`looking for ${pod}`, () => uidOf(pod), signal);
            if (before !== undefined)
                await ask(
                    `deleting ${pod}`,
                    () => core.deleteNamespacedPod({ namespace, name: pod, body: { preconditions: { uid: before } } }),
                    signal,
                );
            for (;;) {
                const now = await ask(`looking for ${pod}`, () => uidOf(pod), signal);
                if (now !== undefined && now !== before) return;
                await sleep(pause, undefined, { signal });
            }
        },
        async runOnce(cronJob, signal, args) {
            const source = await ask(`reading ${cronJob}`, () => batch.readNamespacedCronJob({ namespace, name: cronJob }), signal);
            const { metadata, spec } = source.spec!.jobTemplate;
            const pod = spec!.template.spec!;
            if (args) for (const container of pod.containers) container.args = [...args];
            const owner = { apiVersion: "batch/v1", kind: "CronJob", name: cronJob, uid: source.metadata!.uid!, controller: true };
            const annotations = { ...metadata?.annotations, "cronjob.kubernetes.io/instantiate": "manual" };
            const body: V1Job = {
                metadata: { generateName: `${cronJob}-`, labels: metadata?.labels ?? {}, annotations, ownerReferences: [owner] },
                spec: spec!,
            };
            const made = await ask(`making a Job of ${cronJob}`, () => batch.createNamespacedJob({ namespace, body }), signal);
            const name = made.metadata!.name!;
            for (;;) {
                const job = await ask(`reading ${name}`, () => batch.readNamespacedJob({ namespace, name }), signal);
                const failed = finished(job, "Failed");
                if (failed || finished(job, "Complete")) {
                    const log = await ask(`reading the log of ${name}`, () => logOf(name), signal);
                    if (!failed) return log;
                    throw new Failure("no", `${name} failed (${failed.reason}): ${whyOf(log)}`, `${kubectl} describe job ${name}`);
                }
                await sleep(pause, undefined, { signal });
            }
        },
    };
}
