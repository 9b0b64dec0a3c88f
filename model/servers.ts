import { siteNames, type SiteName, type StoreKind } from "./estate.ts";

/** Files of `passwordDirectory(store)`: one password a file, no line end. */
export const passwordNames = ["root", "app", "backup", "replication"] as const;
export type PasswordName = (typeof passwordNames)[number];

/** Where a pod finds the passwords of a store: the store's Kubernetes Secret, mounted. */
export const passwordDirectory = (store: string): string => `/etc/lifeboat/stores/${store}`;

/** File name of the guard's own socket in `guardSocketMount`: how `lifeboat guard STORE --promote` reaches the guard that runs. */
export const guardSocket = "guard.sock";

/** The address that clients' sessions come from when the guard has let them in. The superuser answers to 127.0.0.1 alone, which is not this one. */
export const gateAddress = "127.0.0.2";

/** Where seed and guard find the server's unix socket: the same emptyDir that the server container mounts at `socketMount`. */
export const guardSocketMount = "/run/lifeboat";

/**
 * How the server container of a store is started. It listens on loopback and its socket alone: the guard listens on the pod's address, and
 * passes on what its lease allows. Pure data: components make a StatefulSet of it, tests start the same server.
 * The template is the same in both sites, but for `args(site)`, and says nothing about who is active: a server starts
 * read-only and its guard decides. `seed` (init container) and `guard` run with the server's own uid, because PostgreSQL wants to
 * own its files; they mount the volume at the same path, the passwords, and the socket's emptyDir at `guardSocketMount`.
 */
export interface ServerShape {
    image: string;
    port: number;
    /** uid, gid and fsGroup of server, seed and guard: those of the official image. */
    uid: number;
    /** Where the volume claim is mounted, in server, seed and guard. */
    dataMount: string;
    /** Where the server container mounts the emptyDir of its unix socket. */
    socketMount: string;
    /** Name of the socket inside that folder. */
    socket: string;
    /** The user who may do everything; its password is `root`. Reached through the socket and 127.0.0.1 only. */
    superuser: string;
    /** Environment of the server container, as the official image reads it. */
    env(store: string): Record<string, string>;
    /** Arguments after the image's entrypoint. */
    args(site: SiteName): string[];
    /** Files for /docker-entrypoint-initdb.d: run once, when the volume is empty and the server's own first start makes its system tables. */
    initScripts(store: string, database: string): Record<string, string>;
}

export const serverId = (site: SiteName): number => siteNames.indexOf(site) + 1;

/**
 * Users and database exist in both sites from the first start, made without binary log: a replica is seeded with the application's database
 * only, and promotion must find its users without the primary. `root` answers to the pod itself only.
 */
function mariadbInit(store: string, database: string): string {
    const password = (name: PasswordName) => `$(sed "s/[\\\\\\\\']/\\\\\\\\&/g" ${passwordDirectory(store)}/${name})`;
    return `#!/bin/sh
MYSQL_PWD="$(cat ${passwordDirectory(store)}/root)" mariadb --no-defaults --protocol=socket --socket=/run/mysqld/mysqld.sock --user=root --binary-mode <<LIFEBOAT
SET SESSION sql_log_bin = 0;
CREATE DATABASE IF NOT EXISTS \\\`${database}\\\` CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY '${password("app")}';
GRANT ALL ON \\\`${database}\\\`.* TO 'app'@'%';
CREATE USER IF NOT EXISTS 'backup'@'%' IDENTIFIED BY '${password("backup")}';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON \\\`${database}\\\`.* TO 'backup'@'%';
GRANT SELECT ON mysql.proc TO 'backup'@'%';
GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO 'backup'@'%';
CREATE USER IF NOT EXISTS 'replication'@'%' IDENTIFIED BY '${password("replication")}';
GRANT REPLICATION SLAVE ON *.* TO 'replication'@'%';
CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '${password("root")}';
GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
DROP USER IF EXISTS 'root'@'%';
LIFEBOAT
`;
}

/**
 * Who may log in over the wire. PostgreSQL's read-only is a default that any session may lift, so while the server is closed `app`, the one user who could write, is
 * not let in at all; the guard writes the other text when it opens the server.
 */
export const postgresAccess = (appMayLogIn: boolean): string => `# TYPE DATABASE     USER         ADDRESS       METHOD
local  all          all                        scram-sha-256
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

export const servers: Readonly<Record<StoreKind, ServerShape>> = {
    mariadb: {
        image: "mariadb:10.11",
        port: 3306,
        uid: 999,
        dataMount: "/var/lib/mysql",
        socketMount: "/run/mysqld",
        socket: "mysqld.sock",
        superuser: "root",
        env: (store) => ({ MARIADB_ROOT_PASSWORD_FILE: `${passwordDirectory(store)}/root` }),
        args: (site) => [
            "--port=3306",
            "--bind-address=127.0.0.1",
            "--socket=/run/mysqld/mysqld.sock",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            // Whatever row fits into a table can be dumped, loaded and replicated; memory is taken when it is needed.
            "--max-allowed-packet=1073741824",
            "--slave-max-allowed-packet=1073741824",
            // Starts read-only, every time; the guard opens it.
            "--read-only=1",
            `--server-id=${serverId(site)}`,
            "--log-bin=binlog",
            "--relay-log=relay",
            "--binlog-format=ROW",
            "--gtid-strict-mode=1",
            "--log-slave-updates=1",
            "--sync-binlog=1",
            "--innodb-flush-log-at-trx-commit=1",
            "--max-binlog-size=104857600",
            "--expire-logs-days=7",
            // A dead primary's silent connection is given up after this many seconds.
            "--slave-net-timeout=5",
        ],
        initScripts: (store, database) => ({ "10-lifeboat.sh": mariadbInit(store, database) }),
    },
    postgres: {
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
    },
};

/** Command of the server container's probes: whether its port is open. The kubelet itself cannot ask, because that is on loopback. */
export const serverProbe = (kind: StoreKind): string[] => ["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${servers[kind].port}`];

/** Arguments of a store's server container. @example serverArgs("mariadb", "standby") */
export const serverArgs = (kind: StoreKind, site: SiteName): string[] => servers[kind].args(site);
