import type { Past } from "../trend.ts";
import { say, saySize } from "./figures.ts";
import { markup, nothing, type Markup } from "./markup.ts";
import { heightScale } from "./scale.ts";
import { row } from "./track.ts";

/** How many rehearsals are drawn: the newest. */
const drawn = 30;

interface Figure {
    name: string;
    of(past: Past): number | null;
    /** The promise that the figure is held to, if there is one. */
    limit?(past: Past): number;
    say(value: number): string;
}
const rate = (value: number) => `${saySize(value)}/s`;
const figures: readonly Figure[] = [
    { name: "RTO", of: ({ rtoSeconds }) => rtoSeconds, limit: ({ rtoObjectiveSeconds }) => rtoObjectiveSeconds, say },
    { name: "RPO", of: ({ rpoSeconds }) => rpoSeconds, limit: ({ rpoObjectiveSeconds }) => rpoObjectiveSeconds, say },
    { name: "backup", of: ({ backupBytesPerSecond }) => backupBytesPerSecond, say: rate },
    { name: "restore", of: ({ restoreBytesPerSecond }) => restoreBytesPerSecond, say: rate },
];

/** RTO, RPO and the rates of backup and restore over a scenario's rehearsals (at least one), a column each, the newest on the right. */
export function trendChart(all: readonly Past[]): Markup {
    const shown = all.slice(-drawn);
    return markup`<ul class="chart">${figures.map((figure) => trendRow(figure, shown))}</ul>
<p class="legend"><span><i class="swatch kept"></i>held its objective</span> <span><i class="swatch lost"></i>did not</span> <span><i class="swatch failed"></i>never ended</span>
<span><i class="swatch rule objective"></i>objective</span></p>
<p class="aside">${all.length === 1 ? "One rehearsal" : `${all.length} rehearsals`} since ${all[0]!.startedAt.slice(0, 10)}${all.length > drawn ? `, the last ${drawn} drawn` : ""}; the newest is on the right. Figures on the right are the newest.</p>`;
}

function trendRow({ name, of, limit, say }: Figure, shown: readonly Past[]): Markup {
    const height = heightScale(Math.max(0, ...shown.flatMap((past) => [of(past) ?? 0, limit?.(past) ?? 0])));
    const width = 100 / Math.max(shown.length, 8);
    const rectangle = (look: string, index: number, tall: number) =>
        markup`<rect class="${look}" x="${(index * width + width * 0.1).toFixed(3)}" width="${(width * 0.8).toFixed(3)}" y="${(100 - tall).toFixed(2)}" height="${tall.toFixed(2)}"/>`;
    const columns = shown.map((past, index) => {
        const value = of(past);
        // A recovery that never ended missed its objective altogether. A rate that is not there is only unknown.
        if (value === null) return limit ? rectangle("failed", index, 100) : nothing;
        return rectangle(limit === undefined ? "plain" : value <= limit(past) ? "kept" : "lost", index, Math.max(height.place(value), 2));
    });
    const newest = shown.at(-1)!;
    const objective = limit ? markup`<path class="objective" d="M0,${100 - height.place(limit(newest))}H100"/>` : nothing;
    const value = of(newest);
    const said = value === null ? (limit ? "never" : "unknown") : say(value);
    return row(
        name,
        markup`<span class="track plot"><svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${name} over ${shown.length} rehearsals, the newest ${said}">${columns}${objective}</svg><span class="top">${say(height.top)}</span></span>`,
        said,
        "low",
    );
}
