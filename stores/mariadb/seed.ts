import mysql from "mysql2/promise";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Meter } from "../meter.ts";
import type { ServerAddress } from "../adapter.ts";
import { seedDump } from "./dump.ts";
import { connectMariadb, rowsOf, startMariadbClient, startMariadbDump } from "./client.ts";
import { Failure } from "../../model/failure.ts";
import { covers } from "./position.ts";
import type { DatabasePlace } from "../place.ts";

/**
 * Loads the peer's database into this server, without binary log, and returns the GTID position that it shows. What an earlier try left is wiped.
 * Users are not copied: both sites' servers made them from the same passwords at their first start.
 */
export async function seedFromPeer(place: DatabasePlace, local: ServerAddress, signal: AbortSignal): Promise<string> {
    const peer: ServerAddress = { ...place.peer, user: "backup", password: place.password("backup"), database: place.database };
    const facts = await seedDump.describe(peer);
    if (facts.position === undefined)
        throw new Failure("refused", `${peer.host} keeps no binary log: it cannot be followed`, "start it with --log-bin");
    const connection = await connectMariadb(local, null);
    try {
        await connection.query("SET SESSION sql_log_bin = 0");
        await connection.query("STOP SLAVE");
        await connection.query("RESET SLAVE ALL");
        await connection.query(`DROP DATABASE IF EXISTS ${mysql.escapeId(place.database)}`);
    } finally {
        connection.destroy();
    }
    const dump = startMariadbDump(peer, facts.version, { logging: true, forReplica: true }, signal);
    const load = startMariadbClient(local, null, "SET SESSION sql_log_bin = 0", signal);
    dump.stdin.end();
    load.stdout.resume();
    const meter = new Meter();
    try {
        await pipeline(
            dump.stdout,
            meter,
            async function* (source: AsyncIterable<Buffer>) {
                yield* source;
                await dump.ended;
                if (!seedDump.isWhole(meter.tail)) throw new Error("the peer's dump is cut off");
            },
            load.stdin,
            { signal },
        );
        await load.ended;
    } catch (error) {
        dump.kill();
        load.kill();
        throw error;
    }
    const position = seedDump.positionIn(meter);
    if (position === undefined) throw new Error(`the dump of ${peer.host} does not say which GTID it shows`);
    return position;
}

/** Follows the peer from a position. This server's own binary log, which nobody has read, begins anew. */
export async function followPeer(place: DatabasePlace, connection: mysql.Connection, position: string): Promise<void> {
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
