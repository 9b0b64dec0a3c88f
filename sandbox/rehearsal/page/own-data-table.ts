import type { Content, OwnDataEvidence } from "../own-data/comparison.ts";
import { say, saySize } from "./figures.ts";
import { markup, type Markup } from "./markup.ts";

/** Each table of the user's dump: what was loaded, and whether the standby and the restored point hold the same. */
export function ownDataTable({ file, store, bytes: size, sha256, loadSeconds, tables }: OwnDataEvidence): Markup {
    const found = (loaded: Content, here: Content | null) =>
        here === null
            ? "not there"
            : here.rows !== loaded.rows
              ? `${here.rows} rows`
              : here.checksum === loaded.checksum
                ? "the same"
                : "other content";
    return markup`<p><code>${file}</code>, ${saySize(size)} of SQL (SHA-256 <code>${sha256}</code>), loaded into ${store} in ${say(loadSeconds)}. Rows and checksum of every table, read whole.</p>
<table class="figures"><thead><tr><th>table</th><th class="number">rows</th><th class="number">standby</th><th class="number">restored point</th></tr></thead><tbody>${tables.map(
        ({ name, loaded, standby, restored, same }) =>
            markup`<tr class="${same ? "" : "reasons"}"><th scope="row">${name}</th><td class="number">${loaded.rows}</td><td class="number">${found(loaded, standby)}</td><td class="number">${found(loaded, restored)}</td></tr>\n`,
    )}</tbody></table>`;
}
