import { connectMariadb, rowsOf } from "./client.ts";
import type { ServerAddress } from "../adapter.ts";

/** As many as a person reads. */
const most = 40;

/**
 * All that is in a database, whatever it is: a restore that looked at tables alone has destroyed views, routines and events that were nowhere else.
 * What belongs to a table (triggers, indexes) comes and goes with it.
 */
export async function inhabitants(server: ServerAddress): Promise<string[]> {
    const connection = await connectMariadb(server, null);
    try {
        const found = await rowsOf<{ what: string; name: string }>(
            connection,
            `SELECT lower(table_type) AS what, table_name AS name FROM information_schema.tables WHERE table_schema = ?
             UNION ALL SELECT lower(routine_type), routine_name FROM information_schema.routines WHERE routine_schema = ?
             UNION ALL SELECT 'event', event_name FROM information_schema.events WHERE event_schema = ?
             ORDER BY 1, 2 LIMIT ${most}`,
            [server.database, server.database, server.database],
        );
        return found.map(
            ({ what, name }) => `${what === "base table" ? "table" : what === "system versioned" ? "versioned table" : what} ${name}`,
        );
    } finally {
        connection.destroy();
    }
}
