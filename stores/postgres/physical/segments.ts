import { chmodSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { ScratchPlace } from "../../physical.ts";
import { isSegment, segmentBytes, startOf, timelineOf } from "./wal.ts";

/** Segments from one on; the last may be cut anywhere: the server wants them at full length. @throws Error for one that is missing */
export function segmentsFrom({ directory, from }: NonNullable<ScratchPlace["log"]>): string[] {
    const files = readdirSync(directory)
        .filter((file) => isSegment(file) && file >= from.file)
        .sort();
    if (files[0] !== from.file) throw new Error(`the log lacks ${from.file}, in which it goes on behind the copy`);
    files.forEach((file, index) => {
        const path = join(directory, file);
        const next = files[index + 1];
        if (next !== undefined && startOf(next) > startOf(file) + BigInt(segmentBytes))
            throw new Error(`the log lacks what follows ${file}: the next segment is ${next}`);
        if (statSync(path).size < segmentBytes) {
            if (next !== undefined && timelineOf(next) === timelineOf(file))
                throw new Error(`the log's segment ${file} is cut off, and ${next} follows it`);
            truncateSync(path, segmentBytes);
        }
        chmodSync(path, 0o644);
    });
    return files;
}
