import type { WritersEvidence } from "../evidence.ts";
import { facts } from "./facts.ts";
import { say } from "./figures.ts";
import { markup, nothing, type Markup } from "./markup.ts";

/** Whether two sites ever acknowledged at once, and what the old one acknowledged alone. */
export function writersSection(writers: WritersEvidence | undefined): Markup {
    if (!writers) return nothing;
    const { tenures, acknowledged, unlawful, late, turns, silenceSeconds, alone, verdict } = writers;
    const found: [string, string][] = [
        ["acknowledged without holding the epoch", String(unlawful)],
        ...tenures.map(({ site, epoch }): [string, string] => [`acknowledged by the ${site}, epoch ${epoch}`, String(acknowledged[site])]),
        ["turns of the two sites", `${turns} for ${tenures.length} tenures`],
        ["silence between them", silenceSeconds === null ? "unknown" : silenceSeconds < 0 ? "none" : say(silenceSeconds)],
        ["answers that arrived late", late.count === 0 ? "none" : `${late.count}, up to ${say(late.longestMs / 1000)}`],
        ["acknowledged alone, after the cut", `${alone.acknowledged} in ${say(alone.spanSeconds)}`],
        ["of these not in the new history", String(alone.lost)],
    ];
    return markup`<section><h2>Writers</h2><div class="tiles"><article class="wide"><h3>Never two writers <b class="badge ${verdict}">${verdict}</b></h3>
<dl>${facts(found)}</dl></article></div></section>`;
}
