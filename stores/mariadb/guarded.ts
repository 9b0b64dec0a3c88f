import type mysql from "mysql2/promise";
import { connectMariadb, rowsOf } from "./client.ts";
import type { ServerAddress } from "../adapter.ts";
import { Failure } from "../../model/failure.ts";
import type { DatabasePlace, DatabaseStatus, GuardedServer } from "../place.ts";
import { disabledEvents, enableEvents, rememberedEvents, rememberEvents } from "./events.ts";
import { dropSessions, holes, isMarked, readersOf, shut, unshut } from "./fence.ts";
import { unprotectedOn } from "./unprotected.ts";
import { partHistory } from "./position-gap.ts";
import { appliedUpTo, endReplication, goOn, ownTransactions, problemOf, replicaState, type ReplicaState } from "./replica.ts";
import { followCopy, followFromHere } from "./seed.ts";

/** The server beside the caller, through its socket, as the superuser. */
export const localMariadb = (place: DatabasePlace): ServerAddress => ({
    host: "localhost",
    port: place.port,
    user: "root",
    password: place.password("root"),
    database: place.database,
    socketDirectory: place.socketDirectory,
});

async function statusOf(connection: mysql.Connection): Promise<DatabaseStatus> {
    const replica = await replicaState(connection);
    const [found] = await rowsOf<{ ro: string; position: string }>(connection, "SELECT @@read_only AS ro, @@gtid_current_pos AS position");
    const told = { lagSeconds: null, position: found?.position ?? "" };
    if (Number(found?.ro) !== 1) {
        if (replica) return { role: "half-open", ...told, problem: "it follows its peer and takes writes: somebody lifted read_only" };
        return { role: (await isMarked(connection)) ? "half-open" : "writable", ...told };
    }
    const open = await holes(connection);
    const { why, sealed } = await readersOf(connection);
    const problem = `while it is closed \`backup\` is not let in, because ${why.join(", and ")}: take that away (REVOKE) as root`;
    if (open.length > 0) return { role: "half-open", ...told, problem: `it is closed, but ${open.join(", ")}` };
    if (sealed !== why.length > 0) return { role: "half-open", ...told, ...(sealed ? {} : { problem }) };
    if (replica) return statusOfReplica(connection, replica, told.position);
    return { role: "read-only", ...told, ...(sealed ? { problem } : {}) };
}

async function statusOfReplica(connection: mysql.Connection, replica: ReplicaState, position: string): Promise<DatabaseStatus> {
    const follows = replica.Slave_IO_Running === "Yes" && replica.Slave_SQL_Running === "Yes";
    const lag = replica.Seconds_Behind_Master;
    const problem = problemOf(replica, await appliedUpTo(connection), await ownTransactions(connection));
    return {
        role: "replica",
        lagSeconds: follows && lag !== null ? Number(lag) : null,
        position,
        ...(problem === undefined ? {} : { problem }),
    };
}

/**
 * A MariaDB server as model/servers.ts starts it: read-only at every start (`--read-only=1`) and closed (fence.ts), with a binary log, GTIDs and `--log-slave-updates`.
 * Its replication does not start by itself: what it received before has to be applied first (replica.ts).
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
    const openTo = async (connection: mysql.Connection) => {
        await unshut(connection);
        await connection.query("SET GLOBAL read_only = 0");
    };
    const peerAnswers = async (): Promise<boolean> => {
        try {
            const address = { ...place.peer, user: "replication", password: place.password("replication"), database: "" };
            (await connectMariadb(address, null)).destroy();
            return true;
        } catch (error) {
            place.note(`${place.store}: ${(error as Error).message}`);
            return false;
        }
    };
    let asking = false;
    const askForEvents = async (): Promise<void> => {
        if (asking) return;
        asking = true;
        try {
            const peer = await connectMariadb({ ...place.peer, user: "backup", password: place.password("backup"), database: "" }, null);
            try {
                rememberEvents(place.volume, await disabledEvents(peer));
            } finally {
                peer.destroy();
            }
        } catch {
            // What it said last stands; that it is silent the replica's status tells.
        } finally {
            asking = false;
        }
    };
    return {
        status: () => within(statusOf),
        unprotected: () => within(unprotectedOn),
        open: () =>
            within(async (connection) => {
                if (await replicaState(connection))
                    throw new Failure("refused", "it still follows its peer", "end its replication by a promotion: lifeboat activate");
                await openTo(connection);
            }),
        close: () =>
            within(async (connection) => {
                // It waits for running statements; a session that holds it up is dropped, and then it goes through.
                await connection.query("SET SESSION lock_wait_timeout = 2");
                await connection.query("SET GLOBAL read_only = 1").catch(async () => {
                    await dropSessions(connection);
                    await connection.query("SET GLOBAL read_only = 1");
                });
                await shut(connection);
            }),
        tend: async (signal) => {
            const done = await within((connection) => goOn(connection, peerAnswers, signal));
            // Not waited for: a peer that has just died answers late, and a promotion is not to wait for it.
            void askForEvents();
            return done ? `follows ${place.peer.host} from where it stood` : undefined;
        },
        promote: (signal) =>
            within(async (connection) => {
                await endReplication(connection, signal);
                await enableEvents(connection, rememberedEvents(place.volume));
                await openTo(connection);
                return { position: (await statusOf(connection)).position };
            }),
        followFromHere: (signal) => within((connection) => followFromHere(place, connection, signal)),
        partHistory: () => within(partHistory),
        followCopy: (position) => within((connection) => followCopy(place, connection, position)),
    };
}
