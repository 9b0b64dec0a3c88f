import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Estate } from "../model/estate.ts";
import { Component, type Options, type Transform } from "./component.ts";

export interface FailoverRecordArgs {
    zoneId: pulumi.Input<string>;
    /** Name that users look up. */
    host: string;
    /** Name of the service in each site. */
    primaryHost: string;
    standbyHost: string;
    /** TTL (seconds), and how often (10 s or 30 s) and after how many failures the health check decides. */
    traffic: Estate["traffic"];
    /** Path that the health check asks over HTTPS. */
    healthPath: string;
    /** Health check that is healthy while the latch is not thrown, and the one that is healthy while it is. */
    latch: { heldCheckId: pulumi.Input<string>; thrownCheckId: pulumi.Input<string> };
    /** Whether the primary is there to be led to. */
    joined: boolean;
    transform?: {
        endpoint?: Transform<aws.route53.HealthCheckArgs>;
        primary?: Transform<aws.route53.RecordArgs>;
        secondary?: Transform<aws.route53.RecordArgs>;
    };
}

/**
 * Where users are led. PRIMARY answers while its endpoint is healthy and the latch is not thrown; SECONDARY only while the latch is thrown. So
 * nothing moves before the standby can write, and nothing moves back by itself: with both unhealthy, Route 53 answers PRIMARY.
 *
 * Cost: 2.00 USD a month for the fast HTTPS check, 1.00 for the calculated one, 0.40 per million answers (Route 53, 2025).
 */
export class FailoverRecord extends Component {
    readonly nodes: {
        secondary: aws.route53.Record;
        primary?: aws.route53.Record;
        endpoint?: aws.route53.HealthCheck;
        calculated?: aws.route53.HealthCheck;
    };

    constructor(name: string, args: FailoverRecordArgs, options: Options = {}) {
        super("FailoverRecord", name, options);
        const secondary = this.#secondary(args);

        this.nodes = { secondary, ...(args.joined && this.#joined(args)) };
        this.registerOutputs({});
    }

    #joined(args: FailoverRecordArgs) {
        const endpoint = this.#endpoint(args);
        const calculated = this.#calculated(args, endpoint);
        const primary = this.#primary(args, calculated);
        return { endpoint, calculated, primary };
    }

    /** Asks the service in the primary, by its name there, as users do. */
    #endpoint({ primaryHost, healthPath, traffic, transform }: FailoverRecordArgs) {
        const args: aws.route53.HealthCheckArgs = {
            type: "HTTPS",
            fqdn: primaryHost,
            port: 443,
            resourcePath: healthPath,
            requestInterval: traffic.healthCheck.interval,
            failureThreshold: traffic.healthCheck.threshold,
            enableSni: true,
        };
        return new aws.route53.HealthCheck(...this.child("endpoint", args, {}, transform?.endpoint));
    }

    /** Both must be healthy: the endpoint, and the latch not thrown. */
    #calculated({ latch }: FailoverRecordArgs, endpoint: aws.route53.HealthCheck) {
        const args: aws.route53.HealthCheckArgs = {
            type: "CALCULATED",
            childHealthchecks: [endpoint.id, latch.heldCheckId],
            childHealthThreshold: 2,
        };
        return new aws.route53.HealthCheck(...this.child("both", args));
    }

    #primary({ primaryHost, transform, ...args }: FailoverRecordArgs, check: aws.route53.HealthCheck) {
        return new aws.route53.Record(...this.child("primary", record(args, "PRIMARY", primaryHost, check.id), {}, transform?.primary));
    }

    #secondary({ standbyHost, transform, ...args }: FailoverRecordArgs) {
        const own = record(args, "SECONDARY", standbyHost, args.latch.thrownCheckId);
        return new aws.route53.Record(...this.child("secondary", own, {}, transform?.secondary));
    }
}

const record = (
    { zoneId, host, traffic }: Pick<FailoverRecordArgs, "zoneId" | "host" | "traffic">,
    type: "PRIMARY" | "SECONDARY",
    target: string,
    healthCheckId: pulumi.Input<string>,
): aws.route53.RecordArgs => ({
    zoneId,
    name: host,
    type: "CNAME",
    ttl: traffic.ttl,
    records: [target],
    setIdentifier: type.toLowerCase(),
    failoverRoutingPolicies: [{ type }],
    healthCheckId,
});
