import type { Moment } from "../model/moment.ts";
import type { RecoveryPoint } from "../model/manifest.ts";

/** Whether a server at `position` has everything up to `other`. @throws RangeError for what is no position */
export type Covers = (position: string, other: string) => boolean;

/** Whether a copy shows nothing that came after the moment, as far as its manifest can tell. */
function isNotAfter({ manifest }: RecoveryPoint, moment: Moment, covers: Covers): boolean {
    switch (moment.to) {
        case "copy":
        case "newest":
            return true;
        case "time":
            return Date.parse(manifest.copiedAt) <= moment.at.getTime();
        case "position":
            return covers(moment.position, manifest.server.position);
        case "before":
            try {
                return !covers(manifest.server.position, moment.transaction);
            } catch {
                // A transaction that does not say where it stands in the log: only replaying tells.
                return true;
            }
        case "place":
            return manifest.log !== undefined && isAtOrBefore(manifest.log, moment);
        default:
            return moment satisfies never;
    }
}

/** Log files of one server are named so that longer names, then later ones, are newer. */
function isAtOrBefore(one: { file: string; offset: number }, other: { file: string; offset: number }): boolean {
    if (one.file === other.file) return one.offset <= other.offset;
    return one.file.length === other.file.length ? one.file < other.file : one.file.length < other.file.length;
}

/**
 * The points from which a moment may be reached, the one that needs the least log first. Of a history whose log is what decides, the newest only: its others would
 * read the same log.
 * @param points verified ones, newest first
 * @throws RangeError for a position that is none
 */
export function candidates(points: readonly RecoveryPoint[], moment: Moment, covers: Covers): RecoveryPoint[] {
    const fitting = points.filter((point) => isNotAfter(point, moment, covers));
    switch (moment.to) {
        case "copy":
        case "newest":
            return fitting.slice(0, 1);
        case "before":
            return fitting.filter(({ manifest }) => manifest.log !== undefined);
        case "time":
        case "position":
        case "place": {
            const seen = new Set<string | undefined>();
            return fitting.filter(({ manifest }) => {
                const history = manifest.log?.history;
                if (seen.has(history)) return false;
                seen.add(history);
                return true;
            });
        }
        default:
            return moment satisfies never;
    }
}

/** A moment in words: "2026-11-27T01:13:24.000Z", "the transaction before 0-1-270". */
export function tellMoment(moment: Moment): string {
    switch (moment.to) {
        case "copy":
            return "the copy's own moment";
        case "newest":
            return "the newest moment that the log has";
        case "time":
            return moment.at.toISOString();
        case "position":
            return moment.position;
        case "before":
            return `the moment before transaction ${moment.transaction}`;
        case "place":
            return `${moment.file}:${moment.offset}`;
        default:
            return moment satisfies never;
    }
}
