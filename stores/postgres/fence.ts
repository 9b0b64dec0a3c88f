import type pg from "pg";

/** The guard, its archive and a person at the console are `postgres`; `backup` reads. The physical protocol runs no SQL. Every other session may write. */
const strangers = `pid <> pg_backend_pid() AND NOT (
    CASE backend_type
        WHEN 'client backend' THEN usename = 'postgres' AND (client_addr IS NULL OR client_addr = '127.0.0.1') OR usename = ANY($1)
        WHEN 'walsender' THEN datname IS NULL AND usename IN ('postgres', 'replication')
        ELSE backend_type IN ('autovacuum launcher', 'autovacuum worker', 'background writer', 'checkpointer', 'startup', 'walreceiver', 'walwriter', 'archiver',
                              'logical replication launcher', 'parallel worker', 'walsummarizer', 'slotsync worker', 'io worker')
    END)`;

/** Who has a session on a closed server and might write: "app", or what a background worker is called. */
export async function strangersOn(client: pg.Client, readers: readonly string[]): Promise<string[]> {
    const { rows } = await client.query<{ who: string }>(
        `SELECT DISTINCT coalesce(usename, backend_type) AS who FROM pg_stat_activity WHERE ${strangers}`,
        [readers],
    );
    return rows.map(({ who }) => who);
}

export const endStrangers = async (client: pg.Client, readers: readonly string[]): Promise<void> =>
    void (await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${strangers}`, [readers]));

/** Databases that somebody can connect to. */
export const databasesOn = async (client: pg.Client): Promise<string[]> =>
    (await client.query<{ datname: string }>("SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1")).rows.map(
        ({ datname }) => datname,
    );

/** Rights of `backup`, its own or everybody's, by which it could change something: in one database, with what takes them away. */
const rights = `
    WITH reader AS (SELECT oid FROM pg_roles WHERE rolname = 'backup'),
         own AS (SELECT n.oid, n.nspname FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
    SELECT 'is a superuser' AS what FROM pg_roles WHERE rolname = 'backup' AND (rolsuper OR rolcreaterole OR rolcreatedb)
    UNION ALL
    SELECT 'is a member of ' || r.rolname FROM pg_roles r, reader WHERE pg_has_role(reader.oid, r.oid, 'MEMBER') AND r.oid <> reader.oid
        AND r.rolname NOT IN ('pg_read_all_data', 'pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables')
        AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = 'backup')
    UNION ALL
    SELECT 'may write ' || own.nspname || '.' || c.relname FROM pg_class c JOIN own ON own.oid = c.relnamespace, reader
        WHERE c.relkind IN ('r', 'p', 'v', 'f') AND (has_table_privilege(reader.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
            OR has_any_column_privilege(reader.oid, c.oid, 'INSERT, UPDATE'))
    UNION ALL
    SELECT 'may move the sequence ' || own.nspname || '.' || c.relname FROM pg_class c JOIN own ON own.oid = c.relnamespace, reader
        WHERE c.relkind = 'S' AND has_sequence_privilege(reader.oid, c.oid, 'USAGE, UPDATE')
    UNION ALL
    SELECT 'may call ' || own.nspname || '.' || p.proname || ', which runs with the rights of ' || pg_get_userbyid(p.proowner)
        FROM pg_proc p JOIN own ON own.oid = p.pronamespace, reader WHERE p.prosecdef AND has_function_privilege(reader.oid, p.oid, 'EXECUTE')
    UNION ALL
    SELECT 'may create in the schema ' || own.nspname FROM own, reader WHERE has_schema_privilege(reader.oid, own.oid, 'CREATE')
    UNION ALL
    SELECT 'may create in the database' FROM reader WHERE has_database_privilege(reader.oid, current_database(), 'CREATE')
    UNION ALL
    SELECT 'may write the large object ' || l.oid FROM pg_largeobject_metadata l, aclexplode(l.lomacl) a, reader
        WHERE a.grantee IN (0, reader.oid) AND a.privilege_type = 'UPDATE'
    LIMIT 4`;

/** What `backup` could change on this server, in words; empty where it can only read, as the estate made it. */
export async function writesOfBackup(
    within: <Result>(work: (client: pg.Client) => Promise<Result>, database?: string) => Promise<Result>,
): Promise<string[]> {
    const found: string[] = [];
    for (const database of await within(databasesOn))
        for (const { what } of (await within((client) => client.query<{ what: string }>(rights), database)).rows)
            found.push(`${what} (database ${database})`);
    return found;
}
