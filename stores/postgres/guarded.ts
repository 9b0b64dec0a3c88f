import type pg from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import { connectPostgres } from "./client.ts";
import { Failure } from "../../model/failure.ts";
import type { DatabasePlace, DatabaseStatus, GuardedServer } from "../place.ts";
import { setAccess } from "./seed.ts";
import { pgData } from "./server.ts";

/** `pg_promote` waits so long, in seconds; a changed setting is expected to show within `settingMs`. */
const promoteSeconds = 60;
const settingMs = 5_000;

interface Facts {
    replica: boolean;
    read_only: boolean;
    access_closed: boolean;
    position: string | null;
    streaming: boolean;
    lag: number | null;
}

async function statusOf(client: pg.Client): Promise<DatabaseStatus> {
    const { rows } = await client.query<Facts>(
        `SELECT pg_is_in_recovery() AS replica,
                current_setting('default_transaction_read_only')::bool AS read_only,
                EXISTS (SELECT FROM pg_hba_file_rules WHERE user_name = '{app}' AND auth_method = 'reject') AS access_closed,
                CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS position,
                EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS streaming,
                CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                     ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8 AS lag`,
    );
    const { replica, read_only, access_closed, position, streaming, lag } = rows[0]!;
    if (!replica) {
        const role = !read_only ? "writable" : access_closed ? "read-only" : "half-open";
        return { role, lagSeconds: null, position: position ?? "" };
    }
    return {
        role: "replica",
        lagSeconds: streaming ? lag : null,
        position: position ?? "",
        ...(streaming ? {} : { problem: "it does not hear from its peer" }),
    };
}

/**
 * A PostgreSQL server as model/servers.ts starts it. `default_transaction_read_only` is in postgresql.auto.conf, never an argument, which
 * ALTER SYSTEM could not change: the init script and, at every start of the pod, `lifeboat seed` set it to on, and the guard turns it off. A session may lift that
 * default for itself, so what keeps a closed server closed is that `app` may not log in: the guard writes pg_hba.conf too.
 */
export function guardedPostgres(place: DatabasePlace): GuardedServer {
    const address = {
        host: "localhost",
        port: place.port,
        user: "postgres",
        password: place.password("root"),
        database: "postgres",
        socketDirectory: place.socketDirectory,
    };
    const within = async <Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> => {
        const client = await connectPostgres(address);
        try {
            return await work(client);
        } finally {
            await client.end();
        }
    };
    /**
     * The server reads its settings again by and by: done when a new session has them. Access and settings are read in one go, and then only does it take new sessions.
     * https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/postmaster/postmaster.c (SIGHUP_handler)
     */
    const setReadOnly = async (value: "on" | "off") => {
        setAccess(pgData(place.volume), value === "off");
        await within(async (client) => {
            await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
            await client.query("SELECT pg_reload_conf()");
        });
        for (const deadline = Date.now() + settingMs; ; await sleep(20)) {
            const shows = await within(async (client) => (await client.query("SHOW default_transaction_read_only")).rows[0]);
            if ((shows as { default_transaction_read_only: string }).default_transaction_read_only === value) return;
            if (Date.now() > deadline)
                throw new Failure(
                    "unavailable",
                    `PostgreSQL did not take default_transaction_read_only = ${value}`,
                    "look for the setting on its command line, which wins over ALTER SYSTEM",
                );
        }
    };
    return {
        status: () => within(statusOf),
        open: () => setReadOnly("off"),
        close: async () => {
            await setReadOnly("on");
            await within(async (client) => {
                await client.query(
                    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND usename <> 'postgres'`,
                );
            });
        },
        promote: async () => {
            await within(async (client) => {
                const { role } = await statusOf(client);
                if (role !== "replica") return;
                const { rows } = await client.query<{ done: boolean }>("SELECT pg_promote(true, $1) AS done", [promoteSeconds]);
                if (rows[0]?.done !== true)
                    throw new Failure(
                        "unavailable",
                        `the promotion was not over after ${promoteSeconds} s`,
                        "promote again: it goes on by itself",
                    );
            });
            await setReadOnly("off");
            return { position: (await within(statusOf)).position };
        },
    };
}
