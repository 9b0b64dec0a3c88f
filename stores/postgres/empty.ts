import type pg from "pg";
import { connectPostgres } from "./client.ts";
import type { ServerAddress } from "../adapter.ts";

/** As many as a person reads. */
const most = 40;

/** Objects of a catalog have numbers from here on once initdb is done: FirstNormalObjectId of PostgreSQL's access/transam.h. */
const firstOfUsers = 16_384;

/** Catalogs of what a database may hold. What belongs to another object (a table's row type, a view's rule, a column's default) comes and goes with it. */
const catalogs = [
    ...["pg_class", "pg_proc", "pg_type", "pg_namespace", "pg_extension", "pg_event_trigger", "pg_publication", "pg_language"],
    ...["pg_foreign_data_wrapper", "pg_foreign_server", "pg_cast", "pg_operator", "pg_opclass", "pg_opfamily", "pg_am", "pg_collation"],
    ...[
        "pg_conversion",
        "pg_ts_config",
        "pg_ts_dict",
        "pg_ts_parser",
        "pg_ts_template",
        "pg_statistic_ext",
        "pg_transform",
        "pg_default_acl",
    ],
];

/** See `LogicalStore.inhabitants`; an extension counts, and what it brought does not. */
export async function inhabitants(server: ServerAddress): Promise<string[]> {
    const maintenance = await connectPostgres(server, "postgres");
    try {
        const { rowCount } = await maintenance.query("SELECT FROM pg_database WHERE datname = $1", [server.database]);
        if (rowCount === 0) return [];
    } finally {
        await maintenance.end();
    }
    const client = await connectPostgres(server);
    try {
        return [...(await objectsIn(client)), ...(await settingsOf(client))].slice(0, most);
    } finally {
        await client.end();
    }
}

async function objectsIn(client: pg.Client): Promise<string[]> {
    const own = catalogs.map(
        (catalog) => `SELECT '${catalog}'::regclass AS class, oid FROM ${catalog} WHERE oid >= ${firstOfUsers}
                      ${catalog === "pg_class" ? "AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')" : ""}`,
    );
    const { rows } = await client.query<{ what: string }>(
        `SELECT type || ' ' || identity AS what
         FROM (${own.join(" UNION ALL ")} UNION ALL SELECT 'pg_largeobject'::regclass, oid FROM pg_largeobject_metadata) AS own,
              pg_identify_object(own.class, own.oid, 0)
         WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = own.class AND objid = own.oid AND objsubid = 0 AND deptype IN ('e', 'i'))
         ORDER BY 1 LIMIT ${most}`,
    );
    return rows.map(({ what }) => what);
}

/** A database that is empty but for these is somebody's all the same. */
async function settingsOf(client: pg.Client): Promise<string[]> {
    const { rows } = await client.query<{ setting: string }>(
        `SELECT unnest(setconfig) AS setting FROM pg_db_role_setting
         WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return rows.map(({ setting }) => `setting ${setting}`);
}
