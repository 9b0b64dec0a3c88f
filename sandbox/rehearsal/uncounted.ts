import type { Evidence } from "./evidence.ts";

/** How many orders were lost that the lost site itself acknowledged after its loss; undefined in evidence from before that was kept. */
export const lostAlone = ({ orders, writers }: Evidence): number | undefined => orders.lostAlone ?? writers?.alone.lost;

/** What the loss was to customers: a site that lives on was cut off. */
export const lossInWords = ({ writers }: Evidence): "cut" | "loss" => (writers ? "cut" : "loss");

/**
 * What was acknowledged after the loss and is no part of the RPO, in words; undefined where there is nothing to say. Whoever reads "0 s" must not take it for
 * "nothing is gone": replication is asynchronous, and what a cut-off site acknowledges alone reaches nobody.
 */
export function uncountedInWords(evidence: Evidence, say: (seconds: number) => string): string | undefined {
    const none = "No objective promises them.";
    if (evidence.writers) {
        const { acknowledged, lost, spanSeconds } = evidence.writers.alone;
        if (acknowledged === 0) return "not counted: what the cut-off primary acknowledges alone after the cut; here that was nothing.";
        const fate = lost === acknowledged ? "all of them are lost" : `${lost} of them are lost`;
        return `not counted: ${acknowledged} orders, acknowledged by the cut-off primary alone in the ${say(spanSeconds)} after the cut; ${fate}. ${none}`;
    }
    const lost = lostAlone(evidence) ?? 0;
    return lost === 0 ? undefined : `not counted: ${lost} lost orders that the lost region itself acknowledged after the loss. ${none}`;
}
