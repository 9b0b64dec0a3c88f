import { kinds, sums, total, type Kind, type Span, type Sums } from "../clock.ts";
import type { Evidence } from "../evidence.ts";
import { worstCase } from "../worst-case.ts";
import { say, unbroken } from "./figures.ts";
import { markup, nothing, type Markup } from "./markup.ts";
import { timeScale } from "./scale.ts";
import { axis, barTrack, row, type Bar } from "./track.ts";

/** Names of the kinds of figures, which are also the classes of their textures. */
export const kindNames: Readonly<Record<Kind, string>> = {
    measuredSeconds: "measured",
    scaledSeconds: "scaled",
    modelledSeconds: "modelled",
    declaredSeconds: "declared",
};
const meanings: Readonly<Record<Kind, string>> = {
    measuredSeconds: "passed on this machine",
    scaledSeconds: "passed on a sandbox clock that ran fast, multiplied back",
    modelledSeconds: "only a cloud can show it; from a stated source",
    declaredSeconds: "said by the estate, not waited for",
};

/** Bars of one row, one after the other, each in the texture of its kind. */
export function bars(from: number, of: Span | Sums): Bar[] {
    let at = from;
    return kinds.flatMap((kind) => {
        const length = of[kind] ?? 0;
        if (length <= 0) return [];
        const bar = { from: at, to: at + length, look: kindNames[kind], title: `${say(length)} ${kindNames[kind]}` };
        at = bar.to;
        return [bar];
    });
}

/** The recovery clock as it counts: every span where it begins and ends, each kind in its own texture, against bound and objective. */
export function clockChart({ clock, rto }: Evidence): Markup {
    const found = total(sums(clock));
    const worst = worstCase(rto);
    const time = timeScale(0, Math.max(found, worst ?? 0, rto.objectiveSeconds) * 1.02);
    const through = [...(worst === null ? [] : [{ at: worst, look: "bound" }]), { at: rto.objectiveSeconds, look: "objective" }];
    let at = 0;
    const rows = Object.entries(clock).map(([name, span]) => {
        const length = total(sums({ [name]: span }));
        const drawn = row(name, barTrack(time, bars(at, span), through), say(length));
        at += length;
        return drawn;
    });
    return markup`<ul class="chart">
${rows}${row("together", barTrack(time, bars(0, sums(clock)), through), say(found), "sum")}${axis(time, say)}</ul>
<p class="legend">${kinds.map((kind) => markup`<span><i class="swatch ${kindNames[kind]}"></i>${kindNames[kind]}: ${meanings[kind]}</span> `)}
${worst === null ? nothing : markup`<span><i class="swatch rule bound"></i>at worst, by the model: ${say(worst)}</span>`}
<span><i class="swatch rule objective"></i>objective: ${say(rto.objectiveSeconds)}</span></p>`;
}

/** The same clock in figures: a column a kind, and where each comes from. */
export function clockTable({ clock }: Evidence): Markup {
    const cell = (value: number | undefined) => markup`<td class="number">${value === undefined ? "" : say(value)}</td>`;
    const rows = Object.entries(clock).map(
        ([name, span]) => markup`<tr><th scope="row">${name}</th>${kinds.map((kind) => cell(span[kind]))}</tr>
<tr class="source"><td colspan="${1 + kinds.length}">${unbroken(span.source)}</td></tr>
`,
    );
    const by = sums(clock);
    return markup`<table class="figures clock"><thead><tr><th></th>${kinds.map((kind) => markup`<th scope="col" class="number">${kindNames[kind]}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
<tfoot><tr><th scope="row">sum</th>${kinds.map((kind) => cell(by[kind]))}</tr></tfoot></table>`;
}
