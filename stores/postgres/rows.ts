import pg from "pg";
import type { ServerAddress } from "../adapter.ts";
import { connectPostgres, readExactly } from "./client.ts";
import type { ContentRow, Rows } from "../rows.ts";

const rowsAtOnce = 1_000;

/** Every table that an application made, as `name` or `schema.name`. */
export async function openPostgresRows(server: ServerAddress): Promise<Rows> {
    const client = await connectPostgres(server);
    const tables = new Map<string, string>();
    await readExactly(client);
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const { rows } = await client.query<{ schema: string; name: string }>(
        `SELECT schemaname AS schema, tablename AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`,
    );
    for (const { schema, name } of rows)
        tables.set(schema === "public" ? name : `${schema}.${name}`, `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`);

    /** Columns of the primary key, in its order. */
    const keyOf = async (table: string): Promise<string[]> => {
        const found = await client.query<{ column: string }>(
            `SELECT attname AS column FROM pg_index, unnest(indkey) WITH ORDINALITY AS keys (number, place), pg_attribute
             WHERE indrelid = $1::regclass AND indisprimary AND attrelid = indrelid AND attnum = keys.number ORDER BY place`,
            [table],
        );
        return found.rows.map(({ column }) => column);
    };
    return {
        tables: () => Promise.resolve([...tables.keys()]),
        async *read(name): AsyncGenerator<ContentRow> {
            const table = tables.get(name);
            if (table === undefined) return;
            const key = (await keyOf(table)).map((column) => `held.${pg.escapeIdentifier(column)}`);
            const hashed = key.length > 0 ? `md5(ROW(${key.join(", ")})::text)` : "md5((held.*)::text)";
            // Hexadecimal digits sort alike in every collation; "C" is only faster.
            await client.query(
                `DECLARE lifeboat NO SCROLL CURSOR FOR
                 SELECT ${hashed} COLLATE "C" AS key, md5((held.*)::text) COLLATE "C" AS digest, row_to_json(held.*)::text AS content
                 FROM ${table} AS held ORDER BY 1, 2`,
            );
            for (;;) {
                const batch = await client.query<ContentRow>(`FETCH ${rowsAtOnce} FROM lifeboat`);
                if (batch.rows.length === 0) break;
                yield* batch.rows;
            }
            await client.query("CLOSE lifeboat");
        },
        [Symbol.asyncDispose]: () => client.end(),
    };
}
