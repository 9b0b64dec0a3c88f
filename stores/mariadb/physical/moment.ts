import { join } from "node:path";
import type { Moment } from "../../../model/moment.ts";
import type { LogPlace } from "../../physical.ts";
import { walk, type EventGroup } from "./events.ts";
import { gtidsText, parseGtids } from "./gtids.ts";
import { History } from "./history.ts";

/** Where a replay ends: with the copy itself, or behind this byte of the last of these files. `position`: what the server has then. */
export type End =
    | { readonly replay: false; readonly position: string }
    | { readonly replay: true; readonly position: string; readonly files: readonly string[]; readonly stop: number };

interface Placed extends EventGroup {
    readonly file: string;
}
const name = ({ domain, server, sequence }: EventGroup) => `${domain}-${server}-${sequence}`;

/** One moment, as it is looked for in a log that passes by. */
interface Search {
    /** Whether the transaction belongs to what is replayed; "last": and nothing behind it does. @throws RangeError where the moment can be no more */
    takes(group: Placed): "yes" | "last" | "no";
    /** What is said when the log ended and the moment was not in it; absent where the log's end is fine. */
    readonly missing?: string;
}

function positionSearch(text: string, copied: string): Search | "copy" {
    const [wanted, has] = [parseGtids(text), parseGtids(copied)];
    for (const [domain, { server, sequence }] of wanted) {
        const own = has.get(domain);
        if (own && (own.sequence > sequence || (own.sequence === sequence && own.server !== server)))
            throw new RangeError(`the copy has ${copied} already, which is behind ${text}`);
    }
    const open = new Map([...wanted].filter(([domain, { sequence }]) => (has.get(domain)?.sequence ?? -1n) < sequence));
    if (open.size === 0) return "copy";
    return {
        missing: `the log does not reach ${text}`,
        takes(group) {
            const limit = wanted.get(group.domain);
            // A domain that is not named has what was written by then.
            if (limit === undefined) return "yes";
            if (group.sequence > limit.sequence || (group.sequence === limit.sequence && group.server !== limit.server))
                throw new RangeError(`${text} is no state that the log passes: ${name(group)} comes before the rest of it`);
            if (group.sequence === limit.sequence) open.delete(group.domain);
            return open.size === 0 ? "last" : "yes";
        },
    };
}

function searchFor(moment: Exclude<Moment, { to: "copy" }>, files: readonly string[], from: LogPlace, copied: string): Search | "copy" {
    switch (moment.to) {
        case "newest":
            return { takes: () => "yes" };
        case "time": {
            // Whole seconds: what was committed in the second itself may be before the moment or after it.
            const second = Math.floor(moment.at.getTime() / 1000) * 1000;
            return { takes: ({ at }) => (at.getTime() >= second ? "no" : "yes") };
        }
        case "before": {
            const [found, ...more] = parseGtids(moment.transaction);
            if (found === undefined || more.length > 0) throw new RangeError(`"${moment.transaction}" is not one transaction: 0-1-270`);
            const [domain, { server, sequence }] = found;
            return {
                missing: `the transaction ${moment.transaction} is not in the log`,
                takes: (group) => (group.domain === domain && group.server === server && group.sequence === sequence ? "no" : "yes"),
            };
        }
        case "place": {
            const order = files.indexOf(moment.file);
            if (order === -1) throw new RangeError(`the log has no file ${moment.file}: it has ${files.join(", ")}`);
            if (moment.file === from.file && moment.offset < from.offset)
                throw new RangeError(`the copy goes to byte ${from.offset} of ${from.file} already, which is behind byte ${moment.offset}`);
            return {
                takes: ({ file, to }) => (files.indexOf(file) > order || (file === moment.file && to > moment.offset) ? "no" : "yes"),
            };
        }
        case "position":
            return positionSearch(moment.position, copied);
    }
}

/** The same for a copy that has no log. @throws RangeError where the moment lies behind the copy */
export function endOfCopy(moment: Moment, copied: string): End {
    const own =
        moment.to === "copy" || moment.to === "newest" || (moment.to === "position" && positionSearch(moment.position, copied) === "copy");
    if (!own) throw new RangeError(`there is no log behind the copy, and the copy itself ends at ${copied || "no GTID"}`);
    return { replay: false, position: copied };
}

/**
 * Finds where in a log a moment lies, and whether the log is whole up to there and this copy's own. It is applied in its own order, so what is before a transaction is what stands before it.
 * @param files those that are there, from the copy's own on
 * @param copied what the copy has: GTIDs
 * @throws RangeError where the moment is not in the log; Error where a part of the log is missing or damaged
 */
export async function endOf(moment: Moment, directory: string, files: readonly string[], from: LogPlace, copied: string): Promise<End> {
    if (moment.to === "copy") return { replay: false, position: copied };
    const search = searchFor(moment, files, from, copied);
    if (search === "copy") return { replay: false, position: copied };
    const history = new History(from, copied);
    let first: Placed | undefined;
    let newest: Placed | undefined;
    let over = false;
    let taken: Placed | undefined;
    const state = parseGtids(copied);
    for (const file of files) {
        const reached = await walk(
            join(directory, file),
            {},
            (group) => {
                if (!group.whole) return true;
                const placed = { ...group, file };
                if (history.passes(placed)) return true;
                first ??= placed;
                newest = placed;
                const takes = search.takes(placed);
                if (takes !== "no") {
                    taken = placed;
                    state.set(placed.domain, placed);
                }
                over = takes !== "yes";
                return !over;
            },
            (before) => history.begins(file, before),
        );
        if (over) break;
        history.ends(file, reached.end);
        if (moment.to === "place" && file === moment.file && moment.offset > reached.end)
            throw new RangeError(`${file} goes to byte ${reached.end}, and not to ${moment.offset}`);
    }
    if (!over && search.missing !== undefined)
        throw new RangeError(
            `${search.missing}: ` +
                (first && newest
                    ? `the log has ${name(first)} to ${gtidsText(history.state())}, until ${newest.at.toISOString()}`
                    : `the log has no transaction behind the copy's ${copied}`),
        );
    const position = gtidsText(state);
    if (taken === undefined) return { replay: false, position };
    return { replay: true, position, files: files.slice(0, files.indexOf(taken.file) + 1), stop: taken.to };
}
