import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { SiteName, Store } from "../model/estate.ts";
import { archivePort } from "../model/servers.ts";
import { kindOf } from "../stores/registry.ts";
import { Component, type Options, type Transform } from "./component.ts";
import { databaseLabels, databasePod, dataVolume, initConfigMap } from "./documents/database-pod.ts";
import { doNotAwait, loadBalancerAnnotations } from "./documents/load-balancer.ts";
import { loadBalancerName } from "./load-balancer-name.ts";
import { StorePasswords } from "./store-passwords.ts";

export interface DatabaseArgs {
    /** Name of the store in the estate; the StatefulSet and the Service are called so. */
    store: string;
    declaration: Store;
    site: SiteName;
    /** AWS account, 12 digits. */
    account: string;
    namespace: string;
    /** ServiceAccount whose role may read the epoch and put into the vault: guard and archive. */
    serviceAccount: string;
    /** Name of the passwords' secret in Secrets Manager. */
    secret: string;
    /**
     * Region that the passwords are replicated to, where they are born.
     * @default none: they are read from this region's replica
     */
    passwordsReplicatedTo?: string;
    /** Whether there is a server: none in a standby that has no peer to copy from yet. */
    running: boolean;
    transform?: {
        statefulSet?: Transform<k8s.types.input.apps.v1.StatefulSet>;
        peerService?: Transform<k8s.types.input.core.v1.Service>;
    };
}

/**
 * What a store's names lead to. There is one pod, and its guard and archive refuse by themselves what may not be: an archive that is being restarted, which makes the pod
 * "not ready", keeps nobody from the server (`publishNotReadyAddresses`).
 */
const ports = (server: number) => [
    { name: "server", port: server, targetPort: server, protocol: "TCP" },
    { name: "archive", port: archivePort, targetPort: archivePort, protocol: "TCP" },
];

/**
 * A store's server in one site: a StatefulSet of one pod with a volume that outlives it, its passwords, a Service for the site's own clients and
 * an internal load balancer for the peer's replica. It replicates by its own engine's means; the guard in the pod follows the epoch.
 *
 * Cost: the pod's node share (400 millicores, 1152 MiB); 0.08 USD per GB-month of volume; 16 USD a month for the load balancer (us-east-1, 2025).
 */
export class Database extends Component {
    /** Name of the load balancer that the peer reaches. */
    readonly peerName: pulumi.Output<string>;
    readonly nodes: { statefulSet: k8s.apps.v1.StatefulSet; service: k8s.core.v1.Service; peerService: k8s.core.v1.Service };

    constructor(name: string, args: DatabaseArgs, options: Options = {}) {
        super("Database", name, options);
        const passwords = this.#passwords(name, args);
        const init = this.#init(args);
        const service = this.#service(args);
        const peerService = this.#peerService(args);
        const statefulSet = this.#statefulSet(args, [passwords.nodes.mounted, init, service]);

        this.peerName = loadBalancerName(peerService);
        this.nodes = { statefulSet, service, peerService };
        this.registerOutputs({ peerName: this.peerName });
    }

    #passwords(name: string, { store, secret, namespace, passwordsReplicatedTo }: DatabaseArgs) {
        const born = passwordsReplicatedTo === undefined ? {} : { bornHereAndReplicatedTo: passwordsReplicatedTo };
        return new StorePasswords(`${name}-passwords`, { store, secret, namespace, ...born }, { parent: this });
    }

    #init({ store, declaration, namespace }: DatabaseArgs) {
        const data = kindOf(declaration).server.initScripts(store, declaration.database);
        const metadata = { name: initConfigMap(store), namespace };
        return new k8s.core.v1.ConfigMap(...this.child("init", { metadata, data }));
    }

    #service({ store, declaration, namespace }: DatabaseArgs) {
        const { port } = kindOf(declaration).server;
        return new k8s.core.v1.Service(
            ...this.child("service", {
                metadata: { name: store, namespace, annotations: doNotAwait },
                spec: { selector: databaseLabels(store), ports: ports(port), publishNotReadyAddresses: true },
            }),
        );
    }

    #peerService({ store, declaration, namespace, transform }: DatabaseArgs) {
        const { port } = kindOf(declaration).server;
        const args: k8s.types.input.core.v1.Service = {
            metadata: { name: `${store}-peer`, namespace, annotations: loadBalancerAnnotations("internal") },
            spec: {
                type: "LoadBalancer",
                selector: databaseLabels(store),
                ports: ports(port),
                publishNotReadyAddresses: true,
            },
        };
        return new k8s.core.v1.Service(...this.child("peer", args, {}, transform?.peerService));
    }

    #statefulSet(o: DatabaseArgs, dependsOn: pulumi.Resource[]) {
        const { store, declaration, namespace, running, transform } = o;
        const { database, volume } = declaration;
        const args: k8s.types.input.apps.v1.StatefulSet = {
            metadata: { name: store, namespace, annotations: doNotAwait },
            spec: {
                replicas: running ? 1 : 0,
                serviceName: store,
                selector: { matchLabels: databaseLabels(store) },
                // The claims that a StatefulSet makes are nobody's Pulumi resource: this is what keeps them.
                persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
                template: databasePod({ ...o, server: kindOf(declaration).server, database, volume }),
                volumeClaimTemplates: [
                    {
                        metadata: { name: dataVolume },
                        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: String(volume) } } },
                    },
                ],
            },
        };
        return new k8s.apps.v1.StatefulSet(...this.child("server", args, { dependsOn, retainOnDelete: true }, transform?.statefulSet));
    }
}
