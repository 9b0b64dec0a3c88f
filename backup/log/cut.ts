import type { ReceivedFile } from "../../stores/physical.ts";
import type { Follows } from "./chain.ts";
import type { Piece } from "./key.ts";

/** Up to here everything is put. */
export interface Cursor {
    readonly file: string;
    readonly offset: number;
    /** The file is closed there. */
    readonly ended: boolean;
}

export type Cut = Pick<Piece, "file" | "from" | "to" | "ends">;

interface Rest extends ReceivedFile {
    readonly from: number;
}

/** What lies behind the cursor, in the order of the log. */
function restOf(files: readonly ReceivedFile[], cursor: Cursor): Rest[] {
    const at = files.findIndex(({ file }) => file === cursor.file);
    return files
        .slice(at < 0 ? 0 : cursor.ended ? at + 1 : at)
        .map((received) => ({ ...received, from: received.file === cursor.file ? cursor.offset : 0 }));
}

/** Bytes that are received and not put. */
export const unshipped = (files: readonly ReceivedFile[], cursor: Cursor): number =>
    restOf(files, cursor).reduce((sum, { bytes, from }) => sum + Math.max(0, bytes - from), 0);

export const behindCursor = restOf;

/**
 * What is to be put next, in this order. A file that is not whole yet is worth a piece once it has `atLeast` bytes to put.
 * @throws Error where what was received does not join on to what is put
 */
export function nextPieces(
    files: readonly ReceivedFile[],
    cursor: Cursor,
    { follows }: { follows: Follows },
    { sealBytes, atLeast }: { sealBytes: number; atLeast: number },
): Cut[] {
    const cuts: Cut[] = [];
    let former: string | undefined;
    for (const { file, bytes, whole, from } of restOf(files, cursor)) {
        const before = former ?? (file === cursor.file ? undefined : cursor.file);
        if (before !== undefined && ((former === undefined && !cursor.ended) || !follows(before, file)))
            throw new Error(`${file} was received, and does not join on to ${before}`);
        let at = from;
        for (; bytes - at > sealBytes; at += sealBytes) cuts.push({ file, from: at, to: at + sealBytes, ends: "anywhere" });
        // A receiver that fetches a file again has less of it for a while.
        if (bytes < from) break;
        if (whole) cuts.push({ file, from: at, to: bytes, ends: "file" });
        else if (bytes - at > 0 && bytes - at >= atLeast) cuts.push({ file, from: at, to: bytes, ends: "event" });
        if (!whole) break;
        former = file;
    }
    return cuts;
}
