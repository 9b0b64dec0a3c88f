import { criticalPath } from "./critical-path.ts";
import type { Estate } from "./estate.ts";
import { fenceWait } from "./lease.ts";
import { estimateOf, figure, forwardOnly, sources, type Figure, type ForwardStep, type Plan, type UndoableStep } from "./plan.ts";
import { minutes, seconds, type Seconds } from "./units.ts";

/** Steps of a fail-back, in the order in which they are told; those with a colon once a store. */
export type FailbackStep =
    | "check"
    | "rebuild"
    | `aside:${string}`
    | `rejoin:${string}`
    | "follow"
    | "claim"
    | "fence"
    | `catch-up:${string}`
    | `promote:${string}`
    | "scale"
    | "latch"
    | "verify"
    | "dns"
    | "answer"
    | "retire"
    | `protect:${string}`;

/** From a standby that serves alone to a primary that serves, with the standby behind it. */
export interface FailbackPlan extends Plan<FailbackStep> {
    scenario: "failback";
    active: "primary";
}

const days = (n: number): Seconds => minutes(n * 24 * 60);

/** A replica that is not further behind than this when the hand-over begins (seconds) catches up in about as much. */
export const handOverLag = seconds(1);

/**
 * The plan for going back to the primary. Both regions live, so the rebuilding may use global control planes; from the claim on nothing needs a write to Route 53.
 * Users wait from the claim to the answer: see `switchBound`. Before it the standby serves as ever, however long the copying takes.
 */
export function failbackPlan(estate: Estate): FailbackPlan {
    const [primary, standby] = [estate.sites.primary.region, estate.sites.standby.region];
    const stores = Object.entries(estate.stores);
    const services = Object.keys(estate.services).join(", ");
    const { ttl } = estate.traffic;
    const assumed = (span: number): Figure => figure(span, "measured", sources.assumed);
    const each = <Kind extends string>(kind: Kind) => stores.map(([store]): `${Kind}:${string}` => `${kind}:${store}`);
    const nothing = { how: "nothing to undo: nothing was changed" };
    const ours = { by: "lifeboat" } as const;
    /** As long as a store's data takes at the rate that a restore is expected to run at. */
    const copy = (store: string): Figure => {
        const { data, restoreRate } = estate.stores[store]!.expected;
        const where = `estate: stores.${store}.expected.data at stores.${store}.expected.restoreRate`;
        return figure(data / restoreRate, "declared", { from: "declared", where });
    };

    const undoable: UndoableStep<FailbackStep>[] = [
        {
            ...ours,
            name: "check",
            does: `sees that the standby (${standby}) serves, that the cluster in ${primary} answers, and that nothing there is writable`,
            decided: "whether to begin at all: it is refused while the standby does not serve or a server of the primary is writable",
            estimate: [assumed(5)],
            limit: minutes(2),
            after: [],
            undo: nothing,
        },
        {
            ...ours,
            name: "rebuild",
            does: "`pulumi up` of prod, which the epoch keeps passive, until the guard beside each of its databases answers",
            estimate: [assumed(120)],
            limit: minutes(60),
            after: ["check"],
            undo: { how: "nothing: the primary stands passive" },
        },
        ...stores.map(([store]): UndoableStep<FailbackStep> => ({
            ...ours,
            name: `aside:${store}`,
            does: `saves what the old server of ${store} in ${primary} holds and the standby does not: acknowledged there alone, lost to the history that went on`,
            decided: "by comparing every row, how many there are: the journal counts them by table and names the command that shows them",
            estimate: [copy(store)],
            limit: days(1),
            after: ["rebuild"],
            undo: { how: "nothing: what was saved stays saved" },
        })),
        ...stores.map(([store]): UndoableStep<FailbackStep> => ({
            ...ours,
            name: `rejoin:${store}`,
            does: `makes the server of ${store} in ${primary} a replica of the standby's: from where it stands if its history is a part of the standby's, else wiped and copied`,
            decided: "by the two histories: the journal says `position`, which takes seconds, or `copy`, which takes as long as the data",
            estimate: [copy(store)],
            limit: days(2),
            after: [`aside:${store}`],
            undo: { how: "nothing: it stays a replica, or half a copy that the next fail-back begins anew" },
        })),
        {
            ...ours,
            name: "follow",
            does: `waits until no replica in ${primary} is further behind than ${handOverLag} s`,
            decided: "by the lag that is measured; nobody waits for it yet",
            estimate: [assumed(10)],
            limit: minutes(60),
            after: each("rejoin"),
            undo: nothing,
        },
        {
            ...ours,
            name: "claim",
            does: `raises the epoch by one and names the primary (${primary}) as the active site: the standby's guards close their servers, and users wait`,
            estimate: [assumed(2)],
            limit: seconds(60),
            after: ["follow"],
            undo: {
                how: `raises the epoch once more and names the standby (${standby}) as the active site again: its guards open their servers`,
            },
        },
        {
            ...ours,
            name: "fence",
            does: "tells the witness, and asks each guard of the standby until it says that its server is closed; one that does not answer has its lease waited out",
            decided: "for each store by its guard's answer: the journal says `closed`, after a moment, or `lease waited out`",
            estimate: [
                figure(fenceWait([estate.lease.duration]), "measured", {
                    from: "declared",
                    where: "estate: lease.duration, where a guard does not answer",
                }),
            ],
            limit: seconds(fenceWait([estate.lease.duration]) + 60),
            after: ["claim"],
            undo: { how: "part of the claim's: both records are raised once more" },
        },
        {
            // Beside the fence and the promotions: pods of a service cannot write to a replica, so there is nothing to wait for but the epoch.
            ...ours,
            name: "scale",
            does: "`pulumi up` of prod, aimed at what a promotion changes: Deployments from 0 to their pods, CronJobs awake, nodes in the group",
            estimate: [assumed(20), figure(60, "modelled", sources.boot)],
            limit: minutes(5),
            after: ["claim"],
            undo: { how: "frees the stack; what was scaled up goes down with the next `pulumi up -s prod`, which goes by the epoch" },
        },
        ...stores.map(([store]): UndoableStep<FailbackStep> => ({
            ...ours,
            name: `catch-up:${store}`,
            does: `waits until the replica of ${store} in ${primary} has applied all that the standby's closed server holds: no acknowledged write is lost`,
            estimate: [assumed(5)],
            limit: minutes(2),
            after: ["fence"],
            undo: nothing,
        })),
    ];
    const forward: ForwardStep<FailbackStep>[] = [
        ...stores.map(([store]): ForwardStep<FailbackStep> => ({
            ...ours,
            name: `promote:${store}`,
            does: `makes the replica of ${store} in ${primary} writable, in place`,
            estimate: [assumed(5)],
            limit: minutes(2),
            after: each("catch-up"),
            undo: forwardOnly,
        })),
        {
            // Not later: nothing can be written in the standby any more, and Route 53 takes its time.
            ...ours,
            name: "latch",
            does: "releases the latch: Route 53 answers users with the primary, once it is healthy",
            estimate: [assumed(2), figure(90, "modelled", sources.latch)],
            limit: minutes(2),
            after: each("promote"),
            undo: forwardOnly,
        },
        {
            ...ours,
            name: "verify",
            does: `asks ${services} in ${primary} for health, and each database whether it is writable`,
            estimate: [assumed(5)],
            limit: minutes(3),
            after: ["scale", ...each("promote")],
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
            does: "a user's next request is answered by the primary",
            estimate: [assumed(5)],
            limit: minutes(1),
            after: ["dns", "verify"],
            undo: forwardOnly,
        },
        {
            ...ours,
            name: "retire",
            does: "`pulumi up` of dr, aimed at what a promotion changes: its Deployments to 0 pods, its backups asleep",
            estimate: [assumed(20)],
            limit: minutes(10),
            after: ["verify"],
            undo: forwardOnly,
        },
        ...stores.map(([store]): ForwardStep<FailbackStep> => ({
            ...ours,
            name: `protect:${store}`,
            does: `makes the server of ${store} in ${standby} a replica of the primary's again: from then on the primary's loss can be recovered from`,
            estimate: [copy(store)],
            limit: days(2),
            after: ["verify"],
            undo: forwardOnly,
        })),
    ];
    return { scenario: "failback", active: "primary", undoable, forward };
}

/** Steps during which users wait: writes are refused from the claim on, until the primary answers. */
const waiting = (name: string): boolean => /^(claim|fence|scale|catch-up|promote|latch|verify|dns|answer)(:|$)/.test(name);

/** How long users are expected to wait in the planned switch: the critical path from the claim to the answer. `modelled`: what of it only a cloud can show. */
export function switchBound(plan: FailbackPlan): { seconds: Seconds; modelled: Seconds } {
    const path = criticalPath(plan, (step) => (waiting(step.name) ? estimateOf(step) : seconds(0)));
    const figures = path.steps.filter(({ name }) => waiting(name)).flatMap(({ estimate }) => estimate);
    const modelled = figures.filter(({ kind }) => kind === "modelled").reduce((sum, { seconds: span }) => sum + span, 0);
    return { seconds: path.seconds, modelled: seconds(modelled) };
}
