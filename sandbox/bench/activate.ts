import { operate } from "../rehearsal/provision.ts";
import { rehearse } from "../rehearsal/rehearsal.ts";
import { atMost, measured, type Figure } from "./figure.ts";
import type { BenchOptions } from "./start.ts";

/**
 * Our time in an activation beside the least that it could take: the lease that has to run out, the promotions, and one `pulumi up` that changes nothing.
 * @param evidenceDirectory where the rehearsal that it is measured in leaves its evidence
 */
export async function benchActivate({ estate, source, note, signal }: BenchOptions, evidenceDirectory: string): Promise<Figure[]> {
    let update = NaN;
    const { evidence } = await rehearse({
        ...{ scenario: "region-loss", estate, source, name: "bench", fast: 10, evidenceDirectory, note, signal },
        afterwards: async (sandbox) => {
            const start = performance.now();
            await operate(sandbox, ["pulumi", "up", "-s", "dr", "--yes", "--skip-preview", "--color", "never"], "pulumi up of no change");
            update = (performance.now() - start) / 1000;
        },
    });
    const ran = evidence.series?.spans.filter(({ of }) => of === "activation") ?? [];
    /** From the first of the steps so named to the end of the last: promotions run side by side. */
    const span = (name: string): number => {
        const steps = ran.filter((each) => each.name === name || each.name.startsWith(`${name}:`));
        if (steps.length === 0) throw new Error(`the activation's journal has no ${name}`);
        return Math.max(...steps.map(({ endSeconds }) => endSeconds)) - Math.min(...steps.map(({ startSeconds }) => startSeconds));
    };
    const ours = evidence.phases["activate"];
    if (ours === undefined) throw new Error("the rehearsal did not time its activation");
    const floor = span("fence") + span("promote") + update;
    return [
        measured("the lease running out", span("fence")),
        measured("the promotions", span("promote")),
        measured("one pulumi up of no change", update),
        measured("the whole activation", ours),
        atMost("the activation against these three", ours / floor, 1.2),
    ];
}
