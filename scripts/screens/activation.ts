import { rtoBounds } from "../../model/bounds.ts";
import type { Estate } from "../../model/estate.ts";
import { estimateOf, stepsOf, type Plan, type RecoveryPlan } from "../../model/plan.ts";
import { tellPrice, type Readiness } from "../../model/readiness.ts";
import { formatDuration, seconds, type Seconds } from "../../model/units.ts";
import type { ActivationState } from "../../recovery/journal/state.ts";

/** Detection and decision, as planned: they are over when an activation begins, and count. */
const spentBefore = (plan: RecoveryPlan): Seconds =>
    seconds(
        stepsOf(plan)
            .filter(({ by }) => by === "health checks" || by === "people")
            .reduce((sum, step) => sum + estimateOf(step), 0),
    );

/** What an activation has from its first step on, and what its plan expects to take of it: the service with the least to spare. */
export function budget(
    estate: Estate,
    plan: RecoveryPlan,
): { service: string; left: Seconds; expected: Seconds; spent: Seconds; rto: Seconds } {
    const spent = spentBefore(plan);
    const budgets = rtoBounds(estate, plan).map(({ of, promised, seconds: bound }) => ({
        service: of,
        left: seconds(promised - spent),
        expected: seconds(bound - spent),
        spent,
        rto: promised,
    }));
    return budgets.reduce((least, each) => (each.left < least.left ? each : least));
}

/** The header of a run: its clock starts here. */
export function header(estate: Estate, plan: RecoveryPlan, activation: string): string {
    const { service, left, expected, spent, rto } = budget(estate, plan);
    return (
        `activation ${activation}; after detection and decision (${formatDuration(spent)}) ${service}: ` +
        `${formatDuration(seconds(Math.max(0, left)))} of its RTO of ${formatDuration(rto)} are left, of which the plan expects to take ${formatDuration(expected)} at most`
    );
}

/** The clock of a run, beside what is left of the RTO: "+12.3 s (4 min 6 s left)". */
export function clock(left: Seconds, elapsed: Seconds): string {
    const rest = Math.round(left - elapsed);
    const against = rest >= 0 ? `${formatDuration(seconds(rest))} left` : `${formatDuration(seconds(-rest))} over`;
    return `${`+${elapsed.toFixed(1)} s`.padStart(9)} ${`(${against})`.padEnd(18)}`;
}

/** What a person is to know before the name is typed: what it costs, and what stands in the way. */
export function price(readiness: Readiness): string {
    const { failover, obstacles } = readiness;
    if (failover === "no")
        return ["What stands in the way of it now:", ...obstacles.map(({ what, next }) => `  ${what}\n    next: ${next}`)].join("\n");
    return ["What it would cost now:", ...tellPrice(readiness).map((line) => `  ${line}`)].join("\n");
}

/** What `--json` says of an activation that has ended. */
export function report(state: ActivationState, plan: Plan) {
    const planned = new Map(stepsOf(plan).map((step) => [step.name as string, step]));
    const active = state.outcome === "active";
    return {
        activation: state.activation,
        outcome: state.outcome,
        ...(active ? { epoch: state.opened.from.epoch + 1, active: plan.active } : {}),
        reason: state.opened.reason,
        openedAt: state.openedAt,
        finishedAt: state.lastAt,
        seconds: Math.max(0, (Date.parse(state.lastAt) - Date.parse(state.openedAt)) / 1000),
        steps: state.steps.map(({ name, state: stands, seconds: took, attempts, result }) => {
            const step = planned.get(name);
            return {
                name,
                state: stands,
                seconds: took,
                estimateSeconds: step && estimateOf(step),
                limitSeconds: step?.limit,
                attempts,
                result,
            };
        }),
    };
}

/** The same for a person. */
export function summary(
    state: ActivationState,
    plan: Pick<Plan, "active">,
    paint: (colour: "green" | "yellow", text: string) => string,
): string {
    const { opened, openedAt, lastAt, steps } = state;
    const span = formatDuration(seconds(Math.max(0, (Date.parse(lastAt) - Date.parse(openedAt)) / 1000)));
    const rows = steps.map(({ name, state: stands, seconds: took }) =>
        `  ${name.padEnd(28)} ${stands.padEnd(9)} ${took === undefined ? "" : formatDuration(seconds(took))}`.trimEnd(),
    );
    const told =
        state.outcome === "active"
            ? `${paint("green", "active")}: the ${plan.active} serves, epoch ${opened.from.epoch + 1}, after ${span}`
            : `${paint("yellow", "aborted")}: all was undone, the ${opened.from.active} is the active site, after ${span}`;
    return [told, ...rows, `  the whole of it: lifeboat journal ${state.activation}`].join("\n");
}
