import type mysql from "mysql2/promise";
import type { ServerAddress } from "../adapter.ts";
import { connectMariadb, rowsOf } from "./client.ts";

/** What a dump leaves out, or why there is none, without a right on the database, or on all of them. https://mariadb.com/kb/en/mariadb-dump/ */
const ofDatabase: Readonly<Record<string, string>> = {
    SELECT: "its tables cannot be read",
    "SHOW VIEW": "its views cannot be read",
    TRIGGER: "its triggers would be missing",
    EVENT: "its events would be missing",
    "LOCK TABLES": "its tables cannot be held still",
    EXECUTE: "views that call a function cannot be read",
};
/** Rights that are given on *.* alone. */
const ofServer: Readonly<Record<string, string>> = {
    RELOAD: "no moment can be named that the dump shows",
    PROCESS: "tablespaces cannot be read",
    "BINLOG MONITOR": "the log's position cannot be read",
};

/** What the server's user has: rights on everything, on the database, and on mysql.proc. Roles that the session has count. */
async function rightsOf(connection: mysql.Connection, database: string) {
    const [who] = await rowsOf<{ me: string; role: string | null }>(connection, "SELECT CURRENT_USER() AS me, CURRENT_ROLE() AS role");
    const me = who?.me ?? "";
    const at = me.lastIndexOf("@");
    const grantees = [`'${me.slice(0, at)}'@'${me.slice(at + 1)}'`, ...(who?.role ? [`'${who.role}'@''`, who.role] : [])];
    const list = async (sql: string, ...values: unknown[]) =>
        new Set((await rowsOf<{ name: string }>(connection, sql, [grantees, ...values])).map(({ name }) => name));
    return {
        /** The server asks nobody (`--skip-grant-tables`). */
        all: at <= 0,
        account: grantees[0]!,
        server: await list("SELECT privilege_type AS name FROM information_schema.user_privileges WHERE grantee IN (?)"),
        database: await list(
            "SELECT privilege_type AS name FROM information_schema.schema_privileges WHERE grantee IN (?) AND ? LIKE table_schema",
            database,
        ),
        routines: await list(
            "SELECT privilege_type AS name FROM information_schema.table_privileges WHERE grantee IN (?) AND table_schema = 'mysql' AND table_name = 'proc'",
        ),
    };
}

/**
 * Rights that the server's user lacks to read its whole database as text, a sentence each, with what gives it. Empty: none.
 * @throws Failure("unavailable") where it does not let the user in
 */
export async function lacking(server: ServerAddress): Promise<string[]> {
    const connection = await connectMariadb(server);
    try {
        const has = await rightsOf(connection, server.database);
        if (has.all) return [];
        const any = (name: string) => has.server.has(name) || (name === "BINLOG MONITOR" && has.server.has("REPLICATION CLIENT"));
        const tell = (name: string, why: string, on = "*.*") =>
            `${has.account} lacks ${name}: ${why} (GRANT ${name} ON ${on} TO ${has.account})`;
        const programs = any("SELECT") || has.routines.has("SELECT");
        return [
            ...Object.entries(ofDatabase).flatMap(([name, why]) => (any(name) || has.database.has(name) ? [] : [tell(name, why)])),
            ...Object.entries(ofServer).flatMap(([name, why]) => (any(name) ? [] : [tell(name, why)])),
            ...(programs ? [] : [tell("SELECT", "its functions and procedures would be missing", "mysql.proc")]),
        ];
    } finally {
        connection.destroy();
    }
}
