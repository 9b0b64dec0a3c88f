import { scaleLinear, scaleUtc } from "d3-scale";
import { line } from "d3-shape";

/** A span of seconds laid over a track: places are percent of its width. */
export interface TimeScale {
    readonly from: number;
    readonly to: number;
    /** Percent from the left. What lies outside is put on the edge. */
    place(second: number): number;
    /** Round instants inside the span: whole seconds, minutes, hours. */
    readonly ticks: readonly number[];
}

/** As many ticks at most as a telephone has room for. */
const mostTicks = 6;

export function timeScale(from: number, to: number): TimeScale {
    const percent = scaleLinear([from, to], [0, 100]).clamp(true);
    // A date's ticks fall on round seconds, minutes and hours; counted from 1970 they do so for spans, too.
    const dates = scaleUtc().domain([new Date(from * 1000), new Date(to * 1000)]);
    let ticks = dates.ticks(mostTicks);
    for (let count = mostTicks - 1; ticks.length > mostTicks && count > 0; count--) ticks = dates.ticks(count);
    return { from, to, place: (second) => Number(percent(second).toFixed(3)), ticks: ticks.map((date) => date.getTime() / 1000) };
}

/** A figure's height over a track, from 0 to the highest that there is. */
export interface HeightScale {
    readonly top: number;
    /** Percent from the bottom. */
    place(value: number): number;
}

export function heightScale(highest: number): HeightScale {
    const top = highest > 0 ? highest : 1;
    return { top, place: (value) => Number(((value / top) * 100).toFixed(3)) };
}

/** Path of a line over a track of 100 by 100 units, y downwards. It breaks where a figure is unknown. */
export function linePath(points: readonly { second: number; value: number | null }[], time: TimeScale, height: HeightScale): string {
    const draw = line<{ second: number; value: number | null }>()
        .defined(({ value }) => value !== null)
        .x(({ second }) => time.place(second))
        .y(({ value }) => 100 - height.place(value ?? 0));
    return draw([...points]) ?? "";
}

/**
 * Rows for marks that would stand on one another: each gets the first row in which it is at least `apart` percent from the last.
 * @param places ascending, percent
 */
export function lanes(places: readonly number[], apart: number): number[] {
    const last: number[] = [];
    return places.map((place) => {
        const free = last.findIndex((before) => place - before >= apart);
        const lane = free === -1 ? last.length : free;
        last[lane] = place;
        return lane;
    });
}
