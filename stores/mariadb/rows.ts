import type { Connection } from "mysql2";
import mysql from "mysql2/promise";
import type { ServerAddress } from "../adapter.ts";
import { connectMariadb, rowsOf } from "./client.ts";
import type { ContentRow, Rows } from "../rows.ts";

/** Types whose bytes are no text. */
const binary = new Set([
    "binary",
    "varbinary",
    "tinyblob",
    "blob",
    "mediumblob",
    "longblob",
    "bit",
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
]);

/** Their text is rounded (to six digits, or to what the column declares); that of a double of no declared size is exact. */
const rounded = new Set(["float", "double"]);

/** What stands for a column's value, to the last bit. */
function valueOf(column: string, type: string): string {
    if (binary.has(type)) return `HEX(${column})`;
    return rounded.has(type) ? `CAST(${column} AS DOUBLE)` : column;
}

/** The connection below the one with promises, which reads all rows before it gives the first; its types leave it out. */
const streaming = (connection: mysql.Connection): Connection => (connection as unknown as { connection: Connection }).connection;

/** Every table of the database; of versioned ones the rows that are in force. */
export async function openMariadbRows(server: ServerAddress): Promise<Rows> {
    const connection = await connectMariadb(server);
    await connection.query("SET SESSION time_zone = '+00:00'");
    await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    const names = await rowsOf<{ name: string }>(
        connection,
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1",
        [server.database],
    );
    const columnsOf = (table: string) =>
        rowsOf<{ name: string; type: string; place: string | null }>(
            connection,
            `SELECT columns.column_name AS name, data_type AS type, seq_in_index AS place
             FROM information_schema.columns LEFT JOIN information_schema.statistics
                 ON statistics.table_schema = columns.table_schema AND statistics.table_name = columns.table_name
                     AND statistics.column_name = columns.column_name AND index_name = 'PRIMARY'
             WHERE columns.table_schema = ? AND columns.table_name = ? ORDER BY ordinal_position`,
            [server.database, table],
        );
    return {
        tables: () => Promise.resolve(names.map(({ name }) => name)),
        async *read(table): AsyncGenerator<ContentRow> {
            const columns = (await columnsOf(table)).map(({ name, type, place }) => {
                const quoted = mysql.escapeId(name, true);
                return { name, place: place === null ? undefined : Number(place), value: valueOf(quoted, type) };
            });
            if (columns.length === 0) return;
            const key = columns.filter(({ place }) => place !== undefined).toSorted((a, b) => a.place! - b.place!);
            // QUOTE tells a value from NULL and from its neighbour.
            const hashed = (of: typeof columns) =>
                `MD5(CONCAT_WS(',', ${of.map(({ value }) => `QUOTE(CONVERT(${value} USING utf8mb4))`).join(", ")}))`;
            const digest = hashed(columns);
            // As text: the client would read JSON itself, and lose what a number of JavaScript cannot hold.
            const content = `CAST(JSON_OBJECT(${columns.flatMap(({ name, value }) => [mysql.escape(name), value]).join(", ")}) AS CHAR)`;
            const from = `${mysql.escapeId(server.database)}.${mysql.escapeId(table, true)}`;
            const query = `SELECT ${key.length > 0 ? hashed(key) : digest} AS \`key\`, ${digest} AS digest, ${content} AS content FROM ${from} ORDER BY 1, 2`;
            yield* streaming(connection).query(query).stream() as AsyncIterable<ContentRow>;
        },
        [Symbol.asyncDispose]: () => Promise.resolve(connection.destroy()),
    };
}
