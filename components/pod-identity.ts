import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type Options, type Transform } from "./component.ts";
import { podTrust } from "./documents/trust-policy.ts";

/** The cluster's identity provider, as its site's configuration names it. */
export interface ClusterIdentity {
    /** ARN of the OIDC provider in IAM. */
    oidcProviderArn: string;
    /** Issuer, without `https://`. */
    oidcIssuer: string;
}

export interface PodIdentityArgs {
    /** Name of the role: derived, so that key policies can name it before it is there. */
    role: string;
    serviceAccount: string;
    namespace: string;
    cluster: ClusterIdentity;
    /** What the role may do: a policy document as JSON. */
    policy: pulumi.Input<string>;
    transform?: { role?: Transform<aws.iam.RoleArgs> };
}

/**
 * A ServiceAccount and the one role that its pods take (IRSA): no key is stored anywhere, and no other pod can take it.
 *
 * Cost: none.
 */
export class PodIdentity extends Component {
    readonly nodes: { role: aws.iam.Role; policy: aws.iam.RolePolicy; serviceAccount: k8s.core.v1.ServiceAccount };

    constructor(name: string, args: PodIdentityArgs, options: Options = {}) {
        super("PodIdentity", name, options);
        const role = this.#role(args);
        const policy = this.#policy(args, role);
        const serviceAccount = this.#serviceAccount(args, role);

        this.nodes = { role, policy, serviceAccount };
        this.registerOutputs({ role: role.arn });
    }

    #role({ role: name, namespace, serviceAccount, cluster, transform }: PodIdentityArgs) {
        const assumeRolePolicy = JSON.stringify(podTrust({ ...cluster, namespace, serviceAccount }));
        return new aws.iam.Role(...this.child("role", { name, assumeRolePolicy }, {}, transform?.role));
    }

    #policy({ policy }: PodIdentityArgs, role: aws.iam.Role) {
        return new aws.iam.RolePolicy(...this.child("access", { role: role.name, policy }));
    }

    #serviceAccount({ serviceAccount: name, namespace }: PodIdentityArgs, role: aws.iam.Role) {
        const metadata = {
            name,
            namespace,
            annotations: { "eks.amazonaws.com/role-arn": role.arn, "eks.amazonaws.com/sts-regional-endpoints": "true" },
        };
        return new k8s.core.v1.ServiceAccount(...this.child("account", { metadata }));
    }
}
