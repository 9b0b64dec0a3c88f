import { z } from "zod";

/** What the rehearsal reads of an entry of an activation's journal. */
const entry = z.looseObject({
    activation: z.string(),
    number: z.int(),
    at: z.iso.datetime(),
    event: z.looseObject({ kind: z.string(), step: z.string().optional() }),
});

/** Steps of an activation as its journal has them, wall time in milliseconds since 1970. */
export interface JournaledStep {
    name: string;
    startedAt: number;
    finishedAt: number;
}

/** Reads the newest activation out of the objects under `journal/`: each step from its first begin to its end. Steps that did not end are left out. */
export function stepsOfNewest(objects: Readonly<Record<string, string>>): JournaledStep[] {
    const entries = Object.values(objects).map((text) => entry.parse(JSON.parse(text)));
    const newest = entries
        .map(({ activation }) => activation)
        .toSorted()
        .at(-1);
    const begun = new Map<string, number>();
    const steps: JournaledStep[] = [];
    for (const { at, event } of entries.filter(({ activation }) => activation === newest).toSorted((a, b) => a.number - b.number)) {
        if (event.step === undefined) continue;
        if (event.kind === "begun" && !begun.has(event.step)) begun.set(event.step, Date.parse(at));
        if (event.kind === "done")
            steps.push({ name: event.step, startedAt: begun.get(event.step) ?? Date.parse(at), finishedAt: Date.parse(at) });
    }
    return steps;
}
