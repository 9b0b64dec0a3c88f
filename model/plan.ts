import type { Estate, SiteName } from "./estate.ts";
import { fenceMargin, fenceWait } from "./lease.ts";
import { witnessRegion } from "./names.ts";
import { minutes, seconds, type Seconds } from "./units.ts";

/** Where a figure comes from. */
export type Source =
    /** Somebody wrote it down: the path in the estate, or the reason. */
    | { from: "declared"; where: string }
    /** A vendor says so. */
    | { from: "published"; says: string; url: string }
    /** It was measured: where, and on what. */
    | { from: "measured"; where: string };

/** The column in which a report puts a span: timed in a run, computed because only a cloud can show it, or declared and not waited for. */
export type FigureKind = "measured" | "modelled" | "declared";

/** One span that a step is expected to take. */
export interface Figure {
    seconds: Seconds;
    kind: FigureKind;
    source: Source;
}

/** What a step says instead of an undo, once a database has been promoted. */
export const forwardOnly = "none, from here on forward";

/** Steps of an activation. */
export type StepName = "detect" | "decide" | "claim" | "fence" | `promote:${string}` | "scale" | "verify" | "latch" | "dns" | "answer";

interface BaseStep<Name extends string> {
    name: Name;
    /** Who does it: an activation executes "lifeboat"; the others happen, or people do them. */
    by: "health checks" | "people" | "lifeboat" | "clients";
    /** What it does, for a tired reader. */
    does: string;
    /** What is only known once it runs: what is decided then, and where that is told. */
    decided?: string;
    /** The longest that it is expected to take, in parts that have one source each. */
    estimate: readonly [Figure, ...Figure[]];
    /** After so long it is given up: it failed. */
    limit: Seconds;
    /** Steps that must be done before it starts; steps that do not wait for each other run side by side. */
    after: readonly Name[];
}
/** Before the point of no return: what takes it back. */
export interface UndoableStep<Name extends string = StepName> extends BaseStep<Name> {
    undo: { how: string };
}
/** After it. */
export interface ForwardStep<Name extends string = StepName> extends BaseStep<Name> {
    undo: typeof forwardOnly;
}
export type Step<Name extends string = StepName> = UndoableStep<Name> | ForwardStep<Name>;

/** What there is a plan for, and the command that executes it. */
export const commandOf = { "region-loss": "lifeboat activate", failback: "lifeboat failback" } as const;
/** What a person calls a run of it. */
export const runOf = { "region-loss": "activation", failback: "fail-back" } as const satisfies Record<PlannedScenario, string>;
export type PlannedScenario = keyof typeof commandOf;

/** One plan for one scenario: it is executed, printed, estimated and journaled, so that none of these can differ. */
export interface Plan<Name extends string = string> {
    scenario: PlannedScenario;
    /** Who is active at its end. */
    active: SiteName;
    /** Undone in reverse when one of them fails. */
    undoable: readonly UndoableStep<Name>[];
    /** The first promotion is the point of no return: these are retried until they are done. */
    forward: readonly ForwardStep<Name>[];
}
/** From the loss of the primary to a standby that serves. */
export interface RecoveryPlan extends Plan<StepName> {
    scenario: "region-loss";
    lost: "primary";
    active: "standby";
}

/** All steps in the order in which they are told. */
export const stepsOf = <Name extends string>(plan: Plan<Name>): readonly Step<Name>[] => [...plan.undoable, ...plan.forward];

export const estimateOf = (step: Pick<BaseStep<string>, "estimate">): Seconds =>
    seconds(step.estimate.reduce((sum, { seconds }) => sum + seconds, 0));

/** Spans of a plan that no run on one machine can measure, by step. */
export function modelledIn<Name extends string>(plan: Plan<Name>): { step: Name; seconds: Seconds; source: Source }[] {
    return stepsOf(plan).flatMap((step) =>
        step.estimate.filter(({ kind }) => kind === "modelled").map(({ seconds, source }) => ({ step: step.name, seconds, source })),
    );
}

const documentation = "https://docs.aws.amazon.com";
export const sources = {
    healthChecks: {
        from: "published",
        says: "an endpoint is unhealthy after `threshold` failures in a row; each is a connection that does not come about within 4 s, and the next request follows `interval` after it",
        url: `${documentation}/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html`,
    },
    latch: {
        from: "published",
        says: "the health check reads the alarm's metric, whose period is 60 s at least: up to one period until the datum counts, and half of one to be read",
        url: `${documentation}/Route53/latest/DeveloperGuide/health-checks-creating-values.html`,
    },
    dns: {
        from: "published",
        says: "resolvers keep an answer for its TTL",
        url: `${documentation}/Route53/latest/DeveloperGuide/resource-record-sets-values-failover.html`,
    },
    boot: {
        from: "declared",
        where: "model/plan.ts: a node of an EKS-optimised Linux image boots and joins within 60 s when its group grows",
    },
    assumed: { from: "declared", where: "model/plan.ts: assumed until a drill has measured it" },
} as const satisfies Record<string, Source>;

/** A health checker waits so long for a connection (seconds); a lost endpoint makes it wait each time. */
const connectLimit = 4;

export const figure = (span: number, kind: FigureKind, source: Source): Figure => ({ seconds: seconds(span), kind, source });

/** What drills measured: step -> the longest that it took, and where that was seen. Such a figure replaces what was assumed. */
export type MeasuredSteps = ReadonlyMap<StepName, { seconds: Seconds; where: string }>;

/**
 * The plan for the loss of the primary's region.
 * @param measured figures of drills; without them the steps of our own are assumed, and say so
 */
export function regionLossPlan(estate: Estate, measured: MeasuredSteps = new Map()): RecoveryPlan {
    const { ttl, healthCheck } = estate.traffic;
    const [primary, standby] = [estate.sites.primary.region, estate.sites.standby.region];
    const stores = Object.keys(estate.stores);
    const services = Object.keys(estate.services);
    const own = (name: StepName, assumed: number): Figure => {
        const seen = measured.get(name);
        return seen === undefined
            ? figure(assumed, "measured", sources.assumed)
            : figure(seen.seconds, "measured", { from: "measured", where: seen.where });
    };
    const promotions = stores.map((store): StepName => `promote:${store}`);
    const waited = fenceWait([estate.lease.duration]);
    const nothing = { how: "nothing to undo: nothing was changed" };
    return {
        scenario: "region-loss",
        lost: "primary",
        active: "standby",
        undoable: [
            {
                name: "detect",
                by: "health checks",
                does: `Route 53 asks the primary every ${healthCheck.interval} s and gives it up after ${healthCheck.threshold} failures`,
                estimate: [figure((healthCheck.interval + connectLimit) * healthCheck.threshold, "measured", sources.healthChecks)],
                limit: seconds((healthCheck.interval + connectLimit) * healthCheck.threshold * 2),
                after: [],
                undo: nothing,
            },
            {
                name: "decide",
                by: "people",
                does: "someone decides to give the primary up; writes that have not reached the standby will be lost",
                estimate: [figure(estate.decision, "declared", { from: "declared", where: "estate: decision" })],
                limit: estate.decision,
                after: ["detect"],
                undo: nothing,
            },
            {
                name: "claim",
                by: "lifeboat",
                does: `raises the epoch by one and names the standby (${standby}) as the active site`,
                estimate: [own("claim", 2)],
                limit: seconds(60),
                after: ["decide"],
                undo: { how: `raises the epoch once more and names the primary (${primary}) as the active site again` },
            },
            {
                name: "fence",
                by: "lifeboat",
                does: `tells the witness (${witnessRegion(estate)}) the new epoch, so that no guard of the primary has the old one proven again, and waits until the proofs that were given before have run out`,
                estimate: measured.has("fence")
                    ? [own("fence", 0)]
                    : [
                          own("fence", 1),
                          figure(waited, "measured", { from: "declared", where: `estate: lease.duration, and ${fenceMargin} s of margin` }),
                      ],
                limit: seconds(waited + 60),
                after: ["claim"],
                undo: { how: "part of the claim's: both records are raised once more" },
            },
            {
                // Beside the fence and the promotions: pods of a service cannot write to a replica, so there is nothing to wait for but the epoch.
                name: "scale",
                by: "lifeboat",
                does: "`pulumi up` of dr, aimed at what a promotion changes: Deployments from 0 to their pods, CronJobs awake, nodes in the group",
                estimate: [own("scale", 20), figure(60, "modelled", sources.boot)],
                limit: minutes(5),
                after: ["claim"],
                undo: { how: "frees the stack; what was scaled up goes down with the next `pulumi up -s dr`, which goes by the epoch" },
            },
        ],
        forward: [
            ...stores.map((store): ForwardStep => ({
                name: `promote:${store}`,
                by: "lifeboat",
                does: `makes the replica of ${store} in ${standby} writable, in place`,
                estimate: [own(`promote:${store}`, 5)],
                limit: minutes(2),
                after: ["fence"],
                undo: forwardOnly,
            })),
            {
                name: "verify",
                by: "lifeboat",
                does: `asks ${services.join(", ")} in ${standby} for health, and each database whether it is writable`,
                estimate: [own("verify", 5)],
                limit: minutes(3),
                after: ["scale", ...promotions],
                undo: forwardOnly,
            },
            {
                name: "latch",
                by: "lifeboat",
                does: "throws the latch: Route 53 may answer users with the standby, and does not go back by itself",
                estimate: [own("latch", 2), figure(90, "modelled", sources.latch)],
                limit: minutes(2),
                after: ["verify"],
                undo: forwardOnly,
            },
            {
                name: "dns",
                by: "clients",
                does: `answers that resolvers keep run out (TTL ${ttl} s)`,
                estimate: [figure(ttl, "measured", sources.dns)],
                limit: seconds(ttl * 2),
                after: ["latch"],
                undo: forwardOnly,
            },
            {
                name: "answer",
                by: "clients",
                does: "a user's next request is answered by the standby",
                estimate: [own("answer", 5)],
                limit: minutes(1),
                after: ["dns"],
                undo: forwardOnly,
            },
        ],
    };
}
