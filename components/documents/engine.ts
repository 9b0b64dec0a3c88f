import type { SiteName, StoreKind } from "../../model/estate.ts";
import { passwordFolder } from "./passwords.ts";

/** What differs between the servers of two kinds, as their official images take it. */
export interface Engine {
    readonly port: number;
    /** uid and gid of the server in its image; the data belongs to it, so whoever touches the data runs as it. */
    readonly user: number;
    /** Where the image keeps its data. */
    readonly dataPath: string;
    /** Prefix of the environment variables that tell a service where the store is. */
    readonly prefix: string;
    /** Arguments of the server in a site. Nothing about its state: promotion restarts nothing. */
    arguments(site: SiteName): string[];
    environment(store: string, database: string): { name: string; value: string }[];
    /** Folders beside the data that the image writes to. */
    readonly writable: readonly string[];
    /** Name and text of what runs once, on an empty volume. */
    initScript(store: string, database: string): { name: string; text: string };
    /** A URL of a server beside the caller, for `--to`. */
    url(database: string): string;
}

/** Folder of the server's unix socket, shared by the containers of its pod. */
export const socketFolder = "/run/lifeboat";

const siteNumber: Readonly<Record<SiteName, number>> = { primary: 1, standby: 2 };

const mariadb: Engine = {
    port: 3306,
    user: 999,
    dataPath: "/var/lib/mysql",
    prefix: "MYSQL",
    arguments: (site) => [
        "--read-only=1",
        `--server-id=${siteNumber[site]}`,
        "--log-bin=binlog",
        "--log-slave-updates=1",
        "--binlog-format=ROW",
        "--sync-binlog=1",
        "--innodb-flush-log-at-trx-commit=1",
        "--gtid-strict-mode=1",
        "--max-binlog-size=104857600",
        "--binlog-expire-logs-seconds=604800",
        "--slave-net-timeout=10",
        "--skip-name-resolve",
        "--skip-slave-start",
        `--socket=${socketFolder}/mysqld.sock`,
    ],
    environment: (store) => [{ name: "MARIADB_ROOT_PASSWORD_FILE", value: `${passwordFolder(store)}/root` }],
    writable: ["/run/mysqld"],
    initScript: (store, database) => ({
        name: "users.sh",
        // Both sites make the same users for themselves: none of it goes to the binary log, where the other site's own would collide with it.
        text: `#!/bin/sh
set -eu
password() { cat "${passwordFolder(store)}/$1"; }
MYSQL_PWD="$(password root)" mariadb --no-defaults --protocol=socket --socket=${socketFolder}/mysqld.sock --user=root <<SQL
SET SESSION sql_log_bin = 0;
CREATE DATABASE IF NOT EXISTS \\\`${database}\\\`;
CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY '$(password app)';
GRANT ALL ON \\\`${database}\\\`.* TO 'app'@'%';
CREATE USER IF NOT EXISTS 'backup'@'%' IDENTIFIED BY '$(password backup)';
GRANT SELECT, LOCK TABLES, RELOAD, PROCESS, SHOW VIEW, TRIGGER, EVENT, REPLICATION CLIENT, BINLOG MONITOR ON *.* TO 'backup'@'%';
CREATE USER IF NOT EXISTS 'replication'@'%' IDENTIFIED BY '$(password replication)';
GRANT SELECT, LOCK TABLES, RELOAD, PROCESS, SHOW VIEW, TRIGGER, EVENT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'replication'@'%';
SQL
`,
    }),
    url: (database) => `mariadb://root@127.0.0.1:3306/${database}`,
};

const postgres: Engine = {
    port: 5432,
    user: 999,
    dataPath: "/var/lib/postgresql/data",
    prefix: "POSTGRES",
    // default_transaction_read_only is not here: the command line would beat the ALTER SYSTEM by which the guard opens the server.
    arguments: () =>
        [
            "wal_level=replica",
            "max_wal_senders=10",
            "max_replication_slots=10",
            "max_slot_wal_keep_size=4GB",
            "wal_sender_timeout=15s",
            "wal_receiver_timeout=15s",
            "hot_standby=on",
            `unix_socket_directories=${socketFolder},/var/run/postgresql`,
        ].flatMap((setting) => ["-c", setting]),
    environment: (store, database) => [
        { name: "POSTGRES_PASSWORD_FILE", value: `${passwordFolder(store)}/root` },
        { name: "POSTGRES_USER", value: "postgres" },
        { name: "POSTGRES_DB", value: database },
        { name: "PGDATA", value: "/var/lib/postgresql/data/pgdata" },
    ],
    writable: ["/run/postgresql"],
    initScript: (store, database) => ({
        name: "users.sh",
        text: `#!/bin/sh
set -eu
password() { cat "${passwordFolder(store)}/$1"; }
psql --no-psqlrc --set=ON_ERROR_STOP=1 --host=${socketFolder} --username=postgres --dbname="${database}" <<SQL
CREATE ROLE app LOGIN PASSWORD '$(password app)';
GRANT ALL ON DATABASE "${database}" TO app;
GRANT ALL ON SCHEMA public TO app;
CREATE ROLE backup LOGIN PASSWORD '$(password backup)' IN ROLE pg_read_all_data;
CREATE ROLE replication LOGIN REPLICATION PASSWORD '$(password replication)';
ALTER SYSTEM SET default_transaction_read_only = on;
SQL
echo "host replication replication all scram-sha-256" >> "$PGDATA/pg_hba.conf"
`,
    }),
    url: (database) => `postgres://root@127.0.0.1:5432/${database}`,
};

export const engines: Readonly<Record<StoreKind, Engine>> = { mariadb, postgres };
