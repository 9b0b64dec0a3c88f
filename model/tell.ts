import { explain, rtoBounds, tellSource } from "./bounds.ts";
import type { Estate } from "./estate.ts";
import { estimateOf, forwardOnly, stepsOf, type Figure, type RecoveryPlan } from "./plan.ts";
import { formatDuration } from "./units.ts";

const tellFigure = ({ kind, source }: Figure): string => `(${tellSource(source)}${kind === "modelled" ? "; modelled" : ""})`;

/** A plan in words, for a tired reader: each step with what it does, how long, until when, and its way back. */
export function tellPlan(estate: Estate, plan: RecoveryPlan): string {
    const { lost, active, undoable } = plan;
    const lines = [
        `Recovery plan for ${plan.scenario}: the ${lost} (${estate.sites[lost].region}) is lost, the ${active} (${estate.sites[active].region}) takes over`,
        "",
    ];
    stepsOf(plan).forEach((step, index) => {
        if (index === undoable.length)
            lines.push("    ---- point of no return: what follows is not undone, it is repeated until it is done ----", "");
        lines.push(`${String(index + 1).padStart(3)}. ${step.name} (${step.by})`);
        lines.push(`     ${step.does}`);
        const parts = step.estimate.map((part) => `${formatDuration(part.seconds)} ${tellFigure(part)}`);
        if (parts.length > 1) parts.unshift(formatDuration(estimateOf(step)));
        lines.push(`     expected  ${parts.join("\n               ")}`);
        lines.push(`     limit     ${formatDuration(step.limit)}`);
        lines.push(`     undo      ${step.undo === forwardOnly ? step.undo : step.undo.how}`, "");
    });
    return [...lines, ...rtoBounds(estate, plan).map(explain)].join("\n");
}
