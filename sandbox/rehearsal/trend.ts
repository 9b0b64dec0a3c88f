import { bytes, formatDuration, formatSize, seconds } from "../../model/units.ts";
import type { Evidence, Verdict } from "./evidence.ts";

/** What one rehearsal came to, as it is compared with others. Rates are of the dump before compression, all stores together. */
export interface Past {
    /** File of its evidence. */
    file: string;
    startedAt: string;
    scenario: string;
    seed: number;
    fast: number;
    verdict: Verdict;
    /** Null when customers were not all served again. */
    rtoSeconds: number | null;
    rtoObjectiveSeconds: number;
    rpoSeconds: number | null;
    rpoObjectiveSeconds: number;
    /** Null where the evidence does not say. */
    backupBytesPerSecond: number | null;
    restoreBytesPerSecond: number | null;
    dumpBytes: number | null;
}

export function pastOf(file: string, { startedAt, scenario, seed, fast, verdict, rto, rpo, recoveryPoints }: Evidence): Past {
    const rate = (of: "backupSeconds" | "restoreSeconds"): number | null => {
        const points = recoveryPoints.filter((point) => typeof point.dumpBytes === "number" && typeof point[of] === "number");
        const seconds = points.reduce((sum, point) => sum + (point[of] ?? 0), 0);
        return seconds > 0 ? points.reduce((sum, { dumpBytes }) => sum + (dumpBytes ?? 0), 0) / seconds : null;
    };
    const known = recoveryPoints.flatMap(({ dumpBytes }) => (typeof dumpBytes === "number" ? [dumpBytes] : []));
    return {
        ...{ file, startedAt, scenario, seed, fast, verdict },
        rtoSeconds: rto.totalSeconds,
        rtoObjectiveSeconds: rto.objectiveSeconds,
        rpoSeconds: rpo.totalSeconds,
        rpoObjectiveSeconds: rpo.objectiveSeconds,
        backupBytesPerSecond: rate("backupSeconds"),
        restoreBytesPerSecond: rate("restoreSeconds"),
        dumpBytes: known.length === 0 ? null : known.reduce((a, b) => a + b),
    };
}

/** The same scenario's rehearsals, oldest first. */
export const trendOf = (all: readonly Past[], scenario: string): Past[] =>
    all.filter((past) => past.scenario === scenario).sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/** Width of the drawn figures, characters. */
const drawnWidth = 24;

/** A bar in characters, as wide as the highest figure's is, with a mark where the promise is. */
function bar(value: number | null, limit: number, highest: number): string {
    const unit = drawnWidth / highest;
    const length = value === null ? drawnWidth : value * unit;
    const whole = Math.floor(length);
    const drawn = value === null ? "·".repeat(drawnWidth) : "█".repeat(whole) + (eighths[Math.floor((length - whole) * 8)] ?? "");
    const mark = Math.min(drawnWidth, Math.round(limit * unit));
    const padded = drawn.padEnd(drawnWidth + 1);
    return `${padded.slice(0, mark)}│${padded.slice(mark + 1)}`;
}

/**
 * The trend for a terminal: a line a rehearsal, oldest first, with RTO and RPO drawn against their objectives (│).
 * @param past of one scenario; at least one
 */
export function tellTrend(past: readonly Past[]): string[] {
    const top = (figure: "rto" | "rpo") =>
        Math.max(1, ...past.flatMap((each) => [each[`${figure}Seconds`] ?? 0, each[`${figure}ObjectiveSeconds`]]));
    const [rtoTop, rpoTop] = [top("rto"), top("rpo")];
    const span = (value: number | null) => (value === null ? "never" : formatDuration(seconds(value)));
    const rate = (value: number | null) => (value === null ? "unknown" : `${formatSize(bytes(value))}/s`);
    const cells = past.map((each) => [
        each.startedAt.slice(0, 16).replace("T", " "),
        `seed ${each.seed}${each.fast === 1 ? "" : ` --fast ${each.fast}`}`,
        each.verdict,
        span(each.rtoSeconds),
        bar(each.rtoSeconds, each.rtoObjectiveSeconds, rtoTop),
        span(each.rpoSeconds),
        bar(each.rpoSeconds, each.rpoObjectiveSeconds, rpoTop),
        rate(each.backupBytesPerSecond),
        rate(each.restoreBytesPerSecond),
    ]);
    const rows = [["started (UTC)", "", "", "RTO", "", "RPO", "", "backup", "restore"], ...cells];
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    return rows.map((row) =>
        row
            .map((cell, column) => cell.padEnd(widths[column]!))
            .join("  ")
            .trimEnd(),
    );
}
