import type { ServerAddress } from "../adapter.ts";
import { connectPostgres } from "./client.ts";

/** A dump reads as its user: what that may not read ends it, and a row that row security hides would be missing without a word. https://www.postgresql.org/docs/15/app-pgdump.html */
const lacks = `
    WITH me AS (SELECT oid, rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user),
         own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
         unread AS (SELECT own.nspname || '.' || c.relname AS name FROM pg_class c JOIN own ON own.oid = c.relnamespace
                    WHERE c.relkind IN ('r', 'p', 'm', 'S', 'v', 'f') AND NOT (has_schema_privilege(own.oid, 'USAGE')
                        AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT') ELSE has_table_privilege(c.oid, 'SELECT') END)),
         secured AS (SELECT own.nspname || '.' || c.relname AS name FROM pg_class c JOIN own ON own.oid = c.relnamespace WHERE row_security_active(c.oid)),
         objects AS (SELECT l.oid FROM pg_largeobject_metadata l, me WHERE NOT me.rolsuper AND NOT pg_has_role(l.lomowner, 'USAGE')
                     AND NOT EXISTS (SELECT FROM aclexplode(l.lomacl) a WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))
                     AND current_setting('lo_compat_privileges') <> 'on')
    SELECT format('%I may not read %s%s (GRANT pg_read_all_data TO %1$I)', me.rolname, (SELECT min(name) FROM unread),
                  CASE WHEN (SELECT count(*) FROM unread) > 1 THEN format(' and %s more', (SELECT count(*) - 1 FROM unread)) ELSE '' END) AS told
        FROM me WHERE EXISTS (SELECT FROM unread)
    UNION ALL
    SELECT format('%I lacks BYPASSRLS: row security hides rows of %s from it (ALTER ROLE %1$I BYPASSRLS)', me.rolname, (SELECT string_agg(name, ', ') FROM secured))
        FROM me WHERE EXISTS (SELECT FROM secured)
    UNION ALL
    SELECT format('%I may not read %s of the large objects, the first of which is %s (GRANT SELECT ON LARGE OBJECT %3$s TO %1$I, for each of them)', me.rolname,
                  (SELECT count(*) FROM objects), (SELECT min(oid::bigint) FROM objects))
        FROM me WHERE EXISTS (SELECT FROM objects)`;

/**
 * Rights that the server's user lacks to read its whole database as text, a sentence each, with what gives it. Empty: none.
 * @throws Failure("unavailable") where it does not let the user in
 */
export async function lacking(server: ServerAddress): Promise<string[]> {
    const client = await connectPostgres(server);
    try {
        return (await client.query<{ told: string }>(lacks)).rows.map(({ told }) => told);
    } finally {
        await client.end();
    }
}
