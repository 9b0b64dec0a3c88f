import pg from "pg";
import { connections, limit, type Connection, type Store } from "./store.ts";

const table = `CREATE TABLE IF NOT EXISTS orders (
    number bigint PRIMARY KEY,
    customer text NOT NULL,
    placed_at timestamp(6) with time zone NOT NULL DEFAULT now()
)`;
/** Two pods that make the table at once: the second one is told so in one of these ways, although it said IF NOT EXISTS. */
const madeByAnother = ["23505", "42P07"];

/** Orders in PostgreSQL. Connects when it is first asked, and again after a connection broke. */
export function openPostgres(connection: Connection): Store {
    const pool = new pg.Pool({
        ...connection,
        max: connections,
        connectionTimeoutMillis: limit,
        query_timeout: limit,
        statement_timeout: limit,
        keepAlive: true,
    });
    // An idle connection that breaks is told here; the pool has dropped it, and the next query opens another.
    pool.on("error", (error) => console.error(`postgres: an idle connection broke: ${error.message}`));
    let made = false;
    const makeTable = async () => {
        if (made) return;
        try {
            await pool.query(table);
        } catch (error) {
            if (!madeByAnother.includes((error as pg.DatabaseError).code ?? "")) throw error;
        }
        made = true;
    };
    return {
        name: "postgres",
        put: async (number, customer) => {
            await makeTable();
            await pool.query("INSERT INTO orders (number, customer) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING", [number, customer]);
            const { rows } = await pool.query<{ customer: string }>("SELECT customer FROM orders WHERE number = $1", [number]);
            return String(rows[0]?.customer);
        },
        get: async (number) => {
            const { rows } = await pool.query<{ customer: string; placed_at: Date }>(
                "SELECT customer, placed_at FROM orders WHERE number = $1",
                [number],
            );
            return rows[0] && { customer: rows[0].customer, placedAt: rows[0].placed_at };
        },
        writable: async () => {
            // "on" in a replica, and where default_transaction_read_only is on.
            const { rows } = await pool.query<{ state: string }>("SELECT current_setting('transaction_read_only') AS state");
            if (rows[0]?.state !== "off") return false;
            await makeTable();
            return true;
        },
        close: () => pool.end(),
    };
}
