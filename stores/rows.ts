import type { HashedRow } from "../model/difference.ts";

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
