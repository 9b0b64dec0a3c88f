import type { Check } from "../evidence.ts";
import { unbroken } from "./figures.ts";
import { markup, nothing, type Markup } from "./markup.ts";

/** What else a scenario demands, and what was seen of it. */
export const checksTable = (checks: readonly Check[]): Markup =>
    markup`<table class="figures"><tbody>${checks.map(
        ({ what, holds, saw }) =>
            markup`<tr class="${holds ? "" : "reasons"}"><th scope="row">${what}</th><td class="number">${holds ? "yes" : "NO"}</td></tr>
<tr class="source"><td colspan="2">${unbroken(saw)}</td></tr>\n`,
    )}</tbody></table>`;

/** The same as a section of its own, where there is any. */
export const checksSection = (checks: readonly Check[] | undefined): Markup =>
    checks ? markup`<section><h2>Demanded and seen</h2>${checksTable(checks)}</section>` : nothing;
