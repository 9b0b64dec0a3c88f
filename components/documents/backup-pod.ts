import type { StoreKind } from "../../model/estate.ts";
import { serverImages } from "../images.ts";
import { engines } from "./engine.ts";
import { passwordMount, passwordVolume, type StoreUser } from "./passwords.ts";
import { containerSecurity, lifeboatContainer, ownUser, podSecurity, resources, scratch, type Place, type PodTemplate } from "./pods.ts";

/** What a CronJob can do for a store. */
export type BackupDutyName = "backup" | "verify" | "expire";

/** Passwords that a duty needs: the verifier and the expirer never meet the server. */
const users: Readonly<Record<BackupDutyName, readonly StoreUser[]>> = { backup: ["backup"], verify: [], expire: [] };

const labels = (store: string, duty: string) => ({ "app.kubernetes.io/name": `${duty}-${store}`, "app.kubernetes.io/component": "backup" });

/** Pod of a Job that runs `lifeboat DUTY STORE`. */
export function backupPod(o: { store: string; duty: BackupDutyName; place: Place; serviceAccount: string }): PodTemplate {
    const needs = users[o.duty];
    return {
        metadata: { labels: labels(o.store, o.duty) },
        spec: {
            serviceAccountName: o.serviceAccount,
            securityContext: podSecurity(ownUser),
            restartPolicy: "Never",
            containers: [
                lifeboatContainer({
                    name: o.duty,
                    args: [o.duty, o.store],
                    place: o.place,
                    mounts: needs.length > 0 ? [passwordMount(o.store)] : [],
                }),
            ],
            volumes: [scratch("tmp"), ...(needs.length > 0 ? [passwordVolume(o.store, needs)] : [])],
        },
    };
}

/**
 * Pod of a restore drill: a server of its own on an empty volume (a sidecar, which ends when the restore has ended), and `lifeboat restore` into
 * it. It touches no live server.
 */
export function restorePod(o: { store: string; kind: StoreKind; database: string; place: Place; serviceAccount: string }): PodTemplate {
    const engine = engines[o.kind];
    return {
        metadata: { labels: labels(o.store, "restore") },
        spec: {
            serviceAccountName: o.serviceAccount,
            securityContext: podSecurity(engine.user),
            restartPolicy: "Never",
            initContainers: [
                {
                    name: "server",
                    image: serverImages[o.kind],
                    restartPolicy: "Always",
                    env: engine.environment(o.store, o.database),
                    volumeMounts: [
                        { name: "data", mountPath: engine.dataPath },
                        passwordMount(o.store),
                        ...engine.writable.map((mountPath, index) => ({ name: `writable-${index}`, mountPath })),
                    ],
                    startupProbe: { tcpSocket: { port: engine.port }, periodSeconds: 1, failureThreshold: 120 },
                    resources: resources("250m", "512Mi", "1Gi"),
                    securityContext: containerSecurity,
                },
            ],
            containers: [
                lifeboatContainer({
                    name: "restore",
                    args: ["restore", o.store, "--to", engine.url(o.database), "--json"],
                    place: o.place,
                    mounts: [passwordMount(o.store)],
                }),
            ],
            volumes: [
                scratch("data"),
                scratch("tmp"),
                ...engine.writable.map((_, index) => scratch(`writable-${index}`)),
                passwordVolume(o.store, ["root"]),
            ],
        },
    };
}

/** Pod of the latch's publisher. */
export const latchPod = (o: { place: Place; serviceAccount: string }): PodTemplate => ({
    metadata: { labels: { "app.kubernetes.io/name": "latch", "app.kubernetes.io/component": "traffic" } },
    spec: {
        serviceAccountName: o.serviceAccount,
        securityContext: podSecurity(ownUser),
        restartPolicy: "Never",
        containers: [lifeboatContainer({ name: "publish", args: ["latch", "publish"], place: o.place })],
        volumes: [scratch("tmp")],
    },
});
