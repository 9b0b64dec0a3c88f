import type mysql from "mysql2/promise";
import { setTimeout as sleep } from "node:timers/promises";
import { connectMariadb, rowsOf } from "./client.ts";
import type { ServerAddress } from "../adapter.ts";
import { Failure } from "../../model/failure.ts";
import type { DatabasePlace, DatabaseStatus, GuardedServer } from "../place.ts";
import { followFromHere, followPeer, seedFromPeer } from "./seed.ts";

/** What was received has to be applied within this, in ms. */
const applyMs = 60_000;

interface ReplicaState {
    Slave_IO_Running: string;
    Slave_SQL_Running: string;
    Seconds_Behind_Master: string | null;
    Last_IO_Error: string;
    Last_SQL_Error: string;
    Master_Log_File: string;
    Relay_Master_Log_File: string;
    Read_Master_Log_Pos: string;
    Exec_Master_Log_Pos: string;
}

/** The server beside the caller, through its socket, as the superuser. */
export const localMariadb = (place: DatabasePlace): ServerAddress => ({
    host: "localhost",
    port: place.port,
    user: "root",
    password: place.password("root"),
    database: place.database,
    socketDirectory: place.socketDirectory,
});

const replicaState = async (connection: mysql.Connection): Promise<ReplicaState | undefined> =>
    (await rowsOf<ReplicaState>(connection, "SHOW SLAVE STATUS"))[0];

/** Two: the position differs between what was read and what was executed only while something is left to apply. */
const isApplied = (state: ReplicaState): boolean =>
    state.Master_Log_File === state.Relay_Master_Log_File && Number(state.Exec_Master_Log_Pos) >= Number(state.Read_Master_Log_Pos);

async function statusOf(connection: mysql.Connection): Promise<DatabaseStatus> {
    const replica = await replicaState(connection);
    const [found] = await rowsOf<{ ro: string; position: string }>(connection, "SELECT @@read_only AS ro, @@gtid_current_pos AS position");
    const position = found?.position ?? "";
    if (!replica) return { role: Number(found?.ro) === 1 ? "read-only" : "writable", lagSeconds: null, position };
    if (Number(found?.ro) !== 1)
        return {
            role: "half-open",
            lagSeconds: null,
            position,
            problem: "it follows its peer and takes writes: somebody lifted read_only",
        };
    const follows = replica.Slave_IO_Running === "Yes" && replica.Slave_SQL_Running === "Yes";
    const lag = replica.Seconds_Behind_Master;
    const problem = replica.Last_SQL_Error || replica.Last_IO_Error || (follows ? "" : "it does not hear from its peer");
    return { role: "replica", lagSeconds: follows && lag !== null ? Number(lag) : null, position, ...(problem ? { problem } : {}) };
}

/** Sessions that were opened before read_only was set may hold transactions; the server's own and other administrators' stay. */
async function dropSessions(connection: mysql.Connection): Promise<void> {
    const sessions = await rowsOf<{ id: string }>(
        connection,
        `SELECT id FROM information_schema.processlist
         WHERE id <> connection_id() AND user NOT IN ('root', 'system user', 'event_scheduler') AND command <> 'Binlog Dump'`,
    );
    // One may have ended by itself.
    for (const { id } of sessions) await connection.query(`KILL CONNECTION ${Number(id)}`).catch(() => {});
}

async function applyAll(connection: mysql.Connection, signal: AbortSignal): Promise<void> {
    for (const deadline = Date.now() + applyMs; ; await sleep(20, undefined, { signal })) {
        const state = await replicaState(connection);
        if (!state || isApplied(state)) return;
        if (state.Last_SQL_Error)
            throw new Failure(
                "no",
                `the replica stopped at an error: ${state.Last_SQL_Error}`,
                "repair it (or skip the event), or restore a recovery point; then promote again",
            );
        if (Date.now() > deadline)
            throw new Failure("unavailable", `the replica did not apply what it had received within ${applyMs / 1000} s`, "promote again");
    }
}

/**
 * A MariaDB server as model/servers.ts starts it: read-only at every start (`--read-only=1`), with a binary log, GTIDs and `--log-slave-updates`.
 */
export function guardedMariadb(place: DatabasePlace): GuardedServer {
    const within = async <Result>(work: (connection: mysql.Connection) => Promise<Result>): Promise<Result> => {
        const connection = await connectMariadb(localMariadb(place), null);
        try {
            return await work(connection);
        } finally {
            connection.destroy();
        }
    };
    return {
        status: () => within(statusOf),
        open: () =>
            within(async (connection) => {
                if (await replicaState(connection))
                    throw new Failure("refused", "it still follows its peer", "end its replication by a promotion: lifeboat activate");
                await connection.query("SET GLOBAL read_only = 0");
            }),
        close: () =>
            within(async (connection) => {
                // It waits for running statements; a session that holds it up is dropped, and then it goes through.
                await connection.query("SET SESSION lock_wait_timeout = 2");
                await connection.query("SET GLOBAL read_only = 1").catch(async () => {
                    await dropSessions(connection);
                    await connection.query("SET GLOBAL read_only = 1");
                });
                await dropSessions(connection);
            }),
        promote: (signal) =>
            within(async (connection) => {
                if (await replicaState(connection)) {
                    await connection.query("STOP SLAVE IO_THREAD");
                    // The applier may have been stopped by hand.
                    await connection.query("START SLAVE SQL_THREAD");
                    await applyAll(connection, signal);
                    await connection.query("STOP SLAVE");
                    await connection.query("RESET SLAVE ALL");
                }
                await connection.query("SET GLOBAL read_only = 0");
                return { position: (await statusOf(connection)).position };
            }),
        followFromHere: (signal) => within((connection) => followFromHere(place, connection, signal)),
        seedRunning: async (signal) => {
            const position = await seedFromPeer(place, localMariadb(place), signal);
            await within((connection) => followPeer(place, connection, position));
        },
    };
}
