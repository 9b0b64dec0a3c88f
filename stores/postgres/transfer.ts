import pg from "pg";
import { Failure } from "../../model/failure.ts";
import type { ServerAddress, Transfer } from "../adapter.ts";
import { connectPostgres, connectWritable, startPostgresClient, startPostgresDump } from "./client.ts";
import { inhabitants } from "./empty.ts";

const id = pg.escapeIdentifier;
const maintenance = "postgres";
/** Names have 63 bytes. */
const nameOf = (name: string, label: string): string =>
    `${Buffer.from(name)
        .subarray(0, 40)
        .toString()
        .replace(/\uFFFD$/, "")}_restore_${label}`;

async function within<Result>(server: ServerAddress, database: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = await connectWritable(server, database);
    try {
        return await work(client);
    } finally {
        await client.end();
    }
}

const isThere = async (client: pg.Client, database: string): Promise<boolean> =>
    (await client.query("SELECT FROM pg_database WHERE datname = $1", [database])).rowCount === 1;

/** A database is renamed or dropped only when nobody is in it. */
const dismiss = (client: pg.Client, database: string) =>
    client.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()", [database]);

/** See `LogicalStore.transfer`. The users must be superusers; the roles that own what is loaded must exist. */
export async function transfer(from: ServerAddress, target: ServerAddress, label: string, table?: string): Promise<Transfer> {
    return table === undefined ? await transferDatabase(from, target, label) : await transferTable(from, target, table, label);
}

/** Given another name before it is dumped, so that it is made under it, with all that belongs to it: owner, settings, rights, locale. Renamed when it is what it should be. */
async function transferDatabase(from: ServerAddress, target: ServerAddress, label: string): Promise<Transfer> {
    const name = nameOf(target.database, label);
    const former = nameOf(target.database, `${label}_former`);
    await within(from, maintenance, async (source) => {
        if (!(await isThere(source, from.database)))
            throw new Failure("no", `there is no database ${from.database} in what was recovered`, "name another one with --only");
        await dismiss(source, from.database);
        await source.query(`ALTER DATABASE ${id(from.database)} RENAME TO ${id(name)}`);
    });
    const client = await connectWritable(target, maintenance);
    let closed = false;
    return {
        from: { ...from, database: name },
        loaded: { ...target, database: name },
        dump: (signal) => startPostgresDump({ ...from, database: name }, ["--create"], signal),
        load: (signal) => startPostgresClient(target, maintenance, [], signal),

        async takePlace() {
            await dismiss(client, name);
            if (!(await isThere(client, target.database))) {
                await client.query(`ALTER DATABASE ${id(name)} RENAME TO ${id(target.database)}`);
                return {};
            }
            // Nobody comes back in between: renaming waits for nobody.
            await client.query(`ALTER DATABASE ${id(target.database)} ALLOW_CONNECTIONS false`);
            await dismiss(client, target.database);
            try {
                await client.query("BEGIN");
                await client.query(`ALTER DATABASE ${id(target.database)} RENAME TO ${id(former)}`);
                await client.query(`ALTER DATABASE ${id(name)} RENAME TO ${id(target.database)}`);
                await client.query("COMMIT");
            } catch (error) {
                await client.query("ROLLBACK");
                await client.query(`ALTER DATABASE ${id(target.database)} ALLOW_CONNECTIONS true`);
                throw error;
            }
            await client.query(`ALTER DATABASE ${id(former)} ALLOW_CONNECTIONS true`);
            // It was empty when it was looked at.
            if ((await inhabitants({ ...target, database: former })).length > 0) return { kept: former };
            await client.query(`DROP DATABASE ${id(former)} WITH (FORCE)`);
            return {};
        },

        async discard() {
            if (closed) return;
            closed = true;
            try {
                await client.query(`DROP DATABASE IF EXISTS ${id(name)} WITH (FORCE)`);
            } finally {
                await client.end();
            }
        },
    };
}

/** "orders" or "sales.orders", as `tables` has it. */
function placeOf(table: string): { schema: string; name: string } {
    const dot = table.indexOf(".");
    return dot < 0 ? { schema: "public", name: table } : { schema: table.slice(0, dot), name: table.slice(dot + 1) };
}

/** Given another name before it is dumped, loaded in one transaction, and renamed when it is what it should be. */
async function transferTable(from: ServerAddress, target: ServerAddress, table: string, label: string): Promise<Transfer> {
    const { schema, name } = placeOf(table);
    const young = nameOf(name, label);
    const rename = (old: string, to: string) => `ALTER TABLE ${id(schema)}.${id(old)} RENAME TO ${id(to)}`;
    await within(from, from.database, (source) => source.query(rename(name, young)));
    const client = await connectWritable(target);
    let closed = false;
    return {
        ...{ from, loaded: target, table: schema === "public" ? young : `${schema}.${young}` },
        dump: (signal) => startPostgresDump(from, [`--table=${id(schema)}.${id(young)}`], signal),
        load: (signal) => startPostgresClient(target, target.database, ["--single-transaction"], signal),
        async takePlace() {
            await client.query(rename(young, name));
            return {};
        },
        async discard() {
            if (closed) return;
            closed = true;
            try {
                await client.query(`DROP TABLE IF EXISTS ${id(schema)}.${id(young)}`);
            } finally {
                await client.end();
            }
        },
    };
}

/** Roles and tablespaces that what is loaded names, and extensions that it needs. */
export async function lacking(target: ServerAddress, from: ServerAddress, table?: string): Promise<string[]> {
    const place = table === undefined ? undefined : placeOf(table);
    const wanted = await within(from, from.database, async (source) => {
        const { rows } = await source.query<{ what: string; name: string }>(
            `SELECT DISTINCT 'role' AS what, rolname::text AS name FROM pg_shdepend JOIN pg_roles ON oid = refobjid
             WHERE refclassid = 'pg_authid'::regclass
               AND (CASE WHEN $1::text IS NULL
                    THEN dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                         OR (classid = 'pg_database'::regclass AND objid = (SELECT oid FROM pg_database WHERE datname = current_database()))
                    ELSE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                         AND objid = (SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = $1 AND relname = $2)
                    END)
             UNION SELECT 'tablespace', spcname::text FROM pg_class JOIN pg_tablespace ON pg_tablespace.oid = reltablespace WHERE spcname NOT LIKE 'pg\\_%' AND $1::text IS NULL
             UNION SELECT 'extension', extname::text FROM pg_extension WHERE $1::text IS NULL`,
            [place?.schema ?? null, place?.name ?? null],
        );
        return rows;
    });
    const client = await connectPostgres(target, maintenance);
    try {
        const { rows } = await client.query<{ what: string; name: string }>(
            `SELECT 'role' AS what, rolname::text AS name FROM pg_roles UNION ALL SELECT 'tablespace', spcname::text FROM pg_tablespace
             UNION ALL SELECT 'extension', name::text FROM pg_available_extensions`,
        );
        const there = new Set(rows.map(({ what, name }) => `${what} ${name}`));
        return wanted.map(({ what, name }) => `${what} ${name}`).filter((each) => !there.has(each));
    } finally {
        await client.end();
    }
}
