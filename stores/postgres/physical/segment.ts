import type { LogPlace } from "../../physical.ts";
import { lsnText } from "../position.ts";

/** Bytes of a file of the log: what initdb chooses. A server with another size is refused by `copy` and `receive`, because names alone would not tell which file follows. */
export const segmentSize = 16 * 1024 * 1024;
export const pageSize = 8192;

const size = BigInt(segmentSize);
const perLogId = 0x1_0000_0000n / size;
const name = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/;

/** 000000010000000000000002: timeline 1, the third 16 MiB. https://www.postgresql.org/docs/15/functions-admin.html (pg_walfile_name) */
export interface Segment {
    readonly timeline: number;
    readonly number: bigint;
}

/** @returns undefined for another kind of file: a history, a part, a backup's label */
export function segmentOf(file: string): Segment | undefined {
    const [, timeline, high, low] = name.exec(file) ?? [];
    if (timeline === undefined || high === undefined || low === undefined) return undefined;
    return { timeline: Number.parseInt(timeline, 16), number: BigInt(`0x${high}`) * perLogId + BigInt(`0x${low}`) };
}

const digits = (value: bigint | number): string => value.toString(16).toUpperCase().padStart(8, "0");

export const segmentName = ({ timeline, number }: Segment): string =>
    `${digits(timeline)}${digits(number / perLogId)}${digits(number % perLogId)}`;

/** @throws RangeError where the name is none of a segment */
export function knownSegment(file: string): Segment {
    const segment = segmentOf(file);
    if (segment === undefined) throw new RangeError(`"${file}" is no file of PostgreSQL's log`);
    return segment;
}

export const startOf = (segment: Segment): bigint => segment.number * size;
export const segmentAt = (timeline: number, lsn: bigint): Segment => ({ timeline, number: lsn / size });
export const placeAt = (timeline: number, lsn: bigint): LogPlace => ({
    file: segmentName(segmentAt(timeline, lsn)),
    offset: Number(lsn % size),
});
export const lsnAt = (place: LogPlace): bigint => startOf(knownSegment(place.file)) + BigInt(place.offset);

/** Of one timeline only: a promotion begins a new one, and a new copy begins a new log. */
export function follows(file: string, next: string): boolean {
    const one = segmentOf(file);
    const other = segmentOf(next);
    return one !== undefined && other !== undefined && one.timeline === other.timeline && one.number + 1n === other.number;
}

/** Between two records lies at most a page's head: the end of one and the beginning of the next are one place, told as the lower. */
export function settled(lsn: bigint): bigint {
    const inPage = lsn % BigInt(pageSize);
    const head = lsn % size < BigInt(pageSize) ? 40n : 24n;
    return inPage <= head ? lsn - inPage : lsn;
}

export const sayPlace = (timeline: number, lsn: bigint): string => `${lsnText(lsn)} (${placeAt(timeline, lsn).file})`;
