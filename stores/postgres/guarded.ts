import type pg from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import { connectPostgres } from "./client.ts";
import { Failure } from "../../model/failure.ts";
import type { DatabasePlace, DatabaseStatus, GuardedServer } from "../place.ts";
import { unprotectedOn } from "./unprotected.ts";
import { databasesOn, endStrangers, strangersOn, writesOfBackup } from "./fence.ts";
import { accessOf, changedAt, setAccess } from "./seed.ts";
import { pgData, type Access } from "./server.ts";

/** `pg_promote` waits so long, in seconds; a changed setting is expected to show, and an ended session to be gone, within `settingMs`. */
const promoteSeconds = 60;
const settingMs = 5_000;

interface Facts {
    replica: boolean;
    read_only: boolean;
    /** Of both files, by the postmaster. */
    loaded_at: Date;
    /** The server could not take pg_hba.conf, and goes by what it took before. */
    misread: boolean;
    position: string | null;
    streaming: boolean;
    paused: boolean;
    lag: number | null;
}
type Within = <Result>(work: (client: pg.Client) => Promise<Result>, database?: string) => Promise<Result>;

/** Settings as the files have them: a session's own may be anybody's ALTER ROLE. */
const factsOf = async (client: pg.Client): Promise<Facts> =>
    (
        await client.query<Facts>(
            `SELECT pg_is_in_recovery() AS replica,
                coalesce((SELECT setting::bool FROM pg_file_settings WHERE name = 'default_transaction_read_only' AND applied), false) AS read_only,
                pg_conf_load_time() AS loaded_at,
                EXISTS (SELECT FROM pg_hba_file_rules WHERE error IS NOT NULL) AS misread,
                CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS position,
                EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS streaming,
                CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS paused,
                CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                     ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8 AS lag`,
        )
    ).rows[0]!;

function statusOfReplica({ position, streaming, paused, lag }: Facts): DatabaseStatus {
    const problem = !streaming
        ? "it does not hear from its peer"
        : paused
          ? "somebody paused its replay, and it falls behind: SELECT pg_wal_replay_resume() as postgres lets it go on"
          : undefined;
    return { role: "replica", lagSeconds: streaming ? lag : null, position: position ?? "", ...(problem === undefined ? {} : { problem }) };
}

async function statusOf(within: Within, data: string): Promise<DatabaseStatus> {
    const changed = changedAt(data);
    const access = accessOf(data);
    const facts = await within(factsOf);
    if (facts.replica) return statusOfReplica(facts);
    const loaded = facts.loaded_at.getTime() >= Math.floor(changed) && !facts.misread;
    const told = { lagSeconds: null, position: facts.position ?? "" };
    if (access === "open" && !facts.read_only && loaded) return { role: "writable", ...told };
    if (access === undefined || access === "open" || !facts.read_only || !loaded) return { role: "half-open", ...told };
    const strangers = await within((client) => strangersOn(client, access === "closed" ? ["backup"] : []));
    if (strangers.length > 0) return { role: "half-open", ...told, problem: `it is closed, and ${strangers.join(", ")} could still write` };
    const writes = await writesOfBackup(within);
    const problem = `while it is closed \`backup\` is not let in, because it ${writes.join(", and ")}: take that away (REVOKE) as postgres`;
    if (access === "closed") return writes.length === 0 ? { role: "read-only", ...told } : { role: "half-open", ...told, problem };
    return writes.length === 0 ? { role: "half-open", ...told } : { role: "read-only", ...told, problem };
}

/**
 * A PostgreSQL server as model/servers.ts starts it. Who may write is said in two files of its own, never by an argument, which the guard could not change while it runs:
 * pg_hba.conf, which holds (server.ts says why), and `default_transaction_read_only` in postgresql.auto.conf, a second line. The init script and, at every start of the pod,
 * `lifeboat seed` write both as closed.
 *
 * A transaction that somebody prepared stays as it is: no session is there that could commit it.
 */
export function guardedPostgres(place: DatabasePlace): GuardedServer {
    const data = pgData(place.volume);
    const address = {
        host: "localhost",
        port: place.port,
        user: "postgres",
        password: place.password("root"),
        database: "postgres",
        socketDirectory: place.socketDirectory,
    };
    const within: Within = async (work, database) => {
        const client = await connectPostgres(address, database);
        try {
            return await work(client);
        } finally {
            await client.end();
        }
    };
    /**
     * The server reads its files again by and by: done when a session that is newer than that has begun. Access and settings are read in one go, and then only does it
     * take new sessions. https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/postmaster/postmaster.c (SIGHUP_handler)
     */
    const setTo = async (access: Access) => {
        setAccess(data, access);
        const before = await within(async (client) => {
            const { loaded_at } = await factsOf(client);
            await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${access === "open" ? "off" : "on"}`);
            await client.query("SELECT pg_reload_conf()");
            return loaded_at;
        });
        for (const deadline = Date.now() + settingMs; (await within(factsOf)).loaded_at <= before; await sleep(20))
            if (Date.now() > deadline)
                throw new Failure(
                    "unavailable",
                    `PostgreSQL did not read its files again within ${settingMs / 1000} s`,
                    "see the server's log",
                );
        const after = await within(factsOf);
        if (after.misread)
            throw new Failure("unavailable", "PostgreSQL cannot read pg_hba.conf", "see pg_hba_file_rules, and who owns the file");
        if (after.read_only !== (access !== "open"))
            throw new Failure(
                "unavailable",
                `PostgreSQL did not take default_transaction_read_only = ${access === "open" ? "off" : "on"}`,
                "look for the setting on its command line, which wins over ALTER SYSTEM",
            );
    };
    /** A session that was about to begin when the files were read may show a moment later: until none is left, and once more at the guard's next look. */
    const endSessions = async (client: pg.Client) => {
        for (const deadline = Date.now() + settingMs; ; await sleep(20)) {
            const left = await strangersOn(client, []);
            if (left.length === 0) return;
            if (Date.now() > deadline)
                throw new Failure(
                    "unavailable",
                    `sessions of ${left.join(", ")} did not end within ${settingMs / 1000} s`,
                    "the guard tries again; a background worker of an extension has to be switched off by whoever switched it on",
                );
            await endStrangers(client, []);
        }
    };
    return {
        status: () => statusOf(within, data),
        unprotected: async () => unprotectedOn(within, await within(databasesOn)),
        open: () => setTo("open"),
        close: async () => {
            await setTo((await writesOfBackup(within)).length === 0 ? "closed" : "sealed");
            await within(endSessions);
        },
        promote: async () => {
            await within(async (client) => {
                const { replica } = await factsOf(client);
                if (!replica) return;
                // What was received is replayed to its end, also where somebody paused or delayed it: promotion lifts both.
                const { rows } = await client.query<{ done: boolean }>("SELECT pg_promote(true, $1) AS done", [promoteSeconds]);
                if (rows[0]?.done !== true)
                    throw new Failure(
                        "unavailable",
                        `the promotion was not over after ${promoteSeconds} s`,
                        "promote again: it goes on by itself",
                    );
            });
            await setTo("open");
            return { position: (await within(factsOf)).position ?? "" };
        },
    };
}
