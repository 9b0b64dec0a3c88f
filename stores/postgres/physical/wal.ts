/** `16/B374D848` as a number. https://www.postgresql.org/docs/15/datatype-pg-lsn.html */
export function parseLsn(text: string): bigint {
    const [, high, low] = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text.trim()) ?? [];
    if (high === undefined) throw new RangeError(`"${text}" is no position of PostgreSQL's log`);
    return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low!}`);
}
export const formatLsn = (lsn: bigint): string =>
    `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;

/** Size of a segment where initdb was not told otherwise. https://www.postgresql.org/docs/15/app-initdb.html (--wal-segsize) */
export const segmentBytes = 16 * 1_048_576;

/** `000000010000000000000002`: timeline, and the segment's number in two parts. */
export const isSegment = (file: string): boolean => /^[0-9A-F]{24}$/.test(file);

const perHigh = 0x1_0000_0000n / BigInt(segmentBytes);
const part = (value: bigint) => value.toString(16).toUpperCase().padStart(8, "0");

/** First position that lies in a segment. @throws RangeError for a name that is none */
export function startOf(file: string): bigint {
    if (!isSegment(file)) throw new RangeError(`"${file}" is no segment of PostgreSQL's log`);
    return (BigInt(`0x${file.slice(8, 16)}`) * perHigh + BigInt(`0x${file.slice(16)}`)) * BigInt(segmentBytes);
}
/** The segment that holds a position. */
export function segmentOf(timeline: string, lsn: bigint): string {
    const number = lsn / BigInt(segmentBytes);
    return `${timeline}${part(number / perHigh)}${part(number % perHigh)}`;
}
export const timelineOf = (file: string): string => file.slice(0, 8);

/** See `LogSide.follows`: the next number, on the same timeline or, after a promotion, the same number or the next on a later one. */
export function follows(file: string, next: string): boolean {
    const step = startOf(next) - startOf(file);
    if (timelineOf(next) === timelineOf(file)) return step === BigInt(segmentBytes);
    return timelineOf(next) > timelineOf(file) && (step === 0n || step === BigInt(segmentBytes));
}
