/** Sequence numbers by domain. A server in strict mode counts a domain up, whichever server wrote. https://mariadb.com/kb/en/gtid/ */
function gtid(text: string): Map<string, bigint> {
    const events = text.split(",").filter((event) => event.trim() !== "");
    return new Map(
        events.map((event) => {
            const match = /^\s*(\d+)-\d+-(\d+)\s*$/.exec(event);
            if (!match) throw new RangeError(`"${event}" is no GTID of MariaDB`);
            return [match[1]!, BigInt(match[2]!)];
        }),
    );
}

/**
 * Whether a server that has applied everything up to `position` has applied everything up to `other`, for two servers of one history.
 * @param position GTIDs, one a domain: "0-1-270,1-1-5"
 * @throws RangeError for a text that is no position: then nobody knows
 */
export function covers(position: string, other: string): boolean {
    const applied = gtid(position);
    return [...gtid(other)].every(([domain, sequence]) => (applied.get(domain) ?? -1n) >= sequence);
}
