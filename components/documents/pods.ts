import type { types } from "@pulumi/kubernetes";
import type { SiteName } from "../../model/estate.ts";
import { lifeboatImage } from "../images.ts";

export type Container = types.input.core.v1.Container;
export type PodTemplate = types.input.core.v1.PodTemplateSpec;
export type Volume = types.input.core.v1.Volume;

/** User of our own images (their Dockerfiles): unprivileged. */
export const ownUser = 10_001;

/** No root, no privileges, no new ones. `fsGroup` makes volumes writable for the user's group. */
export const podSecurity = (user: number) => ({
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
});

export const containerSecurity = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };

/** @param cpuLimit only where the work may wait for its neighbours: none by default */
export const resources = (cpu: string, memory: string, memoryLimit = memory, cpuLimit?: string) => ({
    requests: { cpu, memory },
    limits: { memory: memoryLimit, ...(cpuLimit === undefined ? {} : { cpu: cpuLimit }) },
});

/** Where a pod stands: what `lifeboat` needs to derive every name. */
export interface Place {
    readonly site: SiteName;
    /** AWS account, 12 digits. */
    readonly account: string;
}

/** Variables as a container lists them. */
export const environment = (variables: Readonly<Record<string, string>>) =>
    Object.entries(variables).map(([name, value]) => ({ name, value }));

/** Environment of every container that runs `lifeboat`: never a secret. */
export const placeEnvironment = ({ site, account }: Place) => environment({ LIFEBOAT_SITE: site, LIFEBOAT_ACCOUNT: account });

/** A container that runs `lifeboat ARGUMENTS`. It writes nothing but /tmp. */
export function lifeboatContainer(o: {
    name: string;
    args: readonly string[];
    place: Place;
    mounts?: types.input.core.v1.VolumeMount[];
    /** Default: 50 millicores, 256 MiB, at most 512 MiB. */
    resources?: ReturnType<typeof resources>;
    /** A port of the pod's address, which it is told in LIFEBOAT_POD_ADDRESS. `probed`: ready when it listens. */
    listens?: { name: string; port: number; probed: boolean };
}): Container {
    const address = { name: "LIFEBOAT_POD_ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } };
    return {
        name: o.name,
        image: lifeboatImage,
        args: [...o.args],
        env: [...placeEnvironment(o.place), ...(o.listens ? [address] : [])],
        ...(o.listens && {
            ports: [{ name: o.listens.name, containerPort: o.listens.port }],
        }),
        ...(o.listens?.probed && {
            readinessProbe: { tcpSocket: { port: o.listens.port }, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 },
        }),
        volumeMounts: [...(o.mounts ?? []), { name: "tmp", mountPath: "/tmp" }],
        resources: o.resources ?? resources("50m", "256Mi", "512Mi"),
        securityContext: { ...containerSecurity, readOnlyRootFilesystem: true },
    };
}

/** @param bytes a pod that fills it further is evicted. Default: no limit */
export const scratch = (name: string, bytes?: number): Volume => ({
    name,
    emptyDir: bytes === undefined ? {} : { sizeLimit: String(bytes) },
});
