import { markup, nothing, type Markup } from "./markup.ts";
import type { TimeScale } from "./scale.ts";

/** A stretch of time on a track, in seconds of its scale. */
export interface Bar {
    from: number;
    to: number;
    /** Class of its texture. */
    look: string;
    title: string;
}
/** An instant or a limit, drawn through all tracks. */
export interface Rule {
    at: number;
    look: string;
}

/** One line of a chart: a name, a track with something on it, a figure. On a narrow page the name and the figure stand above the track. */
export const row = (name: Markup | string, track: Markup, figure: Markup | string, look = ""): Markup =>
    markup`<li class="row ${look}"><span class="name">${name}</span>${track}<span class="figure">${figure}</span></li>\n`;

const rules = (time: TimeScale, all: readonly Rule[]): Markup[] =>
    all.map(({ at, look }) => markup`<i class="rule ${look}" style="left:${time.place(at)}%"></i>`);

/** Bars in time. One too short to be seen is drawn as a hair. */
export function barTrack(time: TimeScale, bars: readonly Bar[], through: readonly Rule[]): Markup {
    const drawn = bars.map(({ from, to, look, title }) => {
        const left = time.place(from);
        const width = Number((time.place(to) - left).toFixed(3));
        return markup`<i class="bar ${look}" style="left:${left}%;width:${width}%" title="${title}"></i>`;
    });
    return markup`<span class="track">${drawn}${rules(time, through)}</span>`;
}

/**
 * A plot over a track: a drawing of 100 by 100 units that is stretched, with words of the page's own size on it.
 * @param top what the upper edge stands for
 */
export function plotTrack(time: TimeScale, drawing: Markup, top: string, through: readonly Rule[], described: string): Markup {
    const svg = markup`<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${described}">${drawing}</svg>`;
    return markup`<span class="track plot">${svg}${rules(time, through)}${top === "" ? nothing : markup`<span class="top">${top}</span>`}</span>`;
}

/** The line with the round instants of a chart. */
export function axis(time: TimeScale, say: (second: number) => string): Markup {
    const ticks = time.ticks.map((tick) => {
        const place = time.place(tick);
        // What does not break needs room: in the middle of its place it would stick out of a telephone.
        const edge = place < 8 ? "first" : place > 92 ? "last" : "";
        return markup`<span class="tick ${edge}" style="left:${place}%">${say(tick)}</span>`;
    });
    return row("", markup`<span class="track axis">${ticks}</span>`, "", "axis-row");
}
