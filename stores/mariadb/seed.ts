import type mysql from "mysql2/promise";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { rowsOf } from "./client.ts";
import { closedAtStart } from "./fence.ts";
import { covers } from "./position.ts";
import { physical } from "./physical.ts";
import { prepare } from "./physical/scratch.ts";
import { mariadbData, startFile } from "./server.ts";
import type { DatabasePlace } from "../place.ts";

/** Of the log that was copied with the data, so much is held while it is applied, in bytes. */
const prepareMemory = 128 * 1_048_576;

/** Replaced at once: a server that starts meanwhile reads the old or the new one. */
export function writeStartFile({ volume }: DatabasePlace): void {
    const file = join(volume, startFile);
    writeFileSync(`${file}.new`, closedAtStart, { flush: true });
    renameSync(`${file}.new`, file);
}

/**
 * Copies the peer's whole server into the data directory, as mariadb-backup does: all databases, accounts, history and values are in it because the files are. What an earlier try left is wiped.
 * @returns the GTIDs that it shows: everything up to them and nothing after
 */
export async function seedMariadb(place: DatabasePlace, signal: AbortSignal): Promise<{ position: string }> {
    const data = mariadbData(place.volume);
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { mode: 0o700 });
    place.note(`${place.store}: copying the server of ${place.peer.host}`);
    const copy = await place.copyFromPeer(signal);
    const unpack = physical.unpack(data, signal);
    try {
        await pipeline(copy.stream, unpack.stdin, { signal });
        await unpack.ended;
    } catch (error) {
        unpack.kill();
        throw error;
    }
    const { position } = await copy.facts();
    await prepare(data, prepareMemory, signal);
    return { position };
}

/**
 * Makes this server, which was started from a copy of the peer's, its replica. Its own binary log, which nobody has read, begins anew. From the moment at which it knows its peer on it is
 * a replica like any other, and goes on from where it stands.
 */
export async function followCopy(place: DatabasePlace, connection: mysql.Connection, position: string): Promise<void> {
    const known = await rowsOf<{ Master_Host: string }>(connection, "SHOW SLAVE STATUS");
    if (known.length > 0) return;
    await connection.query("RESET MASTER");
    await startFollowing(place, connection, position);
}

async function startFollowing(place: DatabasePlace, connection: mysql.Connection, position: string): Promise<void> {
    await connection.query("SET GLOBAL gtid_slave_pos = ?", [position]);
    await connection.query(
        `CHANGE MASTER TO MASTER_HOST = ?, MASTER_PORT = ?, MASTER_USER = 'replication', MASTER_PASSWORD = ?,
         MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 2, MASTER_HEARTBEAT_PERIOD = 1`,
        [place.peer.host, place.peer.port, place.password("replication")],
    );
    await connection.query("START SLAVE");
}

/** The peer is expected to have taken the position within so many ms: it sends what follows it, or, where there is nothing, a heartbeat each second. */
const acceptMs = 15_000;

/**
 * Follows the peer from this server's own position, if the peer's binary log has it: in strict mode it refuses one that another history has passed, before it sends anything.
 * https://mariadb.com/kb/en/gtid/#gtid_strict_mode
 * @returns whether it does; where not, the server is no replica, as before
 */
export async function followFromHere(place: DatabasePlace, connection: mysql.Connection, signal: AbortSignal): Promise<boolean> {
    const [found] = await rowsOf<{ position: string }>(connection, "SELECT @@gtid_current_pos AS position");
    const position = found?.position ?? "";
    const before = await heartbeats(connection);
    await startFollowing(place, connection, position);
    for (const deadline = performance.now() + acceptMs; performance.now() < deadline; await sleep(100, undefined, { signal })) {
        const [state] = await rowsOf<{ Last_IO_Error: string; Gtid_IO_Pos: string }>(connection, "SHOW SLAVE STATUS");
        if (!covers(position, state?.Gtid_IO_Pos ?? "") || (await heartbeats(connection)) > before) return true;
        if (state?.Last_IO_Error) {
            place.note(`${place.store}: the peer's history does not have ${position}: ${state.Last_IO_Error}`);
            break;
        }
    }
    await connection.query("STOP SLAVE");
    await connection.query("RESET SLAVE ALL");
    return false;
}

async function heartbeats(connection: mysql.Connection): Promise<number> {
    const [found] = await rowsOf<{ Value: string }>(connection, "SHOW GLOBAL STATUS LIKE 'Slave_received_heartbeats'");
    return Number(found?.Value ?? 0);
}
