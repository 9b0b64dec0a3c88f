import type mysql from "mysql2/promise";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../model/failure.ts";
import { rowsOf } from "./client.ts";
import { covers } from "./position.ts";

/** What was received has to be applied within this, in ms, from the last transaction that was. */
const applyMs = 60_000;

export interface ReplicaState {
    Slave_IO_Running: string;
    Slave_SQL_Running: string;
    Slave_SQL_Running_State: string | null;
    Seconds_Behind_Master: string | null;
    Last_IO_Error: string;
    Last_IO_Errno: number;
    Last_SQL_Error: string;
    Last_SQL_Errno: number;
    Relay_Log_File: string;
    Relay_Log_Pos: string;
    Using_Gtid: string;
    /** All that was received since the server's start; empty before its receiver has run. */
    Gtid_IO_Pos: string;
    SQL_Delay: string;
}

export const replicaState = async (connection: mysql.Connection): Promise<ReplicaState | undefined> =>
    (await rowsOf<ReplicaState>(connection, "SHOW SLAVE STATUS"))[0];

export async function appliedUpTo(connection: mysql.Connection): Promise<string> {
    const [found] = await rowsOf<{ position: string }>(connection, "SELECT @@gtid_slave_pos AS position");
    return found?.position ?? "";
}

const numbers = (state: ReplicaState, applied: string): string =>
    `received up to ${state.Gtid_IO_Pos || "what its relay log holds"}, applied up to ${applied || "nothing"}`;

/** Transactions that were written on this server and that its peer does not have: "0-2-6". */
export async function ownTransactions(connection: mysql.Connection): Promise<string[]> {
    const [found] = await rowsOf<{ binlog: string; slave: string; id: string }>(
        connection,
        "SELECT @@gtid_binlog_pos AS binlog, @@gtid_slave_pos AS slave, @@server_id AS id",
    );
    if (!found) return [];
    return found.binlog.split(",").filter((gtid) => gtid.split("-")[1] === found.id && !covers(found.slave, gtid));
}

/** Error of a server in strict mode at a number that its own log has passed. https://mariadb.com/kb/en/gtid/#gtid_strict_mode */
const outOfOrder = "1950";

/** Of a peer whose log does not have the place that a replica asks for. */
const notInItsLog = "1236";

function wayOut(state: ReplicaState, own: readonly string[]): string {
    if (own.length > 0 || String(state.Last_SQL_Errno) === outOfOrder)
        return (
            "as root in the pod, SET GLOBAL gtid_strict_mode = 0 lets it apply what it received; " +
            "afterwards promote again and SET GLOBAL gtid_strict_mode = 1"
        );
    return "as root in the pod, repair what the error names with SET sql_log_bin = 0 before it, and never STOP SLAVE; then promote again. Or give up what was not applied: RESET SLAVE ALL, then promote again";
}

/** What a person should know of a replica, and what to type. */
export function problemOf(state: ReplicaState, applied: string, own: readonly string[]): string | undefined {
    const behind = numbers(state, applied);
    if (own.length > 0)
        return (
            `${own.join(", ")} was written on the replica itself, and its peer does not have it (${behind}). See it with mariadb-binlog; undo it as root with SET sql_log_bin = 0, ` +
            `then, while the peer lives: STOP SLAVE; RESET MASTER; SET GLOBAL gtid_slave_pos = '${applied}'; START SLAVE. Or have it copied anew`
        );
    if (state.Last_SQL_Error)
        return `its applier stopped (${behind}): ${state.Last_SQL_Error}. Repair it as root with SET sql_log_bin = 0, then START SLAVE SQL_THREAD`;
    const [receives, applies] = [state.Slave_IO_Running !== "No", state.Slave_SQL_Running === "Yes"];
    if (!receives && !applies)
        return `both its receiver and its applier were stopped (${behind}): START SLAVE as root lets it go on while its peer lives`;
    if (!applies) return `somebody stopped its applier (${behind}): START SLAVE SQL_THREAD as root lets it go on`;
    if (String(state.Last_IO_Errno) === notInItsLog)
        return `${state.Last_IO_Error}. Its peer does not have what it has, or has thrown away what it needs: have it copied anew (\`lifeboat guard STORE --rejoin\` in its pod, then replace the pod)`;
    if (state.Last_IO_Error) return state.Last_IO_Error;
    if (state.Slave_IO_Running !== "Yes") return "it does not hear from its peer";
    if (Number(state.SQL_Delay) > 0)
        return `it is made to apply ${state.SQL_Delay} s late (MASTER_DELAY): its promotion takes as long as applying what that leaves`;
    return undefined;
}

/** Waits until the applier has come to an end. @throws Failure with the numbers where it cannot */
async function waitUntil(
    connection: mysql.Connection,
    done: (state: ReplicaState, applied: string) => boolean,
    signal: AbortSignal,
): Promise<void> {
    let last = "";
    for (let deadline = Date.now() + applyMs; ; await sleep(20, undefined, { signal })) {
        const state = await replicaState(connection);
        const applied = await appliedUpTo(connection);
        if (!state || done(state, applied)) return;
        if (state.Last_SQL_Error || state.Slave_SQL_Running === "No")
            throw new Failure(
                "no",
                `the replica does not apply what it received (${numbers(state, applied)}): ${state.Last_SQL_Error || "its applier was stopped"}`,
                wayOut(state, await ownTransactions(connection)),
            );
        if (applied !== last) [last, deadline] = [applied, Date.now() + applyMs];
        if (Date.now() > deadline)
            throw new Failure(
                "unavailable",
                `the replica applied nothing for ${applyMs / 1000} s (${numbers(state, applied)})`,
                "see SHOW PROCESSLIST for what its applier waits for; then promote again",
            );
    }
}

const readAll = "Slave has read all relay log";
const isApplied = (state: ReplicaState, applied: string): boolean => covers(applied, state.Gtid_IO_Pos);

/**
 * Applies what lies in the relay log of a replica neither of whose threads runs. Any START SLAVE with MASTER_USE_GTID would throw that log away and ask the peer for it anew; without it, and
 * with the place in the relay log named, it is read where it is. Transactions keep their GTIDs. Afterwards `MASTER_USE_GTID` is to be set again.
 * https://mariadb.com/kb/en/change-master-to/#relay_log_file
 */
async function applyRelayLog(connection: mysql.Connection, signal: AbortSignal): Promise<void> {
    await connection.query("STOP SLAVE");
    const state = (await replicaState(connection))!;
    // One applier, which is at the end when it says so.
    await connection.query("SET GLOBAL slave_parallel_threads = 0");
    await connection.query(
        `CHANGE MASTER TO MASTER_USE_GTID = no, MASTER_DELAY = 0, RELAY_LOG_FILE = ?, RELAY_LOG_POS = ${Number(state.Relay_Log_Pos)}`,
        [state.Relay_Log_File],
    );
    await connection.query("START SLAVE SQL_THREAD");
    await waitUntil(
        connection,
        (now) => now.Slave_SQL_Running === "Yes" && (now.Slave_SQL_Running_State ?? "").startsWith(readAll),
        signal,
    );
    await connection.query("STOP SLAVE");
}

/** Whether the relay log has to be read where it is. */
const isStopped = (state: ReplicaState): boolean =>
    (state.Slave_IO_Running === "No" && state.Slave_SQL_Running === "No") || state.Using_Gtid === "No" || Number(state.SQL_Delay) > 0;

/**
 * Brings a replica to all that it received, and ends its replication.
 * The receiver is stopped last: with both stopped, the relay log would be lost at the next START SLAVE.
 * @throws Failure("no") with the numbers where something that was received cannot be applied: it is a replica still, and nothing is thrown away
 */
export async function endReplication(connection: mysql.Connection, signal: AbortSignal): Promise<void> {
    const state = await replicaState(connection);
    if (!state) return;
    if (isStopped(state)) {
        const unknown = state.Gtid_IO_Pos === "" || state.Using_Gtid === "No";
        if (unknown || !isApplied(state, await appliedUpTo(connection))) await applyRelayLog(connection, signal);
    } else {
        // It may have been stopped by hand, or by an error that is mended.
        if (state.Slave_SQL_Running === "No") await connection.query("START SLAVE SQL_THREAD");
        await waitUntil(connection, isApplied, signal);
        await connection.query("STOP SLAVE IO_THREAD");
        await waitUntil(connection, isApplied, signal);
    }
    await connection.query("STOP SLAVE");
    await connection.query("RESET SLAVE ALL");
}

/**
 * Lets a replica go on that stands still since its server started (`--skip-slave-start`): first what it had received, then its peer. One that somebody stopped is left alone.
 * @param peerAnswers asked where the relay log cannot be applied (a crash tore it): a peer that is there sends it anew
 * @returns whether it did something
 */
export async function goOn(connection: mysql.Connection, peerAnswers: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
    const state = await replicaState(connection);
    if (!state || !(state.Using_Gtid === "No" || (isStopped(state) && state.Gtid_IO_Pos === "" && Number(state.SQL_Delay) === 0)))
        return false;
    try {
        await applyRelayLog(connection, signal);
    } catch (error) {
        if (!(await peerAnswers())) throw error;
        await connection.query("STOP SLAVE");
    }
    await connection.query("CHANGE MASTER TO MASTER_USE_GTID = slave_pos");
    await connection.query("START SLAVE");
    return true;
}
