import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type mysql from "mysql2/promise";

/** Name of the file with the statements that a scratch server starts with. */
export const initial = "initial.sql";
/** All rights that there are, as a new server's `mysql.global_priv` has them for root. */
const all = "18446744073709551615";

/**
 * Lets root@localhost in by a password that the server holds in memory alone: the account's row, or its absence, is on disk as it was in the copy. Nobody needs the store's own passwords, and
 * nothing of it is left in a server that is made of this one. As root@localhost, because what is replayed leaves a role to whoever makes it.
 * Not `--skip-grant-tables`: without accounts the server refuses to replay CREATE USER, GRANT and CREATE EVENT.
 */
function statements(password: string): string[] {
    const root = "User = 'root' AND Host = 'localhost'";
    return [
        "SET SESSION sql_log_bin = 0",
        `CREATE TEMPORARY TABLE mysql.lifeboat_kept AS SELECT * FROM mysql.global_priv WHERE ${root}`,
        `REPLACE INTO mysql.global_priv VALUES ('localhost', 'root', JSON_OBJECT('access', ${all}, 'plugin', 'mysql_native_password', 'authentication_string', PASSWORD('${password}')))`,
        "FLUSH PRIVILEGES",
        `DELETE FROM mysql.global_priv WHERE ${root}`,
        "INSERT INTO mysql.global_priv SELECT * FROM mysql.lifeboat_kept",
        "DROP TEMPORARY TABLE mysql.lifeboat_kept",
    ];
}

export class Superuser {
    readonly password = randomBytes(16).toString("hex");

    /** Writes the statements for the server's start. */
    write(home: string): void {
        const text = statements(this.password).map((statement) => `${statement};\n`);
        writeFileSync(join(home, initial), text.join(""), { mode: 0o600 });
    }

    /** Does it again: what was replayed may have made the server read its accounts anew. */
    async renew(connection: mysql.Connection): Promise<void> {
        for (const statement of statements(this.password)) await connection.query(statement);
        await connection.query("SET SESSION sql_log_bin = 1");
    }
}
