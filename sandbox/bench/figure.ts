/** One line of a benchmark. */
export interface Figure {
    figure: string;
    value: number;
    unit: "s" | "times";
    /** What it should be, in words; null where it is there to be compared with. */
    goal: string | null;
    /** Null without a goal. */
    holds: boolean | null;
}

export const measured = (figure: string, value: number): Figure => ({ figure, value, unit: "s", goal: null, holds: null });

/** A ratio that should not be above a limit. @example atMost("preview against an empty program", 1.4, 1.5) */
export const atMost = (figure: string, value: number, limit: number): Figure => ({
    ...{ figure, value, unit: "times" },
    goal: `<= ${limit}`,
    holds: value <= limit,
});

/** A ratio that should not be below a limit. */
export const atLeast = (figure: string, value: number, limit: number): Figure => ({
    ...{ figure, value, unit: "times" },
    goal: `>= ${limit}`,
    holds: value >= limit,
});

/** The middle one of some values; of an even number the lower middle one. @throws RangeError for none */
export function median(values: readonly number[]): number {
    const middle = values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
    if (middle === undefined) throw new RangeError("the median of nothing");
    return middle;
}

const written = ({ value, unit }: Figure) => (unit === "s" ? `${value.toFixed(2)} s` : `${value.toFixed(2)} times`);

/** The figures as lines of a table. */
export function table(figures: readonly Figure[]): string {
    const rows = figures.map((figure) => {
        const verdict = figure.holds === null ? "" : figure.holds ? "holds" : "MISSED";
        return [figure.figure, written(figure), figure.goal ?? "", verdict];
    });
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
    return rows
        .map(([name, value, goal, holds]) =>
            `${name!.padEnd(widths[0]!)}  ${value!.padStart(widths[1]!)}  ${goal!.padEnd(widths[2]!)}  ${holds}`.trimEnd(),
        )
        .join("\n");
}
