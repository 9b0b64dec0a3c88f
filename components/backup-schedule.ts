import * as k8s from "@pulumi/kubernetes";
import type { Store } from "../model/estate.ts";
import { minutes, seconds } from "../model/units.ts";
import { kindOf } from "../stores/registry.ts";
import { backupServiceAccount } from "./backup-access.ts";
import { Component, type Options, type Transform } from "./component.ts";
import { backupPod, restorePod } from "./documents/backup-pod.ts";
import { cronEvery } from "./documents/cron.ts";
import { cronJob } from "./documents/cron-job.ts";
import type { Place } from "./documents/pods.ts";

type CronJobArgs = k8s.types.input.batch.v1.CronJob;

export interface BackupScheduleArgs {
    /** Name of the store in the estate. */
    store: string;
    declaration: Store;
    namespace: string;
    place: Place;
    /** Whether this site serves: only there backups are taken. Nothing else here depends on it. */
    active: boolean;
    /** Whether points are verified, expired and drilled here: true in the standby. The other site can have to save aside what it held alone. */
    keeper: boolean;
    transform?: { backup?: Transform<CronJobArgs> };
}

/**
 * When a store is backed up, and where what was backed up is verified, expired and restored for a drill. Runs of one job never overlap.
 *
 * Cost: the pods' time on nodes that are there anyway (50 millicores, 256 MiB each); the verifier's reading of each point stays inside a region.
 */
export class BackupSchedule extends Component {
    readonly nodes: {
        backup: k8s.batch.v1.CronJob;
        verify?: k8s.batch.v1.CronJob;
        expire?: k8s.batch.v1.CronJob;
        restore?: k8s.batch.v1.CronJob;
        aside?: k8s.batch.v1.CronJob;
    };

    constructor(name: string, args: BackupScheduleArgs, options: Options = {}) {
        super("BackupSchedule", name, options);
        const backup = this.#backup(args);

        this.nodes = args.keeper
            ? { backup, verify: this.#verify(args), expire: this.#expire(args), restore: this.#restore(args) }
            : { backup, aside: this.#aside(args) };
        this.registerOutputs({});
    }

    #backup({ store, declaration, namespace, place, active, transform }: BackupScheduleArgs) {
        const { every, limit } = declaration.backup;
        const args = cronJob({
            name: `backup-${store}`,
            namespace,
            schedule: cronEvery(every),
            limit,
            // Later than half-way to the next one, the next one is soon enough.
            startWithin: seconds(Math.floor(every / 2)),
            suspend: !active,
            pod: backupPod({ store, duty: "backup", place, serviceAccount: backupServiceAccount("writer") }),
        });
        return new k8s.batch.v1.CronJob(...this.child<CronJobArgs>("backup", args, {}, transform?.backup));
    }

    /** Every minute: a point exists only once it is verified, so waiting here is data that can be lost. Without new points a run is a listing. */
    #verify({ store, declaration, namespace, place }: BackupScheduleArgs) {
        const args = cronJob({
            name: `verify-${store}`,
            namespace,
            schedule: cronEvery(minutes(1)),
            limit: declaration.backup.limit,
            startWithin: seconds(50),
            suspend: false,
            pod: backupPod({ store, duty: "verify", place, serviceAccount: backupServiceAccount("verifier") }),
        });
        return new k8s.batch.v1.CronJob(...this.child<CronJobArgs>("verify", args));
    }

    #expire({ store, namespace, place }: BackupScheduleArgs) {
        const args = cronJob({
            name: `expire-${store}`,
            namespace,
            schedule: cronEvery(minutes(60), 17),
            limit: minutes(30),
            startWithin: minutes(30),
            suspend: false,
            pod: backupPod({ store, duty: "expire", place, serviceAccount: backupServiceAccount("expirer") }),
        });
        return new k8s.batch.v1.CronJob(...this.child<CronJobArgs>("expire", args));
    }

    /** Asleep for good: a drill makes a Job from it. */
    #restore({ store, declaration, namespace, place }: BackupScheduleArgs) {
        const { database, objective } = declaration;
        const args = cronJob({
            name: `restore-${store}`,
            namespace,
            schedule: cronEvery(minutes(60)),
            limit: objective.rto,
            startWithin: minutes(5),
            suspend: true,
            pod: restorePod({ store, kind: kindOf(declaration), database, place, serviceAccount: backupServiceAccount("verifier") }),
        });
        return new k8s.batch.v1.CronJob(...this.child<CronJobArgs>("restore", args));
    }

    /** Asleep for good: a fail-back makes a Job from it. */
    #aside({ store, namespace, place }: BackupScheduleArgs) {
        const args = cronJob({
            name: `aside-${store}`,
            namespace,
            schedule: cronEvery(minutes(60)),
            limit: minutes(24 * 60),
            startWithin: minutes(5),
            suspend: true,
            pod: backupPod({ store, duty: "aside", place, serviceAccount: backupServiceAccount("writer") }),
        });
        return new k8s.batch.v1.CronJob(...this.child<CronJobArgs>("aside", args));
    }
}
