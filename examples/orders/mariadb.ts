import mysql, { type ResultSetHeader, type RowDataPacket } from "mysql2/promise";
import { connections, limit, longestCustomer, type Connection, type Store } from "./store.ts";

const table = `CREATE TABLE IF NOT EXISTS orders (
    number BIGINT NOT NULL PRIMARY KEY,
    customer VARCHAR(${longestCustomer}) NOT NULL,
    placed_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
)`;

/** Orders in MariaDB or MySQL. Connects when it is first asked, and again after a connection broke. */
export function openMariadb(connection: Connection): Store {
    const pool = mysql.createPool({
        ...connection,
        connectTimeout: limit,
        connectionLimit: connections,
        // More would only wait longer than a customer does.
        queueLimit: 50,
        timezone: "Z",
        charset: "utf8mb4_bin",
    });
    const query = async <Row extends RowDataPacket[] | ResultSetHeader>(sql: string, values: (string | number)[] = []) =>
        (await pool.query<Row>({ sql, values, timeout: limit }))[0];
    let made = false;
    const makeTable = async () => {
        if (!made) await query(table);
        made = true;
    };
    return {
        name: "mariadb",
        put: async (number, customer) => {
            await makeTable();
            // A single statement commits by itself; the update that changes nothing keeps a repeat from failing.
            await query("INSERT INTO orders (number, customer) VALUES (?, ?) ON DUPLICATE KEY UPDATE number = VALUES(number)", [
                number,
                customer,
            ]);
            const [kept] = await query<RowDataPacket[]>("SELECT customer FROM orders WHERE number = ?", [number]);
            return String(kept?.["customer"]);
        },
        get: async (number) => {
            const [row] = await query<RowDataPacket[]>("SELECT customer, placed_at FROM orders WHERE number = ?", [number]);
            return row && { customer: String(row["customer"]), placedAt: row["placed_at"] as Date };
        },
        writable: async () => {
            const [row] = await query<RowDataPacket[]>("SELECT @@global.read_only AS readOnly");
            if (row?.["readOnly"] !== 0) return false;
            await makeTable();
            return true;
        },
        close: () => pool.end(),
    };
}
