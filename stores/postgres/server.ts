import { join } from "node:path";
import { passwordDirectory, type PasswordName, type ServerShape } from "../../model/servers.ts";

/** The data directory on its volume, as `PGDATA` below has it. */
export const pgData = (volume: string): string => join(volume, "pgdata");

/**
 * How a server lets people in. `open`: everybody. `closed`: nobody over the network but `backup`, which has no right to write, and the replica. `sealed`: the same without
 * `backup`, for a server on which somebody granted it such a right.
 */
export type Access = "open" | "closed" | "sealed";
export const accesses: readonly Access[] = ["open", "closed", "sealed"];

/**
 * pg_hba.conf, all of it. What keeps a closed server closed is that nobody who could write is let in, whatever was granted to whom, to superusers too:
 * - `default_transaction_read_only` is a wish: `BEGIN READ WRITE` undoes it. It stays as a second line, for what has no login (autonomous jobs of extensions);
 * - taking rights away (CONNECT, DML) has no effect on superusers and owners, changes the application's own schema, and has to be undone exactly;
 * - a restart in recovery (standby.signal) holds as well, but every reopening is a promotion: a new timeline for each lapse of a lease, and a server that is away while it restarts.
 * The text is the guard's own, compared as a whole at each look. `replication` in the column of databases is the physical protocol, which runs no SQL.
 * https://www.postgresql.org/docs/15/auth-pg-hba-conf.html
 */
export function postgresAccess(access: Access): string {
    const line = (...cells: string[]) =>
        `${cells
            .map((cell) => cell.padEnd(13))
            .join("")
            .trimEnd()}\n`;
    const scram = "scram-sha-256";
    const others =
        access === "open"
            ? [
                  line("host", "all", "postgres", "all", "reject"),
                  line("local", "all", "all", "", scram),
                  line("host", "all", "all", "all", scram),
              ]
            : [
                  ...(access === "closed" ? [line("host", "all", "backup", "all", scram)] : []),
                  line("local", "all", "all", "", "reject"),
                  line("host", "all", "all", "all", "reject"),
              ];
    return [
        line("# TYPE", "DATABASE", "USER", "ADDRESS", "METHOD"),
        line("local", "all", "postgres", "", scram),
        line("local", "replication", "postgres", "", scram),
        line("host", "all", "postgres", "127.0.0.1/32", scram),
        line("host", "replication", "replication", "all", scram),
        ...others,
    ].join("");
}

/** Ends with the setting that makes the server's real start read-only (an argument could not be changed by the guard while it runs). */
function postgresInit(store: string, database: string): string {
    const read = (name: PasswordName) => `\\set ${name} \`cat ${passwordDirectory(store)}/${name}\``;
    return `#!/bin/sh
psql -v ON_ERROR_STOP=1 --no-psqlrc --username postgres --dbname postgres <<'LIFEBOAT'
${read("app")}
${read("backup")}
${read("replication")}
CREATE ROLE app LOGIN PASSWORD :'app';
CREATE ROLE backup LOGIN BYPASSRLS PASSWORD :'backup' IN ROLE pg_read_all_data, pg_monitor;
CREATE ROLE replication LOGIN REPLICATION PASSWORD :'replication';
CREATE DATABASE "${database}" OWNER app;
ALTER SYSTEM SET default_transaction_read_only = on;
LIFEBOAT
cat > "$PGDATA/pg_hba.conf" <<'LIFEBOAT'
${postgresAccess("closed")}LIFEBOAT
`;
}

/** PostgreSQL's container. */
export const server: ServerShape = {
    image: "postgres:15",
    port: 5432,
    uid: 999,
    dataMount: "/var/lib/postgresql/data",
    socketMount: "/var/run/postgresql",
    socket: ".s.PGSQL.5432",
    superuser: "postgres",
    env: (store) => ({
        POSTGRES_USER: "postgres",
        POSTGRES_PASSWORD_FILE: `${passwordDirectory(store)}/root`,
        PGDATA: "/var/lib/postgresql/data/pgdata",
        // A page that a disk changed is found when it is read, and by pg_checksums.
        POSTGRES_INITDB_ARGS: "--data-checksums",
    }),
    args: () =>
        Object.entries({
            listen_addresses: "127.0.0.1",
            // On the command line, so that ALTER SYSTEM cannot name another file than the guard's.
            hba_file: "/var/lib/postgresql/data/pgdata/pg_hba.conf",
            // What a subscription applies is written by a worker that no pg_hba.conf keeps out: a store's server takes none.
            max_logical_replication_workers: "0",
            port: "5432",
            password_encryption: "scram-sha-256",
            wal_level: "replica",
            hot_standby: "on",
            max_wal_senders: "10",
            max_replication_slots: "10",
            // A dump of the schema locks every table: 51,200 of them fit, for 15 MB of memory.
            max_locks_per_transaction: "512",
            // A replica that stays away longer than this has to be seeded anew: the slot may not fill the primary's volume.
            max_slot_wal_keep_size: "2GB",
            wal_sender_timeout: "10s",
            wal_receiver_timeout: "10s",
            wal_receiver_status_interval: "1s",
            wal_retrieve_retry_interval: "1s",
        }).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    initScripts: (store, database) => ({ "10-lifeboat.sh": postgresInit(store, database) }),
};
