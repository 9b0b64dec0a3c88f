import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type Options, type Transform } from "./component.ts";

export interface PilotLightArgs {
    /** Name of the auto-scaling group. */
    group: string;
    /** Machine image, as the cluster's nodes use it. */
    imageId: string;
    /** Name of the nodes' instance profile. */
    instanceProfile: string;
    securityGroupIds: readonly string[];
    /** Subnets that nodes are spread over. */
    subnetIds: readonly string[];
    /**
     * Base64 user data by which a node joins its cluster.
     * @default none: the image joins by itself
     */
    userData?: string;
    /** Kind of machine. @default "t3.large" */
    instanceType?: string;
    /** Nodes at least, while this site is active; at most twice as many. */
    nodes: number;
    /** Whether this site serves. It has no workload nodes otherwise; nothing else here depends on it. */
    active: boolean;
    transform?: {
        template?: Transform<aws.ec2.LaunchTemplateArgs>;
        group?: Transform<aws.autoscaling.GroupArgs>;
    };
}

/**
 * Nodes for a site's workload: a launch template and a group that stands at none until the site is active. Verifier, expirer and guards live on
 * the cluster's own small system nodes, which are always there.
 *
 * Cost: none while passive; 61 USD a month for each t3.large while active (us-east-1, 2025).
 */
export class PilotLight extends Component {
    readonly nodes: { template: aws.ec2.LaunchTemplate; group: aws.autoscaling.Group };

    constructor(name: string, args: PilotLightArgs, options: Options = {}) {
        super("PilotLight", name, options);
        const template = this.#template(args);
        const group = this.#group(args, template);

        this.nodes = { template, group };
        this.registerOutputs({});
    }

    #template(o: PilotLightArgs) {
        const args: aws.ec2.LaunchTemplateArgs = {
            name: o.group,
            imageId: o.imageId,
            instanceType: o.instanceType ?? "t3.large",
            iamInstanceProfile: { name: o.instanceProfile },
            vpcSecurityGroupIds: [...o.securityGroupIds],
            metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
            updateDefaultVersion: true,
            ...(o.userData === undefined ? {} : { userData: o.userData }),
        };
        return new aws.ec2.LaunchTemplate(...this.child("template", args, {}, o.transform?.template));
    }

    #group(o: PilotLightArgs, template: aws.ec2.LaunchTemplate) {
        const args: aws.autoscaling.GroupArgs = {
            name: o.group,
            minSize: o.active ? o.nodes : 0,
            maxSize: o.nodes * 2,
            vpcZoneIdentifiers: [...o.subnetIds],
            launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
            healthCheckType: "EC2",
            // `up` stays for the pods that need the nodes, not for the nodes.
            waitForCapacityTimeout: "0",
            tags: [{ key: "Name", value: o.group, propagateAtLaunch: true }],
        };
        // The cluster's autoscaler moves the desired capacity; only its floor is ours.
        const options: pulumi.CustomResourceOptions = { ignoreChanges: ["desiredCapacity"] };
        return new aws.autoscaling.Group(...this.child("group", args, options, o.transform?.group));
    }
}
