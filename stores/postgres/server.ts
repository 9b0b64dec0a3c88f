import { join } from "node:path";
import { passwordDirectory, type PasswordName, type ServerShape } from "../../model/servers.ts";

/** The data directory on its volume, as `PGDATA` below has it. */
export const pgData = (volume: string): string => join(volume, "pgdata");

/**
 * Who may log in over the wire. PostgreSQL's read-only is a default that any session may lift, so while the server is closed `app`, the one user who could write, is
 * not let in at all; the guard writes the other text when it opens the server.
 */
export const postgresAccess = (appMayLogIn: boolean): string => `# TYPE DATABASE     USER         ADDRESS       METHOD
local  all          all                        scram-sha-256
local  replication  postgres                   scram-sha-256
host   all          postgres     127.0.0.1/32  scram-sha-256
host   all          postgres     all           reject
${appMayLogIn ? "" : "host   all          app          all           reject\n"}host   all          all          all           scram-sha-256
host   replication  replication  all           scram-sha-256
`;

/** Ends with the setting that makes the server's real start read-only (an argument could not be changed by the guard while it runs). */
function postgresInit(store: string, database: string): string {
    const read = (name: PasswordName) => `\\set ${name} \`cat ${passwordDirectory(store)}/${name}\``;
    return `#!/bin/sh
psql -v ON_ERROR_STOP=1 --no-psqlrc --username postgres --dbname postgres <<'LIFEBOAT'
${read("app")}
${read("backup")}
${read("replication")}
CREATE ROLE app LOGIN PASSWORD :'app';
CREATE ROLE backup LOGIN PASSWORD :'backup' IN ROLE pg_read_all_data;
CREATE ROLE replication LOGIN REPLICATION PASSWORD :'replication';
CREATE DATABASE "${database}" OWNER app;
ALTER SYSTEM SET default_transaction_read_only = on;
LIFEBOAT
cat > "$PGDATA/pg_hba.conf" <<'LIFEBOAT'
${postgresAccess(false)}LIFEBOAT
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
    }),
    args: () =>
        Object.entries({
            listen_addresses: "127.0.0.1",
            port: "5432",
            password_encryption: "scram-sha-256",
            wal_level: "replica",
            hot_standby: "on",
            max_wal_senders: "10",
            max_replication_slots: "10",
            // A replica that stays away longer than this has to be seeded anew: the slot may not fill the primary's volume.
            max_slot_wal_keep_size: "2GB",
            wal_sender_timeout: "10s",
            wal_receiver_timeout: "10s",
            wal_receiver_status_interval: "1s",
            wal_retrieve_retry_interval: "1s",
        }).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    initScripts: (store, database) => ({ "10-lifeboat.sh": postgresInit(store, database) }),
};
