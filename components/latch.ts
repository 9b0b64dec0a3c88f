import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { minutes, seconds } from "../model/units.ts";
import { Component, type Options, type Transform } from "./component.ts";
import { latchAccess } from "./documents/access.ts";
import { latchPod } from "./documents/backup-pod.ts";
import { cronEvery } from "./documents/cron.ts";
import { cronJob } from "./documents/cron-job.ts";
import type { Place } from "./documents/pods.ts";
import { PodIdentity, type ClusterIdentity } from "./pod-identity.ts";

export interface LatchArgs {
    /** The metric that is 1 while the latch is thrown. */
    metric: { namespace: string; name: string; dimension: { Name: string; Value: string } };
    /** Name of the alarm. */
    alarm: string;
    /** Region of the metric: the standby's. */
    region: string;
    /** Name of the publisher's role. */
    role: string;
    coordinationBucket: string;
    namespace: string;
    cluster: ClusterIdentity;
    place: Place;
    transform?: { alarm?: Transform<aws.cloudwatch.MetricAlarmArgs> };
}

/** ServiceAccount of the publisher's pods. */
export const latchServiceAccount = "latch";

/**
 * What moves users to the standby, and back by nobody's accident: a metric, thrown by putting 1, watched by an alarm that two health checks read.
 * A job publishes its record again every minute, so that the metric never ages out; without data the checks keep what they knew last.
 *
 * Cost: 0.10 USD a month for the alarm, 0.30 for the metric, 1.00 each for the two health checks (us-east-1, 2025).
 */
export class Latch extends Component {
    /** Healthy while the latch is not thrown. */
    readonly heldCheckId: pulumi.Output<string>;
    /** Healthy while the latch is thrown. */
    readonly thrownCheckId: pulumi.Output<string>;
    readonly nodes: {
        alarm: aws.cloudwatch.MetricAlarm;
        held: aws.route53.HealthCheck;
        thrown: aws.route53.HealthCheck;
        publisher: k8s.batch.v1.CronJob;
    };

    constructor(name: string, args: LatchArgs, options: Options = {}) {
        super("Latch", name, options);
        const alarm = this.#alarm(args);
        const held = this.#check("held", args, alarm, false);
        const thrown = this.#check("thrown", args, alarm, true);
        this.#identity(name, args);
        const publisher = this.#publisher(args);

        this.heldCheckId = held.id;
        this.thrownCheckId = thrown.id;
        this.nodes = { alarm, held, thrown, publisher };
        this.registerOutputs({});
    }

    #alarm({ metric, alarm, transform }: LatchArgs) {
        const args: aws.cloudwatch.MetricAlarmArgs = {
            name: alarm,
            alarmDescription: "The latch is thrown: users are led to the standby",
            namespace: metric.namespace,
            metricName: metric.name,
            dimensions: { [metric.dimension.Name]: metric.dimension.Value },
            statistic: "Maximum",
            period: 60,
            evaluationPeriods: 1,
            threshold: 1,
            comparisonOperator: "GreaterThanOrEqualToThreshold",
            treatMissingData: "missing",
        };
        return new aws.cloudwatch.MetricAlarm(...this.child("alarm", args, {}, transform?.alarm));
    }

    /** Route 53 reads the alarm's metric itself; a check of an alarm is unhealthy while the metric would raise it. */
    #check(suffix: string, { region }: LatchArgs, alarm: aws.cloudwatch.MetricAlarm, invertHealthcheck: boolean) {
        const args: aws.route53.HealthCheckArgs = {
            type: "CLOUDWATCH_METRIC",
            cloudwatchAlarmName: alarm.name,
            cloudwatchAlarmRegion: region,
            insufficientDataHealthStatus: "LastKnownStatus",
            invertHealthcheck,
        };
        return new aws.route53.HealthCheck(...this.child(suffix, args));
    }

    #identity(name: string, { role, namespace, cluster, coordinationBucket, metric }: LatchArgs) {
        const policy = JSON.stringify(latchAccess({ coordinationBucket, metricNamespace: metric.namespace }));
        return new PodIdentity(
            `${name}-publisher`,
            { role, serviceAccount: latchServiceAccount, namespace, cluster, policy },
            { parent: this },
        );
    }

    #publisher({ namespace, place }: LatchArgs) {
        const args = cronJob({
            name: "latch",
            namespace,
            schedule: cronEvery(minutes(1)),
            limit: seconds(50),
            startWithin: seconds(50),
            suspend: false,
            pod: latchPod({ place, serviceAccount: latchServiceAccount }),
        });
        return new k8s.batch.v1.CronJob(...this.child<k8s.types.input.batch.v1.CronJob>("cron", args));
    }
}
