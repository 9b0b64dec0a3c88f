import { readFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { join } from "node:path";
import type { V1EndpointSlice, V1Service } from "@kubernetes/client-node";
import { describe, keyOf, log, mergePatch, type Cluster } from "./cluster.ts";
import { listenersOf, hostsOf, loadBalancerHost, type ListenerPlan } from "./service-table.ts";

interface Listener {
    readonly server: Server;
    plan: ListenerPlan;
}

/**
 * Makes Services real: a proxy on each cluster IP and load balancer that has ready endpoints (without one the connection is refused, as kube-proxy
 * does), names for the pods' hosts files, and load balancers' host names in their status.
 *
 * A connection is passed on by this process, so that a server sees the node's address and not the client's.
 */
export class Services {
    private readonly cluster: Cluster;
    private readonly services = new Map<string, V1Service>();
    private readonly slices = new Map<string, V1EndpointSlice>();
    private readonly listeners = new Map<string, Listener>();
    private readonly onChange: () => void;
    private scheduled = false;
    private secret: { key: Buffer; cert: Buffer } | undefined;

    /** @param changed is called when names may have changed: hosts files are to be written anew */
    constructor(cluster: Cluster, changed: () => void) {
        this.cluster = cluster;
        this.onChange = changed;
        const keep =
            <T extends V1Service | V1EndpointSlice>(map: Map<string, T>) =>
            (object: T, deleted: boolean) => {
                if (deleted) map.delete(keyOf(object));
                else map.set(keyOf(object), object);
                this.soon();
            };
        cluster.watch<V1Service>("/api/v1/services", () => cluster.core.listServiceForAllNamespaces(), keep(this.services));
        cluster.watch<V1EndpointSlice>(
            "/apis/discovery.k8s.io/v1/endpointslices",
            () => cluster.discovery.listEndpointSliceForAllNamespaces(),
            keep(this.slices),
        );
    }

    all(): V1Service[] {
        return [...this.services.values()];
    }

    /** Lines of a hosts file for pods of a namespace. */
    hosts(namespace: string): string[] {
        return hostsOf(this.all(), [...this.slices.values()], namespace);
    }

    /** Changes come in swarms: one pass for all of the next 20 ms. */
    private soon(): void {
        if (this.scheduled) return;
        this.scheduled = true;
        setTimeout(() => {
            this.scheduled = false;
            this.sync();
        }, 20);
    }

    private sync(): void {
        const { site, region } = this.cluster.place;
        const wanted = new Map(
            listenersOf(this.all(), [...this.slices.values()], site).map((plan) => [`${plan.address}:${plan.port}`, plan]),
        );
        for (const [key, { server, plan }] of this.listeners)
            if (wanted.get(key)?.tls !== plan.tls) {
                server.close();
                this.listeners.delete(key);
            }
        for (const [key, plan] of wanted) {
            const listener = this.listeners.get(key);
            if (listener) listener.plan = plan;
            else this.listen(key, plan);
        }
        for (const service of this.all()) {
            const hostname = loadBalancerHost(service, site, region);
            if (!hostname || service.status?.loadBalancer?.ingress?.[0]?.hostname === hostname) continue;
            const { name = "", namespace = "" } = service.metadata!;
            this.cluster.core
                .patchNamespacedServiceStatus(
                    { name, namespace, body: { status: { loadBalancer: { ingress: [{ hostname }] } } } },
                    mergePatch,
                )
                .catch((error: unknown) => log(`load balancer of ${namespace}/${name}: ${describe(error)}`));
        }
        this.onChange();
    }

    private listen(key: string, plan: ListenerPlan): void {
        const listener: Listener = {
            plan,
            server: plan.tls
                ? createTlsServer(this.certificate(), (client) => pass(client))
                : createServer({ allowHalfOpen: true }, (client) => pass(client)),
        };
        const pass = (client: Socket) => {
            const targets = listener.plan.targets;
            const target = targets[Math.floor(Math.random() * targets.length)]!;
            const server = connect({ ...target, allowHalfOpen: true });
            client.pipe(server).pipe(client);
            for (const [one, other] of [
                [client, server],
                [server, client],
            ] as const)
                one.on("error", () => other.destroy()).on("close", () => other.destroy());
        };
        listener.server.on("error", (error) => log(`listening on ${key}: ${error.message}`));
        // A client that goes away during the TLS handshake is no news.
        listener.server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
        listener.server.listen(plan.port, plan.address);
        this.listeners.set(key, listener);
    }

    private certificate(): { key: Buffer; cert: Buffer } {
        const at = (file: string) => readFileSync(join(this.cluster.place.directory, "ca", file));
        return (this.secret ??= { key: at("service.key"), cert: at("service.pem") });
    }
}
