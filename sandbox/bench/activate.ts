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
    const step = (name: string): number => {
        const span = evidence.clock[name];
        if (span?.measuredSeconds === undefined) throw new Error(`the activation's clock has no ${name}`);
        return span.measuredSeconds;
    };
    const ours = evidence.phases["activate"];
    if (ours === undefined) throw new Error("the rehearsal did not time its activation");
    const floor = step("fence") + step("promote") + update;
    return [
        measured("the lease running out", step("fence")),
        measured("the promotions", step("promote")),
        measured("one pulumi up of no change", update),
        measured("the whole activation", ours),
        atMost("the activation against these three", ours / floor, 1.2),
    ];
}
