import type pg from "pg";
import type { Unprotected } from "../physical.ts";

/** Of one database. What is logged is on the replica and in every recovery point; this is not. https://www.postgresql.org/docs/15/sql-createtable.html (UNLOGGED) */
const inDatabase = `
    SELECT current_database() || '.' || n.nspname || '.' || c.relname AS name,
           CASE WHEN c.relkind = 'S' THEN 'is an unlogged sequence: it begins anew after a promotion and in every recovery point'
                ELSE 'is an unlogged table: it is empty after a promotion and in every recovery point' END AS why
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'm', 'S')
      AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
    ORDER BY 1`;
const onServer = `
    SELECT 'the subscription ' || subname AS name, 'is not applied: nothing but the replica''s promotion and its applications write into a store''s server' AS why FROM pg_subscription
    UNION ALL
    SELECT 'the logical slot ' || slot_name, 'is not on the replica: who reads from it begins anew after a promotion' FROM pg_replication_slots WHERE slot_type = 'logical'
    ORDER BY 1`;

/** What a server holds that its replica and its recovery points do not. */
export async function unprotectedOn(
    within: <Result>(work: (client: pg.Client) => Promise<Result>, database?: string) => Promise<Result>,
    databases: readonly string[],
): Promise<Unprotected[]> {
    const ask = async (sql: string, database?: string) => (await within((client) => client.query<Unprotected>(sql), database)).rows;
    const found: Unprotected[] = [];
    for (const database of databases) found.push(...(await ask(inDatabase, database)));
    return [...found, ...(await ask(onServer))];
}
