import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/**
 * The DNS name that a Service's load balancer was given. Unknown in a preview of a Service that is not there yet.
 * @throws Error in an update, if the Service has none: it lacks the annotation that makes the engine wait for it.
 */
export const loadBalancerName = (service: k8s.core.v1.Service): pulumi.Output<string> =>
    pulumi.all([service.status, service.metadata.name]).apply(([status, name]) => {
        const hostname = (status as typeof status | undefined)?.loadBalancer?.ingress?.[0]?.hostname;
        if (hostname) return hostname;
        if (pulumi.runtime.isDryRun()) return pulumi.unknown as unknown as string;
        throw new Error(`Service ${name} has no load balancer name; the cluster's load balancer controller has given it none`);
    });
