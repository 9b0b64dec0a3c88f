import type {
    V1ContainerState,
    V1ContainerStateTerminated,
    V1ContainerStatus,
    V1Pod,
    V1PodCondition,
    V1PodStatus,
} from "@kubernetes/client-node";

/** Where a container stands: exactly one of waiting, running, terminated, as the API has it. */
export interface ContainerState {
    readonly name: string;
    readonly image: string;
    /** An init container with restartPolicy Always: a native sidecar. */
    readonly kind: "main" | "init" | "sidecar";
    state: V1ContainerState;
    last?: V1ContainerStateTerminated;
    ready: boolean;
    started: boolean;
    restarts: number;
}

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

export function containerStatus(container: ContainerState, uid: string): V1ContainerStatus {
    const { name, image, state, last, restarts } = container;
    const ran = state.running || state.terminated || last;
    return {
        name,
        image,
        imageID: `sandbox://${image}`,
        containerID: ran ? `sandbox://${uid}/${name}/${restarts}` : "",
        // An init container is "ready" once it has done its work.
        ready: container.kind === "init" ? state.terminated?.exitCode === 0 : container.ready,
        started: container.started && !!state.running,
        restartCount: restarts,
        state,
        lastState: last ? { terminated: last } : {},
    };
}

/**
 * Phase of a pod. It is Running once all init containers are done and a main container has been started; over when all main ones are.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
 */
export function phaseOf(containers: readonly ContainerState[], over: boolean): Phase {
    const mains = containers.filter(({ kind }) => kind === "main");
    if (over) return mains.every(({ state }) => state.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
    return mains.some(({ state, last }) => state.running || state.terminated || last) ? "Running" : "Pending";
}

export interface PodFacts {
    readonly pod: V1Pod;
    readonly containers: readonly ContainerState[];
    readonly address: string;
    readonly hostAddress: string;
    readonly startTime: Date;
    readonly initialized: boolean;
    /** All main containers are over and none will be started again. */
    readonly over: boolean;
}

/** The status that the kubelet would report. Conditions keep the time at which they last changed; those of others stay. */
export function podStatus(facts: PodFacts): V1PodStatus {
    const { pod, containers, over } = facts;
    const phase = phaseOf(containers, over);
    const serving = containers.filter(({ kind }) => kind !== "init");
    const ready = phase === "Running" && facts.initialized && serving.every((container) => container.ready);
    const former = pod.status?.conditions ?? [];
    const condition = (type: string, holds: boolean, reason: string): V1PodCondition => {
        const status = holds ? "True" : "False";
        const old = former.find((other) => other.type === type);
        const since = old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : new Date();
        return { type, status, lastTransitionTime: since, ...(!holds && { reason }) };
    };
    const unready = phase === "Succeeded" ? "PodCompleted" : phase === "Failed" ? "PodFailed" : "ContainersNotReady";
    const own = [
        condition("PodScheduled", true, ""),
        condition("Initialized", facts.initialized, "ContainersNotInitialized"),
        condition("ContainersReady", ready, unready),
        condition("Ready", ready, unready),
    ];
    const statuses = (wanted: (kind: ContainerState["kind"]) => boolean) =>
        containers.filter(({ kind }) => wanted(kind)).map((container) => containerStatus(container, pod.metadata!.uid!));
    const inits = statuses((kind) => kind !== "main");
    return {
        phase,
        conditions: [...own, ...former.filter((other) => !own.some(({ type }) => type === other.type))],
        hostIP: facts.hostAddress,
        hostIPs: [{ ip: facts.hostAddress }],
        podIP: facts.address,
        podIPs: [{ ip: facts.address }],
        startTime: facts.startTime,
        containerStatuses: statuses((kind) => kind === "main"),
        ...(inits.length > 0 && { initContainerStatuses: inits }),
    };
}

/** Seconds to wait before a container is started again: none the first time, then 10, 20, 40 … 300, as the kubelet does. */
export function backOff(previous: number | undefined, ranSeconds: number): number {
    // Ten minutes without a crash wipe the slate.
    if (previous === undefined || ranSeconds >= 600) return 0;
    return previous === 0 ? 10 : Math.min(previous * 2, 300);
}
