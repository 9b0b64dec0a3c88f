import type { Estate } from "./estate.ts";
import { figure, sources, type UndoableStep } from "./plan.ts";
import { minutes, seconds } from "./units.ts";

export type RebuildStepName = "reach" | "stand up" | "follow";

/** One command of the rebuilding. Nothing of it touches the active site, so all of it can be left and begun again. */
export interface RebuildStep extends UndoableStep<RebuildStepName> {
    /** Its words, as a person types them; a rehearsal adds only what answers for a person. */
    command: readonly string[];
    /** Typed again until it ends with 0: it looks at something that happens by itself. */
    repeated: boolean;
}

/**
 * How a standby is made whole that was away, in order, while the primary serves: what the runbook has people type, and what the rehearsal runs.
 * It is for a standby that comes back with its buckets; what else is missing is made anew.
 */
export function standbyRebuild(estate: Estate): readonly RebuildStep[] {
    const { standby } = estate.sites;
    const own = { by: "people", undo: { how: "nothing to undo: the primary serves all the while" } } as const;
    const copies = Object.entries(estate.stores).map(([store, { expected }]) => ({ store, span: expected.data / expected.restoreRate }));
    const largest = copies.reduce((a, b) => (a.span >= b.span ? a : b), { store: "", span: 0 });
    const where = `estate: stores.${largest.store}.expected.data at stores.${largest.store}.expected.restoreRate, where it is copied`;
    return [
        {
            ...own,
            name: "reach",
            does: `asks the standby (${standby.region}) who is active: its records are there, and still name the primary`,
            command: ["lifeboat", "epoch"],
            repeated: false,
            estimate: [figure(5, "measured", sources.assumed)],
            limit: minutes(1),
            after: [],
        },
        {
            ...own,
            name: "stand up",
            does: "`pulumi up` of dr: what is there is kept, what is missing is made. The epoch keeps it passive",
            command: ["pulumi", "up", "-s", "dr"],
            repeated: false,
            estimate: [figure(120, "measured", sources.assumed)],
            limit: minutes(60),
            after: ["reach"],
        },
        {
            ...own,
            name: "follow",
            does: "asks again and again, until the standby could take over: a replica that kept its volume goes on from where it stands, one that lost it is copied from the primary by itself",
            command: ["lifeboat", "status"],
            repeated: true,
            estimate: [figure(largest.span, "declared", { from: "declared", where })],
            limit: seconds(2 * 24 * 60 * 60),
            after: ["stand up"],
        },
    ];
}
