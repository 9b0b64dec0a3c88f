import { tellSource } from "../bounds.ts";
import type { Step } from "../plan.ts";
import { formatDuration } from "../units.ts";
import { chapter, list } from "./markdown.ts";

/** What steps are expected to take, under the source that says so. */
export function stepFigures(steps: readonly Step<string>[]): string {
    const said = steps.flatMap(({ name, estimate }) =>
        estimate.map(({ seconds, kind, source }) => ({
            source: `${tellSource(source)}${kind === "modelled" ? "; modelled" : ""}`,
            figure: `${name} ${formatDuration(seconds)}`,
        })),
    );
    const bySource = Map.groupBy(said, ({ source }) => source);
    return chapter(
        "Where the figures come from",
        list([...bySource].map(([source, figures]) => `${figures.map(({ figure }) => figure).join(", ")}: ${source}.`)),
    );
}
