import type { Seconds } from "../../model/units.ts";
import type { PodTemplate } from "./pods.ts";

export interface Schedule {
    readonly name: string;
    readonly namespace: string;
    /** Cron line, in UTC. */
    readonly schedule: string;
    /** A run that takes longer is ended, and has failed. */
    readonly limit: Seconds;
    /** A run that cannot start within this span of its minute is left out. */
    readonly startWithin: Seconds;
    /** Asleep: made only by hand, or by the site's becoming active. */
    readonly suspend: boolean;
    readonly pod: PodTemplate;
}

/** A CronJob whose runs never overlap, end by themselves, and stay a while to be looked at. */
export const cronJob = (o: Schedule) => ({
    metadata: { name: o.name, namespace: o.namespace },
    spec: {
        schedule: o.schedule,
        timeZone: "Etc/UTC",
        suspend: o.suspend,
        concurrencyPolicy: "Forbid",
        startingDeadlineSeconds: Math.max(10, o.startWithin),
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 3,
        jobTemplate: {
            spec: {
                backoffLimit: 2,
                activeDeadlineSeconds: o.limit,
                ttlSecondsAfterFinished: 86_400,
                template: o.pod,
            },
        },
    },
});
