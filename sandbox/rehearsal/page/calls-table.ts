import type { Evidence } from "../evidence.ts";
import { markup, nothing, type Markup } from "./markup.ts";

/** Who called which region between the loss and the last customer's first answer, the activation first. */
export function callsTable(evidence: Evidence): Markup {
    return markup`${evidence.callsByRegion ? byRegion(evidence, evidence.callsByRegion) : byRisk(evidence)}${attempts(evidence)}`;
}

function byRegion({ calls }: Evidence, by: Readonly<Record<string, Readonly<Record<string, number>>>>): Markup {
    const regions = [...new Set(Object.values(by).flatMap(Object.keys))].sort(
        (a, b) => Number(a === "global") - Number(b === "global") || a.localeCompare(b),
    );
    const callers = Object.keys(by).sort((a, b) => Number(b === "activation") - Number(a === "activation") || a.localeCompare(b));
    return markup`<p>From the loss until the last customer was served. The activation may need neither the lost region (${calls.deadRegion} calls) nor a global control plane (${calls.globalControlPlane}).</p>
<table class="figures"><thead><tr><th></th>${regions.map((region) => markup`<th scope="col" class="number">${region}</th>`)}</tr></thead><tbody>${callers.map(
        (who) =>
            markup`<tr class="${who === "activation" ? "own" : ""}"><th scope="row">${who}</th>${regions.map((region) => markup`<td class="number">${by[who]?.[region] ?? ""}</td>`)}</tr>\n`,
    )}</tbody></table>`;
}

/** For evidence that does not have the regions. */
function byRisk({ calls, otherCalls }: Evidence): Markup {
    const rows = Object.entries({ activation: calls, ...otherCalls.by });
    return markup`<table class="figures"><thead><tr><th></th><th class="number">all</th><th class="number">lost region</th><th class="number">global control planes</th></tr></thead><tbody>${rows.map(
        ([who, { total, deadRegion, globalControlPlane }]) =>
            markup`<tr class="${who === "activation" ? "own" : ""}"><th scope="row">${who}</th><td class="number">${total}</td><td class="number">${deadRegion}</td><td class="number">${globalControlPlane}</td></tr>\n`,
    )}</tbody></table>`;
}

function attempts({ attempts }: Evidence): Markup {
    if (attempts.length === 0) return nothing;
    return markup`<h3>Packets dropped on their way to the lost region</h3><table class="figures"><thead><tr><th>who</th><th>to</th><th class="number">packets</th></tr></thead><tbody>${attempts.map(
        ({ who, destination, port, packets }) =>
            markup`<tr><th scope="row">${who}</th><td>${destination}:${port}</td><td class="number">${packets}</td></tr>\n`,
    )}</tbody></table>`;
}
