import {
    chownSync,
    closeSync,
    constants,
    copyFileSync,
    mkdirSync,
    openSync,
    readSync,
    readdirSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import type { Moment } from "../../../model/moment.ts";
import type { LogPlace } from "../../physical.ts";
import { lsnOf, lsnText } from "../position.ts";
import type { Owner } from "./programs.ts";
import { walk, type Carry } from "./records.ts";
import { follows, knownSegment, lsnAt, placeAt, sayPlace, segmentOf, segmentSize, settled } from "./segment.ts";

/** The log as a server is to see it: these files and no others, the last one cut. */
export interface StagedLog {
    /** Where the server finds it. */
    readonly directory: string;
    readonly files: readonly string[];
    /** Where its last whole record ends: a server that ended its replay before has met a gap or damage. */
    readonly end: bigint;
}

export interface Log {
    readonly directory: string;
    readonly from: LogPlace;
}

/** Where the log is cut off, for the moments that are a place in it: then nothing behind can be replayed, and no record has to lie behind to stop at. */
function cutOf(until: Moment, timeline: number): LogPlace | undefined {
    switch (until.to) {
        case "position":
            return placeAt(timeline, lsnOf(until.position));
        case "place":
            if (knownSegment(until.file).timeline !== timeline || until.offset < 0 || until.offset > segmentSize)
                throw new Error(`byte ${until.offset} of ${until.file} is no place of this copy's log`);
            return until;
        case "copy":
        case "newest":
        case "time":
        case "before":
            return undefined;
    }
}

/** Files from the copy's own on. @throws Error for a gap, before anything is started */
function filesOf({ directory, from }: Log): string[] {
    const files = readdirSync(directory)
        .filter(
            (name) => segmentOf(name) !== undefined && segmentOf(name)!.timeline === knownSegment(from.file).timeline && name >= from.file,
        )
        .sort();
    if (files[0] !== from.file) throw new Error(`the log lacks ${from.file}, in which it goes on behind the copy`);
    for (const [index, file] of files.entries()) {
        const next = files[index + 1];
        if (next === undefined) continue;
        if (!follows(file, next)) throw new Error(`the log lacks what follows ${file}: the next file is ${next}`);
        const bytes = statSync(join(directory, file)).size;
        if (bytes !== segmentSize) throw new Error(`the log lacks the rest of ${file}, which ends at byte ${bytes}: ${next} is there`);
    }
    return files;
}

function readStart(path: string, bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes);
    const file = openSync(path, "r");
    try {
        let read = 0;
        while (read < bytes) {
            const step = readSync(file, buffer, read, bytes - read, read);
            if (step === 0) break;
            read += step;
        }
        return buffer.subarray(0, read);
    } finally {
        closeSync(file);
    }
}

/** Keeps only what lies before the cut. @throws Error where the log does not reach it */
function cutFiles(log: Log, files: readonly string[], cut: LogPlace | undefined): { kept: string[]; bytes: number } {
    const last = files.at(-1)!;
    const size = statSync(join(log.directory, last)).size;
    if (cut === undefined) return { kept: [...files], bytes: Math.min(size, segmentSize) };
    const kept = files.filter((file) => file < cut.file || (file === cut.file && cut.offset > 0));
    const atEnd = kept.at(-1);
    const reached = lsnAt({ file: last, offset: size });
    if (atEnd === undefined) throw new Error(`the log begins with ${files[0]}, which is later than ${cut.file}`);
    if (lsnAt(cut) > reached) {
        const { timeline } = knownSegment(last);
        throw new Error(`the log does not reach ${lsnText(lsnAt(cut))}: it ends at ${sayPlace(timeline, reached)}`);
    }
    return { kept, bytes: atEnd === cut.file ? cut.offset : segmentSize };
}

/**
 * End of the last whole record. What is damaged before the last two files shows when the server's replay ends there.
 * @throws Error where the last file is damaged before its end
 */
function endOf(log: Log, files: readonly string[], last: Buffer): bigint {
    let carry: Carry | undefined;
    let end: bigint | undefined;
    for (const file of files.slice(-2)) {
        const segment = knownSegment(file);
        const whole = file !== files.at(-1);
        const bytes = whole ? readStart(join(log.directory, file), segmentSize) : last;
        const walked = walk(bytes, segment, { carry, each: (record) => (end = record.end) });
        if (typeof walked.stopped === "object") throw new Error(`the log is damaged: ${walked.stopped.damage} (${file})`);
        if (whole && walked.end !== segmentSize)
            throw new Error(`the log lacks a part: ${file} holds records up to byte ${walked.end} only`);
        carry = walked.carry;
    }
    return end ?? lsnAt({ file: files[0]!, offset: 0 });
}

/** Lays out the log for a server, up to the moment where that is a place in it. @param copied end of the copy */
export function stageLog(log: Log, until: Moment, copied: string, into: string, owner: Owner | undefined): StagedLog {
    const { timeline } = knownSegment(log.from.file);
    const cut = cutOf(until, timeline);
    if (cut !== undefined && lsnAt(cut) < settled(lsnOf(copied)))
        throw new Error(`${lsnText(lsnAt(cut))} lies before the copy, which ends at ${copied}: take an earlier copy`);
    const { kept, bytes } = cutFiles(log, filesOf(log), cut);
    const last = kept.at(-1)!;
    const start = readStart(join(log.directory, last), bytes);
    const end = endOf(log, kept, start);
    mkdirSync(into, { mode: 0o700 });
    for (const file of kept.slice(0, -1)) {
        const [there, here] = [resolve(log.directory, file), join(into, file)];
        // Whom the server runs as may not enter the log's directory where we are root.
        if (owner) copyFileSync(there, here, constants.COPYFILE_FICLONE);
        else symlinkSync(there, here);
    }
    const padded = Buffer.alloc(segmentSize);
    start.copy(padded);
    writeFileSync(join(into, last), padded, { mode: 0o600 });
    if (owner) for (const path of [into, ...kept.map((file) => join(into, file))]) chownSync(path, owner.uid, owner.gid);
    return { directory: into, files: kept, end };
}
