import type { ServerAddress } from "../../adapter.ts";
import { connectMariadb, rowsOf } from "../client.ts";

/** What cannot be had of the whole server without a right on all of it. https://mariadb.com/kb/en/mariadb-backup-overview/#authentication-and-privileges */
const needed: Readonly<Record<string, string>> = {
    RELOAD: "no moment can be named that the copy shows",
    PROCESS: "the state of InnoDB cannot be read",
    "LOCK TABLES": "tables cannot be held still",
    "BINLOG MONITOR": "the log's position cannot be read",
    SELECT: "rows cannot be counted",
    "SHOW VIEW": "views would be missing in what is compared",
    TRIGGER: "triggers would be missing in what is compared",
    EVENT: "events would be missing in what is compared",
    EXECUTE: "views that call a function cannot be read",
};

/**
 * Rights that the server's user lacks to copy the whole server and to count what it holds, a sentence each, with what gives it. Empty: none.
 * @throws Failure("unavailable") where it does not let the user in
 */
export async function lacking(server: ServerAddress): Promise<string[]> {
    const connection = await connectMariadb(server, null);
    try {
        const [who] = await rowsOf<{ me: string; role: string | null }>(connection, "SELECT CURRENT_USER() AS me, CURRENT_ROLE() AS role");
        const me = who?.me ?? "";
        const at = me.lastIndexOf("@");
        // The server asks nobody (--skip-grant-tables).
        if (at <= 0) return [];
        const account = `'${me.slice(0, at)}'@'${me.slice(at + 1)}'`;
        const rows = await rowsOf<{ name: string }>(
            connection,
            "SELECT privilege_type AS name FROM information_schema.user_privileges WHERE grantee IN (?)",
            [[account, ...(who?.role ? [`'${who.role}'@''`, who.role] : [])]],
        );
        const has = new Set(rows.map(({ name }) => name));
        return Object.entries(needed).flatMap(([name, why]) =>
            has.has(name) ? [] : [`${account} lacks ${name}: ${why} (GRANT ${name} ON *.* TO ${account})`],
        );
    } finally {
        connection.destroy();
    }
}
