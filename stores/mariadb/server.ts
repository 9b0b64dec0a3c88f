import { join } from "node:path";
import { passwordDirectory, serverId, type PasswordName, type ServerShape } from "../../model/servers.ts";

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
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE, LOCK TABLES, RELOAD, PROCESS, BINLOG MONITOR, REPLICA MONITOR ON *.* TO 'backup'@'%';
CREATE USER IF NOT EXISTS 'replication'@'%' IDENTIFIED BY '${password("replication")}';
GRANT REPLICATION SLAVE ON *.* TO 'replication'@'%';
CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '${password("root")}';
GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
DROP USER IF EXISTS 'root'@'%';
LIFEBOAT
`;
}

/** The data directory on its volume, as `--datadir` below has it. */
export const mariadbData = (volume: string): string => join(volume, "data");

/** Where `lifeboat seed` puts what the server does at every start, on its volume. */
export const startFile = "at-start.sql";
const dataMount = "/var/lib/mysql";
const atStart = `${dataMount}/${startFile}`;

/** MariaDB's container. */
export const server: ServerShape = {
    image: "mariadb:10.11",
    port: 3306,
    uid: 999,
    dataMount,
    socketMount: "/run/mysqld",
    socket: "mysqld.sock",
    superuser: "root",
    env: (store) => ({ MARIADB_ROOT_PASSWORD_FILE: `${passwordDirectory(store)}/root` }),
    args: (site) => [
        // Below the volume, so that it can be renamed as a whole.
        `--datadir=${mariadbData(dataMount)}`,
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
        // And closed, before it takes a connection: see fence.ts.
        `--init-file=${atStart}`,
        // A start of replication throws away what was received; the guard has it applied first.
        "--skip-slave-start",
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
};
