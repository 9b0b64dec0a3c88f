import type { Program } from "./program.ts";

/** A database server, and one database in it, as its clients reach it. */
export interface ServerAddress {
    host: string;
    port: number;
    user: string;
    password: string;
    database: string;
    /** Folder of its unix socket: used in place of host and port. */
    socketDirectory?: string;
}

export interface ServerFacts {
    version: string;
    /** Where its log stands: a GTID, or an LSN. */
    position?: string;
}

/** What a table holds: two databases hold the same when these are equal. */
export interface TableSummary {
    name: string;
    rows: number;
    /** Over all rows in any order; comparable between servers of one kind. */
    checksum: string;
}

/**
 * One database, or one table, as text, through the wire: for another server, another version, a person's eyes. No recovery point is made of it.
 * It carries neither users nor what lies outside the database, and rounds some numbers: what is loaded is compared with where it came from.
 * Every program that is started is killed by the signal.
 */
export interface LogicalStore {
    /** Every table of the database, by name, with its rows read. */
    tables(server: ServerAddress): Promise<TableSummary[]>;

    /** All that is in a database and not the engine's own, in words ("view seen"), the first few dozen; none also where the database is not there. */
    inhabitants(server: ServerAddress): Promise<string[]>;

    /** Whether a dump's last bytes (some KiB) are the end of a whole one. */
    isWhole(tail: Buffer): boolean;

    /**
     * What has to be on a server before a database, or one table of it, can be loaded there, and is not, in words: "role clerk".
     * @param from the server that is dumped
     * @param table as `tables` has it
     */
    lacking(target: ServerAddress, from: ServerAddress, table?: string): Promise<string[]>;

    /**
     * Prepares the way of a database, or of one table of it, into another server.
     * @param from a scratch server of ours: what is dumped there may be given another name
     * @param target its database has to be empty, or not there; for a table it has to be there, and the table not
     * @param label part of the name that is loaded under: letters and digits
     */
    transfer(from: ServerAddress, target: ServerAddress, label: string, table?: string): Promise<Transfer>;
}

/** Text on its way from a scratch server into another one, where nothing depends on it yet. */
export interface Transfer {
    /** Where it is, and where it is loaded: to be compared. */
    readonly from: ServerAddress;
    readonly loaded: ServerAddress;
    /** Name of the table on both, where it is one. */
    readonly table?: string;
    /** Starts the program that writes it to its stdout. */
    dump(signal: AbortSignal): Program;
    /** Starts the program that loads its stdin; it stops at the first error. */
    load(signal: AbortSignal): Program;
    /** What was loaded becomes what was asked for, at once. After an error it is not. @returns the name under which the target is kept, where somebody filled it meanwhile */
    takePlace(): Promise<{ kept?: string }>;
    /** Removes what was loaded, unless it took its place: the target is as it was. Safe to call at any time, and again. */
    discard(): Promise<void>;
}
