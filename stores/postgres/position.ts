/** `16/B374D848` as a number. https://www.postgresql.org/docs/15/datatype-pg-lsn.html @throws RangeError for another text */
export function lsnOf(text: string): bigint {
    const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
    if (!match) throw new RangeError(`"${text}" is no position of PostgreSQL's log`);
    return (BigInt(`0x${match[1]!}`) << 32n) + BigInt(`0x${match[2]!}`);
}

const hex = (number: bigint): string => number.toString(16).toUpperCase();

export const lsnText = (lsn: bigint): string => `${hex(lsn >> 32n)}/${hex(lsn & 0xffffffffn)}`;

/**
 * Whether a server that has applied everything up to `position` has applied everything up to `other`, for two servers of one history.
 * @throws RangeError for a text that is no position: then nobody knows
 */
export const covers = (position: string, other: string): boolean => lsnOf(position) >= lsnOf(other);
