import type { StoreKind } from "../../stores/kind.ts";
import { passwordNames, serverProbe, type PasswordName } from "../../model/servers.ts";
import { initConfigMap } from "./database-pod.ts";
import { passwordMount, passwordVolume } from "./passwords.ts";
import {
    containerSecurity,
    environment,
    lifeboatContainer,
    ownUser,
    podSecurity,
    resources,
    scratch,
    type Place,
    type PodTemplate,
} from "./pods.ts";

/** What a CronJob can do for a store. */
export type BackupDutyName = "backup" | "aside" | "verify" | "expire";

/** Passwords that a duty needs: the verifier and the expirer never meet the server. */
const users: Readonly<Record<BackupDutyName, readonly PasswordName[]>> = { backup: ["backup"], aside: ["backup"], verify: [], expire: [] };

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
                    // What is found aside is read from the log.
                    args: [o.duty, o.store, ...(o.duty === "aside" ? ["--json"] : [])],
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
    const { server } = o.kind;
    return {
        metadata: { labels: labels(o.store, "restore") },
        spec: {
            serviceAccountName: o.serviceAccount,
            securityContext: podSecurity(server.uid),
            restartPolicy: "Never",
            initContainers: [
                {
                    name: "server",
                    image: server.image,
                    restartPolicy: "Always",
                    args: server.args(o.place.site),
                    env: environment(server.env(o.store)),
                    volumeMounts: [
                        { name: "data", mountPath: server.dataMount },
                        passwordMount(o.store),
                        { name: "socket", mountPath: server.socketMount },
                        { name: "init", mountPath: "/docker-entrypoint-initdb.d", readOnly: true },
                    ],
                    startupProbe: { exec: { command: serverProbe(server) }, periodSeconds: 1, failureThreshold: 120 },
                    resources: resources("250m", "512Mi", "1Gi"),
                    securityContext: containerSecurity,
                },
            ],
            containers: [
                lifeboatContainer({
                    name: "restore",
                    args: ["restore", o.store, "--to", scratchUrl(o.kind, o.database), "--json"],
                    place: o.place,
                    mounts: [passwordMount(o.store)],
                }),
            ],
            volumes: [
                scratch("data"),
                scratch("tmp"),
                scratch("socket"),
                { name: "init", configMap: { name: initConfigMap(o.store), defaultMode: 0o555 } },
                passwordVolume(o.store, passwordNames),
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

/** The server beside the caller, as `--to` names it. Its superuser's password is in the store's password files. */
const scratchUrl = ({ schemes, server }: StoreKind, database: string) =>
    `${schemes[0]}://${server.superuser}@127.0.0.1:${server.port}/${database}`;
