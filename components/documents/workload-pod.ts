import { passwordDirectory } from "../../model/servers.ts";
import type { StoreKind } from "../../stores/kind.ts";
import { passwordMount, passwordVolume } from "./passwords.ts";
import { containerSecurity, environment, ownUser, podSecurity, resources, scratch, type PodTemplate } from "./pods.ts";

/** A store that a service needs. */
export interface Need {
    readonly store: string;
    readonly kind: StoreKind;
    readonly database: string;
}

export interface WorkloadPod {
    readonly service: string;
    readonly namespace: string;
    readonly image: string;
    readonly port: number;
    readonly healthPath: string;
    readonly needs: readonly Need[];
}

/** `orders-mysql` -> `ORDERS_MYSQL`. */
const variable = (store: string) => store.toUpperCase().replaceAll("-", "_");

/**
 * Where a store is, as environment: `MYSQL_HOST`, `MYSQL_PASSWORD_FILE`, …; where the service needs two of its kind, `ORDERS_MYSQL_HOST`, … after the store. The name leads to the
 * site's own server, whichever site this is.
 */
const whereabouts = ({ store, kind, database }: Need, namespace: string, alone: boolean) => {
    const prefix = alone ? kind.variables : variable(store);
    return environment({
        [`${prefix}_HOST`]: `${store}.${namespace}.svc`,
        [`${prefix}_PORT`]: String(kind.server.port),
        [`${prefix}_USER`]: "app",
        [`${prefix}_PASSWORD_FILE`]: `${passwordDirectory(store)}/app`,
        [`${prefix}_DATABASE`]: database,
    });
};

/**
 * Pod of a service: spread over zones and nodes, non-root, given the `app` password of the stores that it needs and nothing else.
 */
export function workloadPod(o: WorkloadPod): PodTemplate {
    const alone = ({ kind }: Need) => o.needs.filter((need) => need.kind === kind).length === 1;
    const health = { httpGet: { path: o.healthPath, port: o.port }, timeoutSeconds: 3 };
    const labels = workloadLabels(o.service);
    return {
        metadata: { labels },
        spec: {
            automountServiceAccountToken: false,
            securityContext: podSecurity(ownUser),
            topologySpreadConstraints: ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
                maxSkew: 1,
                topologyKey,
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: labels },
            })),
            containers: [
                {
                    name: "service",
                    image: o.image,
                    env: [
                        ...environment({ PORT: String(o.port) }),
                        ...o.needs.flatMap((need) => whereabouts(need, o.namespace, alone(need))),
                    ],
                    ports: [{ name: "http", containerPort: o.port }],
                    volumeMounts: [
                        ...o.needs.map(({ store }) => passwordMount(store, `passwords-${store}`)),
                        { name: "tmp", mountPath: "/tmp" },
                    ],
                    // Ready is what a customer would find; alive is only that it listens, so that a dead database restarts no pod.
                    readinessProbe: { ...health, periodSeconds: 2, failureThreshold: 2 },
                    livenessProbe: { tcpSocket: { port: o.port }, periodSeconds: 10, failureThreshold: 6 },
                    resources: resources("100m", "256Mi"),
                    securityContext: { ...containerSecurity, readOnlyRootFilesystem: true },
                },
            ],
            volumes: [scratch("tmp"), ...o.needs.map(({ store }) => passwordVolume(store, ["app"], `passwords-${store}`))],
        },
    };
}

export const workloadLabels = (service: string) => ({ "app.kubernetes.io/name": service, "app.kubernetes.io/component": "service" });
