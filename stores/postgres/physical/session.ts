import type { ServerAddress } from "../../adapter.ts";
import { connectPostgres } from "../client.ts";

/**
 * What the text of a value depends on, and what could keep a long reading from its end, the same in every session whatever a role or a database sets: the options of a connection win over these.
 * Row security off: a superuser passes it anyway, and whoever does not is told so instead of being shown a part. https://www.postgresql.org/docs/15/runtime-config-client.html
 */
const settings: Record<string, string> = {
    search_path: "",
    row_security: "off",
    default_transaction_read_only: "off",
    extra_float_digits: "3",
    bytea_output: "hex",
    timezone: "UTC",
    datestyle: "ISO",
    intervalstyle: "postgres",
    lc_monetary: "C",
    lc_numeric: "C",
    quote_all_identifiers: "off",
    xmlbinary: "base64",
    statement_timeout: "0",
    lock_timeout: "30s",
    idle_in_transaction_session_timeout: "0",
    session_preload_libraries: "",
    jit: "off",
};

/** Of a connection, as its `options`. */
export const pinned = Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");

export interface DatabaseFacts {
    readonly name: string;
    readonly template: boolean;
    readonly open: boolean;
}

export async function allDatabases(server: ServerAddress): Promise<DatabaseFacts[]> {
    const client = await connectPostgres(server, "postgres", pinned);
    try {
        const { rows } = await client.query<DatabaseFacts>(
            `SELECT datname AS name, datistemplate AS template, datallowconn AS open FROM pg_database ORDER BY datname COLLATE "C"`,
        );
        return rows;
    } finally {
        await client.end();
    }
}

export const connectableDatabases = async (server: ServerAddress): Promise<string[]> =>
    (await allDatabases(server)).filter(({ open }) => open).map(({ name }) => name);
