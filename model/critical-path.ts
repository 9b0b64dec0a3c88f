import { estimateOf, stepsOf, type Plan, type Step } from "./plan.ts";
import { seconds, type Seconds } from "./units.ts";

/** The chain of steps that decides how long the whole takes. */
export interface CriticalPath<Name extends string> {
    seconds: Seconds;
    steps: readonly Step<Name>[];
}

/** @throws RangeError for a step that waits for itself, or for one that is not in the plan, or a name that stands twice. */
export function checkOrder(steps: readonly Step<string>[]): void {
    const seen = new Set<string>();
    for (const step of steps) {
        if (seen.has(step.name)) throw new RangeError(`the plan has two steps named ${step.name}`);
        for (const before of step.after)
            if (!seen.has(before)) throw new RangeError(`${step.name} waits for ${before}, which does not stand before it in the plan`);
        seen.add(step.name);
    }
}

/**
 * The longest chain through the plan: each step starts when the last of those that it waits for is done.
 * @param span how long a step takes: its estimate by default
 */
export function criticalPath<Name extends string>(plan: Plan<Name>, span: (step: Step<Name>) => Seconds = estimateOf): CriticalPath<Name> {
    const steps = stepsOf(plan);
    checkOrder(steps);
    const ends = new Map<string, CriticalPath<Name>>();
    let longest: CriticalPath<Name> = { seconds: seconds(0), steps: [] };
    for (const step of steps) {
        let before: CriticalPath<Name> = { seconds: seconds(0), steps: [] };
        for (const name of step.after) {
            const path = ends.get(name);
            if (path !== undefined && path.seconds > before.seconds) before = path;
        }
        const path = { seconds: seconds(before.seconds + span(step)), steps: [...before.steps, step] };
        ends.set(step.name, path);
        if (path.seconds > longest.seconds) longest = path;
    }
    return longest;
}
