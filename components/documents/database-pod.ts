import type { SiteName } from "../../model/estate.ts";
import { archiveMount, archivePort, guardSocketMount, passwordNames, serverProbe, type ServerShape } from "../../model/servers.ts";
import { passwordMount, passwordVolume } from "./passwords.ts";
import { containerSecurity, environment, lifeboatContainer, podSecurity, resources, scratch, type PodTemplate } from "./pods.ts";

/** Name of the volume claim that holds a store's data. */
export const dataVolume = "data";

/** Name of the ConfigMap with a store's init script. */
export const initConfigMap = (store: string) => `${store}-init`;

type Mounts = NonNullable<Parameters<typeof lifeboatContainer>[0]["mounts"]>;

export interface DatabasePod {
    readonly store: string;
    readonly server: ServerShape;
    readonly database: string;
    readonly site: SiteName;
    readonly account: string;
    readonly serviceAccount: string;
    /** Size of the volume, in bytes: what is received of the log cannot be more. */
    readonly volume: number;
}

/**
 * The pod of a store's server. One template for both sites, and for an active and a passive one: who may write is the epoch's to say, and the
 * guard's to see to, so promotion changes nothing here and restarts nothing.
 *
 * - `seed` (init): copies the peer's data into an empty volume, where that is this site's part;
 * - `server`: starts read-only, and listens on loopback alone;
 * - `guard`: makes the server writable or read-only as its lease says, and is the way to it: it listens on the pod's address;
 * - `archive`: ships the log, takes backups, sends copies to the peer. No probe asks it: a database is not to wait for its archive.
 */
export function databasePod(o: DatabasePod): PodTemplate {
    const { server } = o;
    const data = { name: dataVolume, mountPath: server.dataMount };
    const passwords = passwordMount(o.store);
    const own = { mounts: [data, { name: "socket", mountPath: guardSocketMount }, passwords], place: o };
    const probe = { exec: { command: serverProbe(server) }, periodSeconds: 2, timeoutSeconds: 2 };
    return {
        metadata: { labels: databaseLabels(o.store) },
        spec: {
            serviceAccountName: o.serviceAccount,
            securityContext: podSecurity(server.uid),
            terminationGracePeriodSeconds: 60,
            initContainers: [lifeboatContainer({ ...own, name: "seed", args: ["seed", o.store] })],
            containers: [
                {
                    name: "server",
                    image: server.image,
                    args: server.args(o.site),
                    env: environment(server.env(o.store)),
                    volumeMounts: [
                        data,
                        { name: "socket", mountPath: server.socketMount },
                        passwords,
                        { name: "init", mountPath: "/docker-entrypoint-initdb.d", readOnly: true },
                    ],
                    startupProbe: { ...probe, failureThreshold: 300 },
                    readinessProbe: { ...probe, failureThreshold: 3 },
                    livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 6 },
                    resources: resources("250m", "512Mi", "1Gi"),
                    securityContext: containerSecurity,
                },
                lifeboatContainer({
                    ...own,
                    name: "guard",
                    args: ["guard", o.store],
                    listens: { name: "server", port: server.port, probed: true },
                }),
                archive(o, own.mounts),
            ],
            volumes: [
                scratch("socket"),
                scratch("archive", o.volume),
                scratch("tmp"),
                passwordVolume(o.store, passwordNames),
                { name: "init", configMap: { name: initConfigMap(o.store), defaultMode: 0o555 } },
            ],
        },
    };
}

/** With the server's own user: it reads the server's files. Its memory is the copying program's, the compressor's and the parts' that are on their way to S3. */
const archive = (o: DatabasePod, mounts: Mounts) =>
    lifeboatContainer({
        name: "archive",
        args: ["archive", o.store],
        place: o,
        mounts: [...mounts, { name: "archive", mountPath: archiveMount }],
        listens: { name: "archive", port: archivePort, probed: false },
        resources: resources("100m", "384Mi", "1Gi"),
    });

export const databaseLabels = (store: string) => ({ "app.kubernetes.io/name": store, "app.kubernetes.io/component": "database" });
