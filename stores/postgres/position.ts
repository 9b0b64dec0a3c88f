/** `16/B374D848` as a number. https://www.postgresql.org/docs/15/datatype-pg-lsn.html */
function lsn(text: string): bigint {
    const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
    if (!match) throw new RangeError(`"${text}" is no position of PostgreSQL's log`);
    return (BigInt(`0x${match[1]!}`) << 32n) + BigInt(`0x${match[2]!}`);
}

/**
 * Whether a server that has applied everything up to `position` has applied everything up to `other`, for two servers of one history.
 * @throws RangeError for a text that is no position: then nobody knows
 */
export const covers = (position: string, other: string): boolean => lsn(position) >= lsn(other);
