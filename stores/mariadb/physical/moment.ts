import { join } from "node:path";
import type { Moment } from "../../../model/moment.ts";
import type { LogPlace } from "../../physical.ts";
import { gtidText, walk, type EventGroup } from "./events.ts";

/** Where a replay ends: nothing at all, or behind this byte of this file. */
export type End = { readonly replay: false } | { readonly replay: true; readonly files: readonly string[]; readonly stop?: number };

interface Placed extends EventGroup {
    readonly file: string;
}

/** `0-1-270` -> sequence numbers by domain. @throws RangeError */
function parse(gtids: string): Map<number, bigint> {
    const wanted = new Map<number, bigint>();
    for (const each of gtids.split(",").filter((part) => part.trim() !== "")) {
        const [, domain, sequence] = /^\s*(\d+)-\d+-(\d+)\s*$/.exec(each) ?? [];
        if (domain === undefined) throw new RangeError(`"${each}" is no GTID of MariaDB`);
        wanted.set(Number(domain), BigInt(sequence!));
    }
    return wanted;
}
const name = ({ domain, server, sequence }: EventGroup) => `${domain}-${server}-${sequence}`;

/** All whole transactions of the log behind its beginning, in order. */
async function groupsOf(directory: string, files: readonly string[], from: LogPlace): Promise<Placed[]> {
    const found: Placed[] = [];
    for (const file of files) {
        const { groups } = await walk(join(directory, file), file === from.file ? from.offset : 0);
        found.push(...groups.filter(({ whole }) => whole).map((group) => ({ ...group, file })));
    }
    return found;
}

const told = (groups: readonly Placed[]) =>
    groups.length === 0
        ? "the log has no transaction behind the copy"
        : `the log has ${name(groups[0]!)} to ${gtidText(groups)}, until ${groups.at(-1)!.at.toISOString()}`;

/**
 * Finds where in a log a moment lies. The log is applied in its own order, so what is before a transaction is what stands before it.
 * @param position what the copy has: GTIDs
 * @throws RangeError where the moment is not in the log
 */
export async function endOf(moment: Moment, directory: string, files: readonly string[], from: LogPlace, position: string): Promise<End> {
    const behind = (group: Placed | undefined): End =>
        group === undefined ? { replay: false } : { replay: true, files: files.slice(0, files.indexOf(group.file) + 1), stop: group.to };
    switch (moment.to) {
        case "copy":
            return { replay: false };
        case "newest":
            return behind((await groupsOf(directory, files, from)).at(-1));
        case "time": {
            const groups = await groupsOf(directory, files, from);
            // Whole seconds: what was committed in the second itself may be before the moment or after it.
            const first = groups.findIndex(({ at }) => at.getTime() >= Math.floor(moment.at.getTime() / 1000) * 1000);
            return behind(first === -1 ? groups.at(-1) : groups[first - 1]);
        }
        case "before": {
            const groups = await groupsOf(directory, files, from);
            const [found] = [...parse(moment.transaction)];
            const at = groups.findIndex(({ domain, sequence }) => domain === found?.[0] && sequence === found[1]);
            if (found === undefined || at === -1)
                throw new RangeError(`the transaction ${moment.transaction} is not in the log: ${told(groups)}`);
            return behind(groups[at - 1]);
        }
        case "place": {
            const groups = await groupsOf(directory, files, from);
            const order = files.indexOf(moment.file);
            if (order === -1) throw new RangeError(`the log has no file ${moment.file}: it has ${files.join(", ")}`);
            return behind(groups.findLast(({ file, to }) => files.indexOf(file) < order || (file === moment.file && to <= moment.offset)));
        }
        case "position": {
            const [wanted, has] = [parse(moment.position), parse(position)];
            const open = new Map([...wanted].filter(([domain, sequence]) => (has.get(domain) ?? -1n) < sequence));
            for (const [domain, sequence] of has)
                if ((wanted.get(domain) ?? -1n) < sequence)
                    throw new RangeError(`the copy has ${position} already, which is behind ${moment.position || "nothing"}`);
            if (open.size === 0) return { replay: false };
            const groups = await groupsOf(directory, files, from);
            for (const group of groups) {
                const limit = wanted.get(group.domain);
                if (limit === undefined || group.sequence > limit)
                    throw new RangeError(`${moment.position} is no state that the log passes: ${name(group)} comes before the rest of it`);
                if (group.sequence === limit) open.delete(group.domain);
                if (open.size === 0) return behind(group);
            }
            throw new RangeError(`the log does not reach ${moment.position}: ${told(groups)}`);
        }
    }
}
