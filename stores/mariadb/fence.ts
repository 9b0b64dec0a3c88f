import type mysql from "mysql2/promise";
import { rowsOf } from "./client.ts";

/**
 * What keeps a server closed that is not the writer: nobody but `root` of the pod itself, `backup` and `replication` is let in, whatever was granted to whom.
 * - `read_only` alone is no fence: an account with SUPER or READ ONLY ADMIN writes through it, and a procedure whose definer has one does so for whoever may call it;
 * - FLUSH TABLES WITH READ LOCK would hold too, but only while the connection of whoever took it lives, and no copy can be taken meanwhile;
 * - taking rights away account by account changes what the application's people granted, and has to be undone exactly.
 * So every other account is locked, and `backup` and `replication` keep the rights by which they read. That is written beside the rights themselves
 * (mysql.global_priv, a JSON document an account), outside the binary log, with a mark of what it was: it is undone in one statement, an account that somebody locked himself
 * stays locked, and it outlives a guard, a crash and a copy of the data. The server does it itself at every start (`--init-file`), before it takes a connection.
 * https://mariadb.com/kb/en/mysqlglobal_priv-table/
 */
const isRole = "COALESCE(JSON_VALUE(Priv, '$.is_role'), '0') IN ('1', 'true')";
const isLocked = "COALESCE(JSON_VALUE(Priv, '$.account_locked'), '0') IN ('1', 'true')";
const isOurs =
    "(User = 'root' AND Host IN ('localhost', '127.0.0.1') OR User = 'mariadb.sys' OR User IN ('backup', 'replication') AND Host = '%')";
const access = "CAST(COALESCE(JSON_VALUE(Priv, '$.access'), '0') AS UNSIGNED)";

/** Bits of global rights. https://github.com/MariaDB/server/blob/10.11/sql/privilege.h */
const bits = (...numbers: number[]): bigint => numbers.reduce((all, bit) => all | (1n << BigInt(bit)), 0n);
/** SELECT, RELOAD, PROCESS, SHOW DATABASES, LOCK TABLES, REPLICATION SLAVE, BINLOG MONITOR, SHOW VIEW, EVENT, TRIGGER, REPLICA MONITOR: all but what could write, or call what writes. */
const reading = bits(0, 6, 8, 14, 17, 19, 20, 22, 26, 27, 38);
/** EXECUTE, SUPER, READ ONLY ADMIN: what a role of everybody would give to `backup`. */
const passing = bits(15, 18, 33);

const lock = `UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.account_locked', TRUE, '$.lifeboat', 'locked') WHERE NOT ${isRole} AND NOT ${isLocked} AND NOT ${isOurs}`;
const narrow = `UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.lifeboat_access', ${access} | CAST(COALESCE(JSON_VALUE(Priv, '$.lifeboat_access'), '0') AS UNSIGNED), '$.access', ${access} & ${reading}) WHERE User IN ('backup', 'replication') AND Host = '%' AND ${access} & ~${reading} <> 0`;
const lockReaders = `UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.account_locked', TRUE, '$.lifeboat', 'sealed') WHERE User = 'backup' AND Host = '%' AND NOT ${isLocked}`;
const unlockReaders = `UPDATE mysql.global_priv SET Priv = JSON_REMOVE(Priv, '$.account_locked', '$.lifeboat') WHERE JSON_VALUE(Priv, '$.lifeboat') = 'sealed'`;
const unlock = `UPDATE mysql.global_priv SET Priv = JSON_REMOVE(Priv, '$.account_locked', '$.lifeboat') WHERE JSON_VALUE(Priv, '$.lifeboat') IS NOT NULL`;
const widen = `UPDATE mysql.global_priv SET Priv = JSON_REMOVE(JSON_SET(Priv, '$.access', ${access} | CAST(JSON_VALUE(Priv, '$.lifeboat_access') AS UNSIGNED)), '$.lifeboat_access') WHERE JSON_VALUE(Priv, '$.lifeboat_access') IS NOT NULL`;
const takeEffect = "FLUSH LOCAL PRIVILEGES";
const unlogged = "SET SESSION sql_log_bin = 0";

/** For `--init-file`: a statement a line. */
export const closedAtStart = `${[unlogged, lock, narrow, takeEffect].join(";\n")};\n`;

/** Rights of `backup` that its global ones do not show, by which it could call a procedure that writes through read_only. */
const otherRights = `
    SELECT CONCAT('it has the role ', Role) AS what FROM mysql.roles_mapping WHERE User IN ('backup', 'PUBLIC')
    UNION ALL SELECT CONCAT(IF(User = 'backup', 'it', 'everybody'), ' may call what is in ', Db) FROM mysql.db WHERE User IN ('backup', 'PUBLIC') AND Execute_priv = 'Y'
    UNION ALL SELECT CONCAT(IF(User = 'backup', 'it', 'everybody'), ' may call ', Db, '.', Routine_name) FROM mysql.procs_priv
        WHERE User IN ('backup', 'PUBLIC') AND FIND_IN_SET('Execute', Proc_priv)
    UNION ALL SELECT 'everybody may call or write' FROM mysql.global_priv WHERE User = 'PUBLIC' AND ${access} & ${passing} <> 0
    LIMIT 4`;

const whats = async (connection: mysql.Connection, sql: string): Promise<string[]> =>
    (await rowsOf<{ what: string }>(connection, sql)).map(({ what }) => what);

/** The superuser of the pod itself, and the server. */
const isInside =
    "user IN ('system user', 'event_scheduler', 'unauthenticated user') OR user = 'root' AND (host = 'localhost' OR host LIKE '127.0.0.1:%')";

/** What of the fence is not there, in words: empty for one that is whole. */
export const holes = (connection: mysql.Connection): Promise<string[]> =>
    whats(
        connection,
        `SELECT CONCAT('the account ', User, '@', Host, ' is not locked') AS what FROM mysql.global_priv WHERE NOT ${isRole} AND NOT ${isLocked} AND NOT ${isOurs}
         UNION ALL SELECT CONCAT(User, ' may do more than read') FROM mysql.global_priv WHERE User IN ('backup', 'replication') AND Host = '%' AND ${access} & ~${reading} <> 0
         UNION ALL SELECT 'the event scheduler is on' FROM DUAL WHERE @@event_scheduler <> 'OFF' AND @@event_scheduler <> 'DISABLED'
         UNION ALL SELECT DISTINCT CONCAT('a session of ', user) FROM information_schema.processlist
             WHERE id <> connection_id() AND NOT (${isInside}) AND user NOT IN ('backup', 'replication')
         LIMIT 4`,
    );

/** Whether something of the fence is left on a server that is to be open. */
export const isMarked = async (connection: mysql.Connection): Promise<boolean> =>
    (
        await rowsOf(
            connection,
            "SELECT 1 FROM mysql.global_priv WHERE JSON_EXISTS(Priv, '$.lifeboat') OR JSON_EXISTS(Priv, '$.lifeboat_access') LIMIT 1",
        )
    ).length > 0;

/** Why `backup` may not be let in while the server is closed, and whether it is kept out now. */
export async function readersOf(connection: mysql.Connection): Promise<{ why: string[]; sealed: boolean }> {
    const sealed = await rowsOf(connection, "SELECT 1 FROM mysql.global_priv WHERE JSON_VALUE(Priv, '$.lifeboat') = 'sealed'");
    return { why: await whats(connection, otherRights), sealed: sealed.length > 0 };
}

const runUnlogged = async (connection: mysql.Connection, statements: readonly string[]): Promise<void> => {
    await connection.query(unlogged);
    try {
        for (const statement of statements) await connection.query(statement);
    } finally {
        await connection.query("SET SESSION sql_log_bin = 1");
    }
};

export async function shut(connection: mysql.Connection): Promise<void> {
    await connection.query("SET GLOBAL event_scheduler = OFF");
    const { why } = await readersOf(connection);
    await runUnlogged(connection, [lock, narrow, why.length > 0 ? lockReaders : unlockReaders, takeEffect]);
    await dropSessions(connection);
}

export async function unshut(connection: mysql.Connection): Promise<void> {
    await runUnlogged(connection, [unlock, widen, takeEffect]);
    // Of the application's events, those that are enabled run where it writes, and nowhere else.
    await connection.query("SET GLOBAL event_scheduler = ON");
}

/** Rights are looked up when a session begins, and transactions may have begun: every session ends but the server's own, the pod's superuser's and the replica's. */
export async function dropSessions(connection: mysql.Connection): Promise<void> {
    const sessions = await rowsOf<{ id: string }>(
        connection,
        `SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND NOT (${isInside}) AND command <> 'Binlog Dump'`,
    );
    // One may have ended by itself.
    for (const { id } of sessions) await connection.query(`KILL CONNECTION ${Number(id)}`).catch(() => {});
}
