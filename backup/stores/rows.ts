import type { StoreKind } from "../../model/estate.ts";
import type { HashedRow } from "../../model/difference.ts";
import type { ServerAddress } from "./adapter.ts";
import { openMariadbRows } from "./mariadb-rows.ts";
import { openPostgresRows } from "./postgres-rows.ts";

/** A row with its content, as JSON text. Binary columns of MariaDB are hexadecimal. */
export interface ContentRow extends HashedRow {
    content: string;
}

/**
 * The rows of a database at one moment, each with its hashes: comparable between servers of one kind. A table is sorted by the server, which costs it as much as an ORDER BY without
 * an index; nobody is kept from writing.
 */
export interface Rows extends AsyncDisposable {
    tables(): Promise<string[]>;
    /** In the order of key, then digest. */
    read(table: string): AsyncIterable<ContentRow>;
}

const openers: Readonly<Record<StoreKind, (server: ServerAddress) => Promise<Rows>>> = {
    mariadb: openMariadbRows,
    postgres: openPostgresRows,
};

/** @throws Failure("unavailable") where the server does not answer */
export const openRows = (kind: StoreKind, server: ServerAddress): Promise<Rows> => openers[kind](server);
