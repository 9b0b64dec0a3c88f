import type { Evidence, FailbackEvidence } from "../evidence.ts";
import { checksTable } from "./checks.ts";
import { bars, kindNames } from "./clock-chart.ts";
import { facts } from "./facts.ts";
import { say } from "./figures.ts";
import { markup, nothing, type Markup } from "./markup.ts";
import { timeScale } from "./scale.ts";
import { axis, barTrack, row } from "./track.ts";

/** The way back to the primary: what it took, what customers had of it, what was saved aside, and what is demanded of it. */
export function wayBackSection({ failback, checks, fast }: Evidence): Markup {
    if (!failback) return nothing;
    return markup`<section><h2>The way back</h2><p>The lost region came back, and <code>lifeboat failback</code> went back to it while customers shopped on.</p>
<div class="tiles">${failbackTile(failback)}${switchTile(failback)}${waitTile(failback)}${asideTile(failback)}</div>
${waitChart(failback, fast)}
${stepsArticle(failback)}
${checks ? checksTable(checks) : nothing}</section>
`;
}

const failbackTile = ({ seconds, lost, verdict }: FailbackEvidence): Markup =>
    markup`<article><h3>Fail-back <b class="badge ${verdict}">${verdict}</b></h3><p class="big">${say(seconds)}</p><p class="aside">all of its steps, on this machine</p>
<dl>${facts([["orders lost of those acknowledged since the loss", lost]])}</dl></article>`;

const switchTile = ({ switchSeconds, acknowledged: { standby, primary } }: FailbackEvidence): Markup =>
    markup`<article><h3>The switch</h3><p class="big">${switchSeconds === null ? "never" : say(switchSeconds)}</p><p class="aside">from the standby's last acknowledgement to the primary's first: nobody was served</p>
<dl>${facts([
        ["acknowledged by the standby", standby],
        ["then by the primary", primary],
    ])}</dl></article>`;

function waitTile(failback: FailbackEvidence): Markup {
    const { totalSeconds, longestWaitSeconds, scaledSeconds, modelledSeconds, boundSeconds } = failback;
    return markup`<article><h3>Longest wait of a customer</h3><p class="big">${say(totalSeconds)}</p><p class="aside">for an acknowledgement, in all of the way back</p>
<dl>${facts([
        ["measured", say(longestWaitSeconds)],
        ["DNS, multiplied back", say(scaledSeconds)],
        ["modelled", say(modelledSeconds)],
        ["expected at most", say(boundSeconds)],
    ])}</dl></article>`;
}

function asideTile({ aside }: FailbackEvidence): Markup {
    const rows = aside.reduce((sum, each) => sum + each.rows, 0);
    return markup`<article><h3>Saved aside</h3><p class="big">${rows} rows</p><p class="aside">held by the old primary alone, saved before its databases became replicas</p>
<dl>${facts(aside.map(({ store, rows }) => [store, rows]))}</dl>${aside.map(({ key }) => (key === null ? nothing : markup`<p class="aside"><code>${key}</code></p>`))}</article>`;
}

/** How long each step took. When it began is not kept, so that they cannot be drawn in time. */
const stepsArticle = ({ steps }: FailbackEvidence): Markup =>
    markup`<article class="steps"><h3>Steps of the fail-back</h3><p class="aside">On this machine. Some ran beside others.</p>
<dl>${steps.map(({ name, seconds }) => markup`<div><dt>${name}</dt><dd>${say(seconds)}</dd></div>`)}</dl></article>`;

/** The longest wait as it counts, each kind in its own texture, against what the plan expects. */
function waitChart(
    { longestWaitSeconds, scaledSeconds, modelledSeconds, totalSeconds, boundSeconds }: FailbackEvidence,
    fast: number,
): Markup {
    const time = timeScale(0, Math.max(totalSeconds, boundSeconds) * 1.02);
    const kinds = { measuredSeconds: longestWaitSeconds, scaledSeconds, modelledSeconds, declaredSeconds: 0 };
    return markup`<ul class="chart">${row("longest wait", barTrack(time, bars(0, kinds), [{ at: boundSeconds, look: "bound" }]), say(totalSeconds))}${axis(time, say)}</ul>
<p class="legend"><span><i class="swatch measured"></i>${kindNames.measuredSeconds}: passed on this machine</span>
${fast === 1 ? nothing : markup`<span><i class="swatch scaled"></i>${kindNames.scaledSeconds}: the DNS TTL that ran fast, multiplied back</span>`}
<span><i class="swatch modelled"></i>${kindNames.modelledSeconds}: only a cloud can show it</span>
<span><i class="swatch rule bound"></i>expected at most, by the plan: ${say(boundSeconds)}</span></p>`;
}
