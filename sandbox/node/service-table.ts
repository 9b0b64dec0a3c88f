import type { V1EndpointSlice, V1Service } from "@kubernetes/client-node";
import type { SiteName } from "../../model/estate.ts";
import { siteAddresses } from "../addresses.ts";

/** One address and port on which a Service is to be reached, and where its connections go. */
export interface ListenerPlan {
    readonly address: string;
    readonly port: number;
    readonly tls: boolean;
    readonly targets: readonly { readonly host: string; readonly port: number }[];
}

const certificate = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert";
const tlsPorts = "service.beta.kubernetes.io/aws-load-balancer-ssl-ports";

/** Address of a Service's load balancer: the last number is that of its cluster IP. */
export function loadBalancerAddress(service: V1Service, site: SiteName): string | undefined {
    const { type, clusterIP } = service.spec ?? {};
    return type === "LoadBalancer" && clusterIP ? `${siteAddresses(site).loadBalancerPrefix}.${clusterIP.split(".")[3]}` : undefined;
}

/**
 * Host name of a Service's load balancer, shaped like those of AWS. The address is in it (eight hex digits), so the sandbox's resolver needs no table.
 * @example "orders-orders-0a018107.elb.us-east-1.amazonaws.com" is 10.1.129.7
 */
export function loadBalancerHost(service: V1Service, site: SiteName, region: string): string | undefined {
    const address = loadBalancerAddress(service, site);
    if (!address) return undefined;
    const hex = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
    return `${service.metadata?.namespace}-${service.metadata?.name}-${hex.join("")}.elb.${region}.amazonaws.com`;
}

const slicesOf = (service: V1Service, slices: readonly V1EndpointSlice[]) =>
    slices.filter(
        ({ metadata }) =>
            metadata?.namespace === service.metadata?.namespace &&
            metadata?.labels?.["kubernetes.io/service-name"] === service.metadata?.name,
    );

/**
 * Whether a load balancer ends TLS on a port: a certificate is named, and the port is listed by number or name ("*", or no list, means all).
 * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#ssl-ports
 */
function endsTls(service: V1Service, port: { port: number; name?: string }): boolean {
    const annotations = service.metadata?.annotations ?? {};
    if (!annotations[certificate]) return false;
    const listed = (annotations[tlsPorts] ?? "*").split(",").map((one) => one.trim());
    return listed.includes("*") || listed.includes(String(port.port)) || (port.name !== undefined && listed.includes(port.name));
}

/** Every address and port that must be listened on now: those of Services that have a ready endpoint. TCP only. */
export function listenersOf(services: readonly V1Service[], slices: readonly V1EndpointSlice[], site: SiteName): ListenerPlan[] {
    return services.flatMap((service) => {
        const { clusterIP, ports = [] } = service.spec ?? {};
        if (!clusterIP || clusterIP === "None") return [];
        const balancer = loadBalancerAddress(service, site);
        return ports.flatMap((port) => {
            const targets = slicesOf(service, slices).flatMap((slice) =>
                (slice.ports ?? [])
                    .filter((own) => (own.name ?? "") === (port.name ?? "") && own.port && (own.protocol ?? "TCP") === "TCP")
                    .flatMap((own) =>
                        (slice.endpoints ?? [])
                            .filter(({ conditions }) => conditions?.ready !== false)
                            .map(({ addresses }) => ({ host: addresses[0]!, port: own.port! })),
                    ),
            );
            if (targets.length === 0) return [];
            return [
                { address: clusterIP, port: port.port, tls: false, targets },
                ...(balancer ? [{ address: balancer, port: port.port, tls: endsTls(service, port), targets }] : []),
            ];
        });
    });
}

/**
 * Names that a pod of a namespace can use, as lines of a hosts file: SERVICE (own namespace), SERVICE.NAMESPACE, SERVICE.NAMESPACE.svc and
 * SERVICE.NAMESPACE.svc.cluster.local; for headless Services the ready pods, and each pod that has a host name of its own.
 */
export function hostsOf(services: readonly V1Service[], slices: readonly V1EndpointSlice[], namespace: string): string[] {
    const names = (name: string, own: string) =>
        [...(own === namespace ? [name] : []), ...["", ".svc", ".svc.cluster.local"].map((suffix) => `${name}.${own}${suffix}`)].join(" ");
    return services.flatMap((service) => {
        const { name = "", namespace: own = "" } = service.metadata ?? {};
        const { clusterIP, publishNotReadyAddresses } = service.spec ?? {};
        if (!clusterIP) return [];
        if (clusterIP !== "None") return [`${clusterIP} ${names(name, own)}`];
        return slicesOf(service, slices).flatMap((slice) =>
            (slice.endpoints ?? [])
                .filter(({ conditions }) => publishNotReadyAddresses || conditions?.ready !== false)
                .map(
                    ({ addresses, hostname }) =>
                        `${addresses[0]} ${names(name, own)}${hostname ? ` ${names(`${hostname}.${name}`, own)}` : ""}`,
                ),
        );
    });
}
