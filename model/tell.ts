import { explain, rtoBounds, tellSource } from "./bounds.ts";
import type { Estate } from "./estate.ts";
import { switchBound, type FailbackPlan } from "./failback.ts";
import { estimateOf, forwardOnly, stepsOf, type Figure, type Plan, type RecoveryPlan } from "./plan.ts";
import { formatDuration } from "./units.ts";

const tellFigure = ({ kind, source }: Figure): string => `(${tellSource(source)}${kind === "modelled" ? "; modelled" : ""})`;

/** A plan in words, for a tired reader: each step with what it does, how long, until when, and its way back. */
export function tellPlan(estate: Estate, plan: RecoveryPlan): string {
    const { lost, active } = plan;
    const about = `the ${lost} (${estate.sites[lost].region}) is lost, the ${active} (${estate.sites[active].region}) takes over`;
    return [...tellSteps(plan, about), ...rtoBounds(estate, plan).map(explain)].join("\n");
}

/** The same for going back. */
export function tellFailback(estate: Estate, plan: FailbackPlan): string {
    const { primary, standby } = estate.sites;
    return [
        ...tellSteps(plan, `the standby (${standby.region}) serves and hands over to the primary (${primary.region})`),
        `Users wait from the claim to the answer: ${formatDuration(switchBound(plan).seconds)} are expected at most. No acknowledged write is lost.`,
    ].join("\n");
}

function tellSteps(plan: Plan, about: string): string[] {
    const { undoable } = plan;
    const lines = [`Recovery plan for ${plan.scenario}: ${about}`, ""];
    stepsOf(plan).forEach((step, index) => {
        if (index === undoable.length)
            lines.push("    ---- point of no return: what follows is not undone, it is repeated until it is done ----", "");
        lines.push(`${String(index + 1).padStart(3)}. ${step.name} (${step.by})`);
        lines.push(`     ${step.does}`);
        if (step.decided !== undefined) lines.push(`     decided then: ${step.decided}`);
        const parts = step.estimate.map((part) => `${formatDuration(part.seconds)} ${tellFigure(part)}`);
        if (parts.length > 1) parts.unshift(formatDuration(estimateOf(step)));
        lines.push(`     expected  ${parts.join("\n               ")}`);
        lines.push(`     limit     ${formatDuration(step.limit)}`);
        lines.push(`     undo      ${step.undo === forwardOnly ? step.undo : step.undo.how}`, "");
    });
    return lines;
}
