import type { Piece } from "./key.ts";

/** What the vault has of one file of a log. */
export interface FileRange {
    readonly file: string;
    /** Pieces in the order in which they make up the file from byte 0 on; one may begin before the end of the one before it, with the same bytes. */
    readonly path: readonly Piece[];
    /** Up to here nothing is missing. */
    readonly bytes: number;
    /** The file is closed at `bytes`. */
    readonly ended: boolean;
    /** Newest place up to which whole events are known to be there. */
    readonly clean: number;
    /** Newest transaction that is whole there, as the pieces' names say. */
    readonly position?: string;
    /** What is wrong behind `bytes`, in words; absent where nothing is. */
    readonly broken?: string;
}

export type Follows = (file: string, next: string) => boolean;

/** Where a chain breaks. */
export interface Gap {
    readonly file: string;
    /** First byte that is missing. */
    readonly from: number;
    /** In words, with the range: for a person. */
    readonly why: string;
}

/** Files that follow each other without a gap. */
export interface Run {
    readonly files: readonly FileRange[];
    /** Absent where nothing newer is there. */
    readonly gap?: Gap;
}

/** Names that end in a number go by it (binlog.999999 before binlog.1000000); others by their text. */
function inOrder(one: string, other: string): number {
    const [, head, tail] = /^(.*\.)(\d+)$/.exec(one) ?? [];
    const [, otherHead, otherTail] = /^(.*\.)(\d+)$/.exec(other) ?? [];
    if (tail !== undefined && head === otherHead && Number(tail) !== Number(otherTail)) return Number(tail) - Number(otherTail);
    return one < other ? -1 : one > other ? 1 : 0;
}

/** Of pieces that go on from a byte, the one that goes furthest; of equals, the one that says more. */
function better(one: Piece | undefined, other: Piece): Piece {
    if (!one || other.to !== one.to) return !one || other.to > one.to ? other : one;
    const says = ({ ends, position }: Piece) => ({ file: 4, event: 2, anywhere: 0 })[ends] + (position === undefined ? 0 : 1);
    return says(other) > says(one) ? other : one;
}

function rangeOf(file: string, pieces: readonly Piece[]): FileRange {
    const sorted = pieces.toSorted((a, b) => a.from - b.from || a.to - b.to);
    const path: Piece[] = [];
    let [bytes, clean, next] = [0, 0, 0];
    let position: string | undefined;
    let ended = false;
    for (let furthest: Piece | undefined; !ended;) {
        for (; next < sorted.length && sorted[next]!.from <= bytes; next += 1) furthest = better(furthest, sorted[next]!);
        if (!furthest || furthest.to < bytes || (furthest.to === bytes && furthest.ends !== "file")) break;
        path.push(furthest);
        bytes = furthest.to;
        ended = furthest.ends === "file";
        if (furthest.ends !== "anywhere") clean = bytes;
        position = furthest.position ?? position;
    }
    const beyond = sorted.filter(({ to, ends }) => to > bytes || (ends === "file" && to !== bytes));
    const [first] = beyond;
    const broken = !first
        ? undefined
        : ended || first.from <= bytes
          ? `${file} is said to end at byte ${bytes} and elsewhere at byte ${first.to}`
          : `bytes ${bytes} to ${first.from - 1} of ${file} are missing`;
    return {
        file,
        path,
        bytes,
        ended,
        clean,
        ...(position === undefined ? {} : { position }),
        ...(broken === undefined ? {} : { broken }),
    };
}

/** What the pieces of one history make up, file by file, oldest first. Pieces may overlap: two shippers that were at it at once have put the same bytes in different cuts. */
export function chainOf(pieces: Iterable<Piece>): FileRange[] {
    return [...Map.groupBy(pieces, ({ file }) => file)]
        .sort(([one], [other]) => inOrder(one, other))
        .map(([file, parts]) => rangeOf(file, parts));
}

/** The unbroken run of files from byte 0 of one on, up to the newest byte or the first gap. */
export function runFrom(chain: readonly FileRange[], file: string, follows: Follows): Run {
    const first = chain.findIndex((range) => range.file === file);
    if (first < 0) return { files: [], gap: { file, from: 0, why: `nothing of ${file} is there` } };
    const files: FileRange[] = [];
    for (let at = first; ; at += 1) {
        const range = chain[at]!;
        const next = chain[at + 1];
        files.push(range);
        const broken = (why: string): Run => ({ files, gap: { file: range.file, from: range.bytes, why } });
        if (range.broken !== undefined) return broken(range.broken);
        if (!next) return { files };
        if (!range.ended) return broken(`${range.file} is missing from byte ${range.bytes} on, and ${next.file} is there`);
        if (!follows(range.file, next.file)) return broken(`the file after ${range.file} is missing, and ${next.file} is there`);
    }
}

/** The files of the newest unbroken run: what a shipper goes on from. */
export function newestRun(chain: readonly FileRange[], follows: Follows): readonly FileRange[] {
    let from = chain.length - 1;
    if (from < 0) return [];
    while (from > 0 && chain[from - 1]!.ended && chain[from - 1]!.broken === undefined && follows(chain[from - 1]!.file, chain[from]!.file))
        from -= 1;
    return chain.slice(from);
}
