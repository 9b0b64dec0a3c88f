import pg from "pg";
import type { Relation, Unprotected } from "../../physical.ts";

const id = pg.escapeIdentifier;

/** A relation as the moment's snapshot has it. */
export interface Listed {
    readonly oid: string;
    readonly schema: string;
    readonly name: string;
    readonly kind: "r" | "m" | "S" | "f";
    readonly persistence: "p" | "u";
    readonly filenode: string | null;
    readonly populated: boolean;
    readonly increment: string | null;
    readonly foreign: string | null;
    readonly columns: readonly { name: string; bytes: boolean }[];
}

/** A name that meant something at the moment means something else by now, or nothing: the moment cannot be read any more. */
export class MovedOn extends Error {}

/** A partitioned table has no rows of its own: its leaves are listed. Before 16384 lie the engine's own. https://www.postgresql.org/docs/15/catalog-pg-class.html */
export async function listRelations(client: pg.Client): Promise<Listed[]> {
    const { rows } = await client.query<Listed>(
        `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence,
                c.relfilenode::text AS filenode, c.relispopulated AS populated, s.seqincrement::text AS increment, f.srvname AS foreign,
                coalesce((SELECT json_agg(json_build_object('name', a.attname, 'bytes', a.atttypid = 'bytea'::regtype) ORDER BY a.attnum)
                          FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              LEFT JOIN pg_sequence s ON s.seqrelid = c.oid
              LEFT JOIN pg_foreign_table t ON t.ftrelid = c.oid LEFT JOIN pg_foreign_server f ON f.oid = t.ftserver
         WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm', 'S', 'f') AND c.relpersistence <> 't' AND n.nspname <> 'pg_toast'
         ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
    );
    return rows;
}

export const nameOf = ({ schema, name }: Listed): string => `${schema}.${name}`;
const quoted = ({ schema, name }: Listed): string => `${id(schema)}.${id(name)}`;

/** What no copy, or no comparison, carries. */
export function unprotectedOf(database: string, listed: readonly Listed[]): Unprotected[] {
    return listed.flatMap((relation) => {
        const name = `${database}: ${nameOf(relation)}`;
        if (relation.kind === "f")
            return [
                {
                    name,
                    why: `is a foreign table: its rows are kept by another server (${relation.foreign}), and are in no copy of this one`,
                },
            ];
        if (relation.persistence === "u")
            return [
                {
                    name,
                    why: `is an unlogged ${relation.kind === "S" ? "sequence: it begins anew" : "table: it is empty"} after a crash, a promotion and in every recovery point`,
                },
            ];
        return [];
    });
}

export const isCompared = ({ kind, persistence }: Listed): boolean => kind !== "f" && persistence === "p";

/**
 * Sequences have no snapshot, so that they are read while the moment still is now. The log runs ahead of a sequence by up to 32 steps, and what is recovered from it has the value that was logged: this
 * value, last_value and what log_cnt tells to be logged already, is the same on both sides. With `exact` it is last_value itself, as a dump carries it.
 */
export async function readSequences(client: pg.Client, database: string, listed: readonly Listed[], exact: boolean): Promise<Relation[]> {
    const sequences = listed.filter((relation) => relation.kind === "S" && isCompared(relation));
    const found: Relation[] = [];
    for (let at = 0; at < sequences.length; at += 200) {
        const some = sequences.slice(at, at + 200);
        const ahead = (increment: string | null) => (exact ? "" : ` + log_cnt::numeric * (${increment})`);
        const { rows } = await client.query<{ value: string }>(
            some
                .map(
                    (one) =>
                        `SELECT (last_value::numeric${ahead(one.increment)})::text || CASE WHEN is_called THEN '' ELSE ' next' END AS value FROM ${quoted(one)}`,
                )
                .join(" UNION ALL "),
        );
        some.forEach((one, index) => found.push({ database, name: nameOf(one), kind: "sequence", rows: 1, checksum: rows[index]!.value }));
    }
    return found;
}

/**
 * The row as text, without the cast to text that a user may have defined for the table's type. Bytes are hashed first: as text a value over half a GiB would be none. The alias cannot be taken for a
 * column, because each column is named through it.
 */
function rowText({ columns }: Listed): string {
    const values = columns.map(({ name, bytes }) => (bytes ? `sha256(lifeboat.${id(name)})` : `lifeboat.${id(name)}`));
    return `textin(record_out(ROW(${values.join(", ")})))`;
}

const sumOf = (text: string): string => `coalesce(sum(hashtextextended(${text} COLLATE "C", 0)), 0)::text`;

/** SQLSTATEs of a name that is gone: relation, column, schema, type. */
const gone = new Set(["42P01", "42703", "3F000", "42704", "XX000"]);

async function readRows(client: pg.Client, database: string, listed: Listed): Promise<Relation> {
    const kind = listed.kind === "m" ? "materialized view" : "table";
    const base = { database, name: nameOf(listed), kind } as const;
    if (!listed.populated) return { ...base, rows: 0, checksum: "not populated" };
    await client.query("SAVEPOINT one");
    try {
        const { rows } = await client.query<{ n: string; checksum: string }>(
            `SELECT count(*) AS n, ${sumOf(rowText(listed))} AS checksum FROM ONLY ${quoted(listed)} AS lifeboat`,
        );
        // TRUNCATE and a rewrite take what the snapshot should still show. These functions look at what is now, and the lock keeps it.
        const { rows: now } = await client.query<{ same: boolean }>(
            "SELECT to_regclass($1)::oid = $2::oid AND pg_relation_filenode($2::oid) = $3::oid AS same",
            [quoted(listed), listed.oid, listed.filenode],
        );
        if (now[0]?.same !== true) throw new MovedOn();
        return { ...base, rows: Number(rows[0]!.n), checksum: rows[0]!.checksum };
    } catch (error) {
        if (error instanceof pg.DatabaseError && gone.has(error.code ?? "") && !(await stillThere(client, listed))) throw new MovedOn();
        throw error;
    } finally {
        // Lets go of the table's lock at once, so that nobody's ALTER TABLE waits longer than for this one table, with all writers behind it.
        await client.query("ROLLBACK TO SAVEPOINT one");
    }
}

async function stillThere(client: pg.Client, listed: Listed): Promise<boolean> {
    await client.query("ROLLBACK TO SAVEPOINT one");
    const { rows } = await client.query<{ same: boolean }>(
        "SELECT to_regclass($1)::oid = $2::oid AND pg_relation_filenode($2::oid) = $3::oid AS same",
        [quoted(listed), listed.oid, listed.filenode],
    );
    return rows[0]?.same === true;
}

async function readLargeObjects(client: pg.Client, database: string): Promise<Relation[]> {
    const { rows } = await client.query<{ n: string; owners: string; pages: string }>(
        `SELECT (SELECT count(*) FROM pg_largeobject_metadata) AS n,
                (SELECT ${sumOf("textin(record_out(ROW(oid, pg_get_userbyid(lomowner), lomacl)))")} FROM pg_largeobject_metadata) AS owners,
                (SELECT ${sumOf("textin(record_out(ROW(loid, pageno, sha256(data))))")} FROM pg_largeobject) AS pages`,
    );
    const { n, owners, pages } = rows[0]!;
    return n === "0" ? [] : [{ database, name: "large objects", kind: "large objects", rows: Number(n), checksum: `${owners} ${pages}` }];
}

/** Tables, materialized views and large objects as the session's snapshot has them. @throws MovedOn */
export async function readAll(
    client: pg.Client,
    database: string,
    listed: readonly Listed[],
    withObjects: boolean,
    signal: AbortSignal,
): Promise<Relation[]> {
    const found: Relation[] = [];
    for (const relation of listed) {
        if (relation.kind === "S" || !isCompared(relation)) continue;
        signal.throwIfAborted();
        found.push(await readRows(client, database, relation));
    }
    if (withObjects) found.push(...(await readLargeObjects(client, database)));
    return found;
}
