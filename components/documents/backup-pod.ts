import { scratchMount, type PasswordName } from "../../model/servers.ts";
import { passwordMount, passwordVolume } from "./passwords.ts";
import { lifeboatContainer, ownUser, podSecurity, resources, scratch, type Place, type PodTemplate } from "./pods.ts";

const labels = (store: string, duty: string) => ({ "app.kubernetes.io/name": `${duty}-${store}`, "app.kubernetes.io/component": "backup" });

/** Of a pod that starts a server from a backup: its buffers, the log's replay, and Lifeboat's own streams. It may wait for its neighbours: they serve. */
const scratchServer = resources("250m", "512Mi", "1536Mi", "2");

interface BackupPod {
    readonly store: string;
    readonly place: Place;
    readonly serviceAccount: string;
}

/** @param room bytes of a directory of its own for a scratch server; undefined where it starts none */
function podOf(
    { store, place, serviceAccount }: BackupPod,
    duty: string,
    args: readonly string[],
    users: readonly PasswordName[],
    room?: number,
): PodTemplate {
    const scratchOf = room === undefined ? {} : { resources: scratchServer };
    return {
        metadata: { labels: labels(store, duty) },
        spec: {
            serviceAccountName: serviceAccount,
            securityContext: podSecurity(ownUser),
            restartPolicy: "Never",
            containers: [
                lifeboatContainer({
                    ...{ name: duty, place, args: [...args, ...(room === undefined ? [] : ["--scratch", scratchMount])], ...scratchOf },
                    mounts: [
                        ...(users.length > 0 ? [passwordMount(store)] : []),
                        ...(room === undefined ? [] : [{ name: "scratch", mountPath: scratchMount }]),
                    ],
                }),
            ],
            volumes: [
                scratch("tmp"),
                ...(room === undefined ? [] : [scratch("scratch", room)]),
                ...(users.length > 0 ? [passwordVolume(store, users)] : []),
            ],
        },
    };
}

/** Asks the archive beside the server. */
export const backupPod = (o: BackupPod): PodTemplate => podOf(o, "backup", ["backup", o.store], ["backup"]);
/** What is found aside is read from the log. */
export const asidePod = (o: BackupPod): PodTemplate => podOf(o, "aside", ["aside", o.store, "--json"], ["backup"]);
export const expirePod = (o: BackupPod): PodTemplate => podOf(o, "expire", ["expire", o.store], []);
/** @param room bytes that an unpacked copy and its log may take */
export const verifyPod = (o: BackupPod & { room: number }): PodTemplate => podOf(o, "verify", ["verify", o.store], [], o.room);
/** A restore drill: a server of its own from the newest point and the log. It touches no live server, and leaves nothing. */
export const restorePod = (o: BackupPod & { room: number }): PodTemplate =>
    podOf(o, "restore", ["restore", o.store, "--drill", "--json"], [], o.room);

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
