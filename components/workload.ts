import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Service } from "../model/estate.ts";
import { Component, type Options, type Transform } from "./component.ts";
import { loadBalancerAnnotations, tlsAnnotations } from "./documents/load-balancer.ts";
import { workloadLabels, workloadPod, type Need } from "./documents/workload-pod.ts";
import { loadBalancerName } from "./load-balancer-name.ts";

export interface WorkloadArgs {
    /** Name of the service in the estate. */
    service: string;
    declaration: Service;
    namespace: string;
    needs: readonly Need[];
    /** Certificate of the region's ACM, for the service's name and its name in this site. */
    certificateArn: string;
    /** Whether this site serves: it has the declared pods then, and none otherwise. Nothing else here depends on it. */
    active: boolean;
    transform?: {
        deployment?: Transform<k8s.types.input.apps.v1.Deployment>;
        service?: Transform<k8s.types.input.core.v1.Service>;
    };
}

/**
 * A service in one site: its pods, spread over zones and held up by a disruption budget, behind a load balancer that is there before they are,
 * since making one in the night would need control planes that may be gone.
 *
 * Cost: the pods' node share (100 millicores, 256 MiB each); 16 USD a month for the load balancer (us-east-1, 2025).
 */
export class Workload extends Component {
    /** Name of the load balancer. */
    readonly address: pulumi.Output<string>;
    readonly nodes: {
        deployment: k8s.apps.v1.Deployment;
        service: k8s.core.v1.Service;
        disruptionBudget: k8s.policy.v1.PodDisruptionBudget;
    };

    constructor(name: string, args: WorkloadArgs, options: Options = {}) {
        super("Workload", name, options);
        const service = this.#service(args);
        const disruptionBudget = this.#disruptionBudget(args);
        const deployment = this.#deployment(args);

        this.address = loadBalancerName(service);
        this.nodes = { deployment, service, disruptionBudget };
        this.registerOutputs({ address: this.address });
    }

    #service({ service, declaration, namespace, certificateArn, transform }: WorkloadArgs) {
        const args: k8s.types.input.core.v1.Service = {
            metadata: {
                name: service,
                namespace,
                annotations: { ...loadBalancerAnnotations("internet-facing"), ...tlsAnnotations(certificateArn) },
            },
            spec: {
                type: "LoadBalancer",
                selector: workloadLabels(service),
                ports: [{ name: "https", port: 443, targetPort: declaration.port, protocol: "TCP" }],
            },
        };
        return new k8s.core.v1.Service(...this.child("service", args, {}, transform?.service));
    }

    #disruptionBudget({ service, namespace }: WorkloadArgs) {
        return new k8s.policy.v1.PodDisruptionBudget(
            ...this.child("budget", {
                metadata: { name: service, namespace },
                spec: { maxUnavailable: 1, selector: { matchLabels: workloadLabels(service) } },
            }),
        );
    }

    #deployment({ service, declaration, namespace, needs, active, transform }: WorkloadArgs) {
        const { image, pods, port, healthPath } = declaration;
        const args: k8s.types.input.apps.v1.Deployment = {
            metadata: { name: service, namespace },
            spec: {
                replicas: active ? pods : 0,
                selector: { matchLabels: workloadLabels(service) },
                strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
                template: workloadPod({ service, namespace, image, port, healthPath, needs }),
            },
        };
        return new k8s.apps.v1.Deployment(...this.child("deployment", args, {}, transform?.deployment));
    }
}
