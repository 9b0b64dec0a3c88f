import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type Options, type Transform } from "./component.ts";

export interface SiteRecordArgs {
    zoneId: pulumi.Input<string>;
    /** Name in the zone: derived, so that the other site need not look it up. */
    host: string;
    /** Name of the load balancer that it leads to. */
    target: pulumi.Input<string>;
    /** In seconds. @default 60 */
    ttl?: number;
    transform?: { record?: Transform<aws.route53.RecordArgs> };
}

/**
 * A name of something in one site that can be derived, leading to the load balancer whose own name cannot.
 *
 * Cost: 0.40 USD per million answers (Route 53, 2025).
 */
export class SiteRecord extends Component {
    readonly nodes: { record: aws.route53.Record };

    constructor(name: string, args: SiteRecordArgs, options: Options = {}) {
        super("SiteRecord", name, options);
        const record = this.#record(args);

        this.nodes = { record };
        this.registerOutputs({});
    }

    #record({ zoneId, host, target, ttl = 60, transform }: SiteRecordArgs) {
        const args: aws.route53.RecordArgs = { zoneId, name: host, type: "CNAME", ttl, records: [target] };
        return new aws.route53.Record(...this.child("cname", args, {}, transform?.record));
    }
}
