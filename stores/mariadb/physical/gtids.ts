import type mysql from "mysql2/promise";
import { rowsOf } from "../client.ts";

/** A GTID by its domain. */
export type Gtids = ReadonlyMap<number, { readonly server: number; readonly sequence: bigint }>;

/** `0-1-270,1-1-5`; of a domain that is named twice the last. @throws RangeError for what is none */
export function parseGtids(text: string): Map<number, { server: number; sequence: bigint }> {
    const found = new Map<number, { server: number; sequence: bigint }>();
    for (const each of text.split(",").filter((part) => part.trim() !== "")) {
        const [, domain, server, sequence] = /^\s*(\d+)-(\d+)-(\d+)\s*$/.exec(each) ?? [];
        if (domain === undefined) throw new RangeError(`"${each}" is no GTID of MariaDB`);
        found.set(Number(domain), { server: Number(server), sequence: BigInt(sequence!) });
    }
    return found;
}

/** By domain. */
export const gtidsText = (gtids: Gtids): string =>
    [...gtids]
        .sort(([a], [b]) => a - b)
        .map(([domain, { server, sequence }]) => `${domain}-${server}-${sequence}`)
        .join(",");

/** What a server has applied as a replica, and did not write into its own log, perhaps. */
export async function appliedBy(connection: mysql.Connection): Promise<string> {
    return (await rowsOf<{ applied: string }>(connection, "SELECT @@gtid_slave_pos AS applied"))[0]?.applied ?? "";
}

/**
 * Position of the snapshot that this session just took: what the server's own log says. A domain that only its time as a replica knew is left out, since no log will ever reach it, and whatever
 * was copied since that log began has it. Where the log is empty yet, what was applied is all there is.
 * `gtid_current_pos` is no such thing: it leaves out what another server's number wrote into this one's log.
 * @param applied as it was before the snapshot
 */
export async function positionOf(connection: mysql.Connection, applied: string): Promise<string> {
    const status = await rowsOf<{ Variable_name: string; Value: string }>(connection, "SHOW STATUS LIKE 'binlog_snapshot_%'");
    const value = (name: string) => status.find(({ Variable_name }) => Variable_name.toLowerCase() === name)?.Value;
    const [file, offset] = [value("binlog_snapshot_file"), Number(value("binlog_snapshot_position"))];
    if (!file) return applied;
    const [found] = await rowsOf<{ own: string | null }>(connection, "SELECT BINLOG_GTID_POS(?, ?) AS own", [file, offset]);
    const own = parseGtids(found?.own ?? "");
    const all = parseGtids(merged(applied, found?.own ?? ""));
    return gtidsText(own.size === 0 ? all : new Map([...all].filter(([domain]) => own.has(domain))));
}

function merged(applied: string, own: string): string {
    const newest = parseGtids(applied);
    for (const [domain, gtid] of parseGtids(own)) if (gtid.sequence >= (newest.get(domain)?.sequence ?? 0n)) newest.set(domain, gtid);
    return gtidsText(newest);
}
