/**
 * When an object counts as ready: the official provider's await logic, so that what would hang there hangs here.
 * Source: https://github.com/pulumi/pulumi-kubernetes/tree/master/provider/pkg/await and
 * https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
 */
import { list, record, text, type Props, type Value } from "../values.ts";

/** It can never become ready: nobody needs to wait for it. */
export class Hopeless extends Error {
    override readonly name = "Hopeless";
}

/** Why it is not ready yet; nothing when it is. */
type Waiting = string | undefined;
interface Looking {
    /** A list of other objects in the same namespace. */
    list(apiVersion: string, kind: string, labelSelector?: string): Promise<Props[]>;
    /** A cluster-wide object by name; undefined when it is not there. */
    find(apiVersion: string, kind: string, name: string): Promise<Props | undefined>;
    /** Whether the object has already stood for so long without a change of what it waits for. */
    settled(what: string, seconds: number): boolean;
}
export interface Await {
    /** Default limit in seconds. */
    limit: number;
    /** Whether a refresh looks too, as the official provider's read does. */
    onRead: boolean;
    /** @throws Hopeless when it can never become ready */
    waiting(live: Props, looking: Looking): Promise<Waiting> | Waiting;
}

const spec = (live: Props): Props => record(live["spec"]);
const status = (live: Props): Props => record(live["status"]);
const number = (value: Value): number => Number(value ?? 0);
const observed = (live: Props): boolean => number(status(live)["observedGeneration"]) >= number(record(live["metadata"])["generation"]);
const condition = (live: Props, type: string): Props =>
    list(status(live)["conditions"])
        .map(record)
        .find((one) => one["type"] === type) ?? {};
const wanted = (live: Props): number => number(spec(live)["replicas"] ?? 1);

/** Messages of a workload's unhappy containers, for the person who waits. */
async function podTroubles(live: Props, looking: Looking): Promise<string> {
    const labels = record(record(spec(live)["selector"])["matchLabels"]);
    const selector = Object.entries(labels)
        .map(([name, value]) => `${name}=${text(value)}`)
        .join(",");
    const troubles = (await looking.list("v1", "Pod", selector)).flatMap((pod) => {
        const name = text(record(pod["metadata"])["name"]);
        const states = [...list(status(pod)["initContainerStatuses"]), ...list(status(pod)["containerStatuses"])].map(record);
        const waiting = states.flatMap(({ name: container, state }) => {
            const { reason, message } = { ...record(record(state)["terminated"]), ...record(record(state)["waiting"]) };
            return reason === undefined || reason === "Completed"
                ? []
                : [`pod ${name}, container ${text(container)}: ${text(reason)} ${text(message)}`.trim()];
        });
        const unscheduled = condition(pod, "PodScheduled");
        return unscheduled["status"] === "False" ? [`pod ${name}: ${text(unscheduled["message"])}`, ...waiting] : waiting;
    });
    return troubles.length > 0 ? `; ${troubles.join("; ")}` : "";
}

const deployment: Await = {
    limit: 600,
    onRead: true,
    async waiting(live, looking) {
        const { updatedReplicas, readyReplicas, replicas } = status(live);
        const progressing = condition(live, "Progressing");
        const rolled = progressing["status"] === "True" && progressing["reason"] === "NewReplicaSetAvailable";
        const ready = observed(live) && rolled && condition(live, "Available")["status"] === "True";
        if (
            ready &&
            number(updatedReplicas) >= wanted(live) &&
            number(readyReplicas) >= wanted(live) &&
            number(replicas) === number(updatedReplicas)
        )
            return undefined;
        return `${number(readyReplicas)} of ${wanted(live)} pods of the Deployment are ready${await podTroubles(live, looking)}`;
    },
};

const statefulSet: Await = {
    limit: 600,
    onRead: true,
    async waiting(live, looking) {
        const { replicas, readyReplicas, currentReplicas, updatedReplicas, currentRevision, updateRevision } = status(live);
        const onDelete = record(spec(live)["updateStrategy"])["type"] === "OnDelete" && number(record(live["metadata"])["generation"]) > 1;
        const counts = [replicas, readyReplicas, ...(onDelete ? [] : [currentReplicas ?? updatedReplicas])];
        const rolled = onDelete || currentRevision === updateRevision;
        if (observed(live) && rolled && counts.every((count) => number(count) === wanted(live))) return undefined;
        return `${number(readyReplicas)} of ${wanted(live)} pods of the StatefulSet are ready${await podTroubles(live, looking)}`;
    },
};

const daemonSet: Await = {
    limit: 600,
    onRead: true,
    async waiting(live, looking) {
        const { desiredNumberScheduled, numberReady, updatedNumberScheduled } = status(live);
        const all = number(desiredNumberScheduled);
        if (observed(live) && number(numberReady) >= all && number(updatedNumberScheduled) >= all) return undefined;
        return `${number(numberReady)} of ${all} pods of the DaemonSet are ready${await podTroubles(live, looking)}`;
    },
};

/** Pods behind it, settled for 10 s; and for type LoadBalancer an address. Headless and external ones need no pods. */
const service: Await = {
    limit: 600,
    onRead: true,
    async waiting(live, looking) {
        const { type = "ClusterIP", clusterIP } = spec(live);
        if (type === "LoadBalancer" && list(record(status(live)["loadBalancer"])["ingress"]).length === 0)
            return "the Service was not allocated an address: does this cloud make load balancers?";
        if (type === "ExternalName" || clusterIP === "None") return undefined;
        const slices = await looking.list(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            `kubernetes.io/service-name=${text(record(live["metadata"])["name"])}`,
        );
        const endpoints = slices.flatMap((slice) => list(slice["endpoints"]).map((one) => list(record(one)["addresses"]).map(text).join()));
        if (endpoints.length === 0)
            return "the Service does not target any Pods: they may not be ready, or spec.selector matches none (pulumi.com/skipAwait says not to wait)";
        return looking.settled(endpoints.sort().join(), 10) ? undefined : "the Service's endpoints are settling (10 s)";
    },
};

const job: Await = {
    limit: 600,
    onRead: true,
    waiting(live) {
        if (condition(live, "Complete")["status"] === "True" || spec(live)["suspend"] === true) return undefined;
        const failed = condition(live, "Failed");
        if (failed["status"] === "True") throw new Hopeless(`the Job failed: ${text(failed["reason"])} ${text(failed["message"])}`);
        return `the Job has not completed: ${number(status(live)["succeeded"])} succeeded, ${number(status(live)["failed"])} failed`;
    },
};

const pod: Await = {
    limit: 600,
    onRead: true,
    waiting(live) {
        if (status(live)["phase"] === "Succeeded" || condition(live, "Ready")["status"] === "True") return undefined;
        return `the Pod is ${text(status(live)["phase"]) || "not seen by a node"}, and not ready`;
    },
};

const claim: Await = {
    limit: 300,
    onRead: false,
    async waiting(live, looking) {
        const className = text(spec(live)["storageClassName"]);
        const storage = className === "" ? undefined : await looking.find("storage.k8s.io/v1", "StorageClass", className);
        const phase = status(live)["phase"];
        // Such a claim is bound when the first pod wants it, which may be after this update.
        if (phase === "Bound" || (storage?.["volumeBindingMode"] === "WaitForFirstConsumer" && phase === "Pending")) return undefined;
        return `the PersistentVolumeClaim is ${text(phase) || "not seen"}, not Bound`;
    },
};

const volume: Await = {
    limit: 300,
    onRead: false,
    waiting: (live) => (["Available", "Bound"].includes(text(status(live)["phase"])) ? undefined : "the PersistentVolume is not available"),
};

const quota: Await = {
    limit: 60,
    onRead: false,
    waiting: (live) =>
        Object.keys(record(spec(live)["hard"])).every((name) => name in record(status(live)["hard"]))
            ? undefined
            : "the ResourceQuota is not in force",
};

const tokenSecret: Await = {
    limit: 5,
    onRead: false,
    waiting: (live) =>
        live["type"] !== "kubernetes.io/service-account-token" || Object.keys(record(live["data"])).length > 0
            ? undefined
            : "the Secret has no token yet",
};

/** By kind; any other is ready once it exists. */
export const awaits: Readonly<Record<string, Await>> = {
    "apps/v1 DaemonSet": daemonSet,
    "apps/v1 Deployment": deployment,
    "apps/v1 StatefulSet": statefulSet,
    "batch/v1 Job": job,
    "v1 PersistentVolume": volume,
    "v1 PersistentVolumeClaim": claim,
    "v1 Pod": pod,
    "v1 ResourceQuota": quota,
    "v1 Secret": tokenSecret,
    "v1 Service": service,
};

/** How long a deletion is waited for, in seconds. */
export const deletionLimit = ({ apiVersion, kind }: { apiVersion: string; kind: string }): number =>
    ["apps/v1 Deployment", "apps/v1 StatefulSet", "apps/v1 DaemonSet"].includes(`${apiVersion} ${kind}`) ? 600 : 300;
