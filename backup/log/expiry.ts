import type { SiteName } from "../../model/estate.ts";
import { timeOf } from "../point.ts";
import type { FileRange } from "./chain.ts";
import { parseHistory } from "./key.ts";

/** A point that retention keeps, and what it needs of a log. */
export interface KeptPoint {
    readonly point: string;
    /** Absent where nobody has read its manifest: it may need anything that is not older than itself. */
    readonly log?: { readonly history: string; readonly file: string };
    /** Where the point's own contents stand: with `only`, the log up to there is all that it needs. */
    readonly position?: string;
    /** It is kept for its own moment, and not for the moments after it. */
    readonly only: boolean;
}

export interface History {
    readonly history: string;
    readonly files: readonly FileRange[];
}

/** Files of a history that no kept point needs. */
export interface GivenUp {
    readonly history: string;
    readonly files: readonly string[];
}

/**
 * Which files of a store's log are given up. Kept is, for each kept point, the log from its own place on: without end, or up to its own contents where the point is kept for its own moment alone.
 * A history without any point is kept while it is its site's newest, and for `window` after its successor began. Where a point's need is unknown, nothing is given up that may be it.
 * @param window in milliseconds: retention's `all`
 */
export function planLogExpiry(
    histories: readonly History[],
    points: readonly KeptPoint[],
    covers: (position: string, other: string) => boolean,
    window: number,
    now: Date,
): GivenUp[] {
    const unread = points.filter(({ log }) => log === undefined).map(({ point }) => timeOf(point).getTime());
    return histories
        .map((one) => ({
            history: one.history,
            files: givenUp(one, histories, points, covers, { window, now, oldestUnread: Math.min(...unread) }),
        }))
        .filter(({ files }) => files.length > 0);
}

interface Setting {
    readonly window: number;
    readonly now: Date;
    /** Milliseconds; Infinity where there is none. */
    readonly oldestUnread: number;
}

const begunAt = (history: string): { at: number; site: SiteName } | undefined => {
    const name = parseHistory(history);
    return name && { at: timeOf(name.begun).getTime(), site: name.site };
};

function givenUp(
    { history, files }: History,
    all: readonly History[],
    points: readonly KeptPoint[],
    covers: (position: string, other: string) => boolean,
    { window, now, oldestUnread }: Setting,
): string[] {
    const begun = begunAt(history);
    if (!begun) return [];
    const ours = points.filter(({ log }) => log?.history === history);
    const successor = Math.min(
        ...all
            .map((other) => begunAt(other.history))
            .flatMap((other) => (other && other.site === begun.site && other.at > begun.at ? [other.at] : [])),
    );
    if (ours.length === 0) {
        const isOver = now.getTime() - successor > window && oldestUnread > successor;
        return isOver ? files.map(({ file }) => file) : [];
    }
    const oldest = Math.min(...ours.map(({ point }) => timeOf(point).getTime()));
    if (oldestUnread < oldest) return [];
    const needed = new Set<string>();
    for (const { log, position, only } of ours) {
        const first = files.findIndex(({ file }) => file === log!.file);
        // Its file is not there: whatever it needs, it is not known.
        if (first < 0) return [];
        const end =
            position === undefined
                ? -1
                : files.findIndex((range, at) => at >= first && range.position !== undefined && covers(range.position, position));
        for (const { file } of files.slice(first, only && end >= 0 ? end + 1 : files.length)) needed.add(file);
    }
    return files.map(({ file }) => file).filter((file) => !needed.has(file));
}
