import * as k8s from "@pulumi/kubernetes";
import type { Store } from "../model/estate.ts";
import { minutes, seconds } from "../model/units.ts";
import { backupServiceAccount } from "./backup-access.ts";
import { Component, type Options, type Transform } from "./component.ts";
import { asidePod, backupPod, expirePod, restorePod, verifyPod } from "./documents/backup-pod.ts";
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

/** An unpacked copy is no larger than the volume that it is of; its log, and what the replay writes, have as much again. */
const roomFor = ({ volume }: Store) => 2 * volume;

/** Reading the bytes back takes about as long as the backup; a server's start, replay, check and count go over them three times more. */
const verificationLimit = ({ backup: { limit, verify } }: Store) => (verify === "bytes" ? limit : seconds(4 * limit));

/**
 * When a store is backed up, and where what was backed up is verified, expired and restored for a drill. Runs of one job never overlap.
 *
 * Cost: the pods' time on nodes that are there anyway (50 millicores and 256 MiB each; where a server is started 250 millicores and 512 MiB); the verifier's reading of each point stays inside a region.
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
            pod: backupPod({ store, place, serviceAccount: backupServiceAccount("caller") }),
        });
        return new k8s.batch.v1.CronJob(...this.child<CronJobArgs>("backup", args, {}, transform?.backup));
    }

    /** Every minute: a point exists only once it is verified, so waiting here is data that can be lost. Without new points a run is a listing. */
    #verify({ store, declaration, namespace, place }: BackupScheduleArgs) {
        const args = cronJob({
            name: `verify-${store}`,
            namespace,
            schedule: cronEvery(minutes(1)),
            limit: verificationLimit(declaration),
            startWithin: seconds(50),
            suspend: false,
            pod: verifyPod({ store, place, room: roomFor(declaration), serviceAccount: backupServiceAccount("verifier") }),
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
            pod: expirePod({ store, place, serviceAccount: backupServiceAccount("expirer") }),
        });
        return new k8s.batch.v1.CronJob(...this.child<CronJobArgs>("expire", args));
    }

    /** Asleep for good: a drill makes a Job from it. */
    #restore({ store, declaration, namespace, place }: BackupScheduleArgs) {
        const { objective } = declaration;
        const args = cronJob({
            name: `restore-${store}`,
            namespace,
            schedule: cronEvery(minutes(60)),
            limit: objective.rto,
            startWithin: minutes(5),
            suspend: true,
            pod: restorePod({ store, place, room: roomFor(declaration), serviceAccount: backupServiceAccount("verifier") }),
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
            pod: asidePod({ store, place, serviceAccount: backupServiceAccount("writer") }),
        });
        return new k8s.batch.v1.CronJob(...this.child<CronJobArgs>("aside", args));
    }
}
