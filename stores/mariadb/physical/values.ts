import type mysql from "mysql2/promise";
import { rowsOf } from "../client.ts";
import { quoted } from "./check.ts";

interface Column {
    name: string;
    type: string;
    extra: string;
    /** Of a generated column; of a versioned table's period "ROW START" and "ROW END". */
    made: string | null;
    octets: string | null;
}

/** Bytes; they stand in a row's text as they are up to this many, by their hash beyond. */
const short = 256;
const bytes = new Set([
    ...["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json"],
    ...["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"],
    ...["geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection"],
]);
/** Their text is not all of them: two members may be written alike, bits are no text. */
const numbered = new Set(["enum", "set", "bit"]);
/** Their text is rounded to what was declared, or to six digits. */
const rounded = new Set(["float", "double"]);

/** What stands for a value, to the last bit, as an expression that is no other value's. */
function exact({ name, type, made, octets }: Column): string {
    const column = quoted(name);
    // Numbers of transactions are the server's own: the same transaction has another one where it is replayed. What counts is whether a row is in force.
    if (type === "bigint" && made === "ROW START") return "''";
    if (type === "bigint" && made === "ROW END") return `IF(${column} = 18446744073709551615, '+', '-')`;
    const value = (text: string) => `IFNULL(CONCAT(LENGTH(${text}), ':', ${text}), '-')`;
    if (numbered.has(type)) return value(`CAST(${column} + 0 AS BINARY)`);
    if (rounded.has(type)) return value(`CAST(CAST(${column} AS DOUBLE) AS BINARY)`);
    // Of the bytes as they lie in the table, whatever their character set; never longer than a statement may be.
    if (bytes.has(type) && !(Number(octets ?? Infinity) <= short)) return `IFNULL(CONCAT(LENGTH(${column}), ':', MD5(${column})), '-')`;
    return value(`CAST(${column} AS BINARY)`);
}

/** A table that was altered while it was looked at. */
export class TableChanged extends Error {
    readonly code = "ER_NO_SUCH_TABLE";
}

export interface Sum {
    readonly rows: number;
    readonly checksum: string;
}

export interface SumOptions {
    /** With the rows of its history, and their times. */
    versioned: boolean;
    /** Columns that are left out. */
    without?: readonly string[];
    where?: string;
}

/**
 * Rows of a table, and the sum of their hashes: the same in any order, equal rows count each. Of each row 64 bits of MD5 over its exact values.
 * `CHECKSUM TABLE` is no such thing: it takes ('ab', 'c') and ('a', 'bc') for the same row.
 * Columns that are computed when they are read are left out: an expression may tell who reads.
 */
export async function sumOf(connection: mysql.Connection, database: string, name: string, options: SumOptions): Promise<Sum> {
    const { versioned, without = [], where } = options;
    const found = await rowsOf<Column>(
        connection,
        `SELECT column_name AS name, data_type AS type, extra, generation_expression AS made, character_octet_length AS octets
         FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`,
        [database, name],
    );
    // While a table is altered there is a moment at which nobody is told of it.
    if (found.length === 0) throw new TableChanged(`${database}.${name} has no columns at this moment`);
    const columns = found.filter((column) => !column.extra.includes("VIRTUAL GENERATED") && !without.includes(column.name));
    const values = columns.map(exact);
    // Not among the columns, unless they were declared.
    if (versioned && !found.some(({ made }) => made === "ROW START"))
        values.push("CAST(row_start AS BINARY)", "','", "CAST(row_end AS BINARY)");
    const [sum] = await rowsOf<{ n: string; total: string }>(
        connection,
        `SELECT COUNT(*) AS n, COALESCE(SUM(CAST(CONV(LEFT(MD5(CONCAT('', ${values.join(", ")})), 16), 16, 10) AS UNSIGNED)), 0) AS total
         FROM ${quoted(database, name)}${versioned ? " FOR SYSTEM_TIME ALL" : ""}${where === undefined ? "" : ` WHERE ${where}`}`,
    );
    if (sum === undefined) throw new Error(`${database}.${name} could not be read to its end`);
    return { rows: Number(sum.n), checksum: sum.total };
}
