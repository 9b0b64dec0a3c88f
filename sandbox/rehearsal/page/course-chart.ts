import type { Series } from "../series.ts";
import { say } from "./figures.ts";
import { markup, nothing, type Markup } from "./markup.ts";
import { heightScale, lanes, linePath, timeScale, type TimeScale } from "./scale.ts";
import { axis, barTrack, plotTrack, row, type Rule } from "./track.ts";

const sumOf = (orders: Series["orders"], of: "acknowledged" | "lost" | "failed") => orders.reduce((sum, each) => sum + each[of], 0);

/** From the first order to the last, and to the end of the activation; what the rehearsal did before is not drawn. */
function scaleOf({ orders, spans, lag }: Series): TimeScale {
    const ends = spans.filter(({ of }) => of === "activation").map(({ endSeconds }) => endSeconds);
    return timeScale(
        Math.min(-1, ...orders.slice(0, 1).map(({ second }) => second), ...lag.slice(0, 1).map(({ seconds }) => seconds)),
        Math.max(1, ...orders.slice(-1).map(({ second }) => second + 1), ...ends),
    );
}

/** What happened when on this machine's clock: orders, failures and replication lag over time, and below them what ran. */
export function courseChart(series: Series): Markup {
    const { orders, lag, instants, spans } = series;
    const time = scaleOf(series);
    const through = instants.map(({ name, seconds }): Rule => ({ at: seconds, look: name === "loss" ? "loss" : "instant" }));
    const drawn = spans.filter(({ startSeconds, endSeconds }) => endSeconds > time.from && startSeconds < time.to);
    const others = spans.filter((span) => !drawn.includes(span));
    return markup`<ul class="chart course">
${marks(time, instants)}${orderRows(time, orders, through)}${lagRows(time, lag, through)}${drawn.map(
        ({ of, name, startSeconds, endSeconds }) =>
            row(
                name,
                barTrack(
                    time,
                    [{ from: startSeconds, to: endSeconds, look: of, title: `${say(endSeconds - startSeconds)}, ${of}` }],
                    through,
                ),
                say(endSeconds - startSeconds),
                of,
            ),
    )}${axis(time, (second) => (second < 0 ? `−${say(-second)}` : say(second)))}</ul>
<ol class="instants">${instants.map(({ name, seconds }) => markup`<li>${name}: ${seconds === 0 ? "0\u00a0s" : `${seconds.toFixed(1)}\u00a0s`}</li>`)}</ol>
<p class="legend"><span><i class="swatch rehearsal"></i>a phase of the rehearsal</span> <span><i class="swatch activation"></i>a step of the activation, by its journal</span></p>
${others.length === 0 ? nothing : markup`<p class="aside">Not drawn: ${others.map(({ name, startSeconds, endSeconds }) => `${name} ${say(endSeconds - startSeconds)}`).join(", ")}.</p>`}`;
}

/** The numbers of the instants over their lines, in rows where they would stand on one another. */
function marks(time: TimeScale, instants: Series["instants"]): Markup {
    const sorted = instants
        .map(({ seconds }, index) => ({ place: time.place(seconds), number: index + 1 }))
        .sort((a, b) => a.place - b.place);
    const at = lanes(
        sorted.map(({ place }) => place),
        6,
    );
    const height = Math.max(0, ...at) + 1;
    return row(
        "",
        markup`<span class="track marks" style="height:${height * 1.25}em">${sorted.map(
            ({ place, number }, index) => markup`<b style="left:${place}%;top:${at[index]! * 1.25}em">${number}</b>`,
        )}</span>`,
        "",
        "axis-row",
    );
}

function orderRows(time: TimeScale, orders: Series["orders"], through: readonly Rule[]): Markup[] {
    const height = heightScale(Math.max(0, ...orders.map(({ acknowledged, failed }) => Math.max(acknowledged, failed))));
    const column = (second: number, from: number, to: number, look: string): Markup => {
        const left = time.place(second);
        const width = (time.place(second + 1) - left) * 0.86;
        const [low, high] = [height.place(from), height.place(to)];
        return markup`<rect class="${look}" x="${left}" width="${width.toFixed(3)}" y="${(100 - high).toFixed(2)}" height="${(high - low).toFixed(2)}"/>`;
    };
    const columns = orders.map(({ second, acknowledged, lost }) => [
        ...(acknowledged > lost ? [column(second, 0, acknowledged - lost, "kept")] : []),
        ...(lost > 0 ? [column(second, acknowledged - lost, acknowledged, "lost")] : []),
    ]);
    const failures = orders.filter(({ failed }) => failed > 0).map(({ second, failed }) => column(second, 0, failed, "failed"));
    const [all, lost, failed] = [sumOf(orders, "acknowledged"), sumOf(orders, "lost"), sumOf(orders, "failed")];
    const top = `${height.top} a second`;
    return [
        row(
            markup`orders acknowledged<span class="key"><i class="swatch kept"></i>survived <i class="swatch lost"></i>lost</span>`,
            plotTrack(time, markup`${columns.flat()}`, top, through, `${all} orders acknowledged over time, ${lost} of them lost`),
            markup`${all}<span class="key">${lost} lost</span>`,
            "tall",
        ),
        row(
            "requests that failed",
            plotTrack(time, markup`${failures}`, top, through, `${failed} requests failed over time`),
            String(failed),
            "low",
        ),
    ];
}

function lagRows(time: TimeScale, lag: Series["lag"], through: readonly Rule[]): Markup[] {
    const known = lag.flatMap(({ lagSeconds }) => (lagSeconds === null ? [] : [lagSeconds]));
    const height = heightScale(Math.max(0, ...known));
    return [...new Set(lag.map(({ store }) => store))].map((store) => {
        const mine = lag.filter((each) => each.store === store);
        const said = mine.flatMap(({ lagSeconds }) => (lagSeconds === null ? [] : [lagSeconds]));
        const unknown = mine.length - said.length;
        // A replica that never said how far it was behind was not level.
        const most = said.length === 0 ? "unknown" : `≤ ${say(Math.max(...said))}`;
        const path = linePath(
            mine.map(({ seconds, lagSeconds }) => ({ second: seconds, value: lagSeconds })),
            time,
            height,
        );
        const dots = mine.flatMap(({ seconds, lagSeconds }) =>
            lagSeconds === null ? [] : [markup`<path class="dot" d="M${time.place(seconds)},${100 - height.place(lagSeconds)}h0"/>`],
        );
        return row(
            `replica lag of ${store}`,
            plotTrack(
                time,
                markup`<path class="lag" d="${path}"/>${dots}`,
                say(height.top),
                through,
                `lag of ${store} before the loss: ${most} in ${mine.length} readings`,
            ),
            markup`${most}<span class="key">${mine.length} readings${unknown > 0 ? `, ${unknown} unknown` : ""}</span>`,
            "low",
        );
    });
}
