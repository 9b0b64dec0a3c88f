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
 * Backups of one database as text. Passes test/backup/stores/suite.ts.
 * Nothing here retries or waits, but where it says so; every program that is started is killed by the signal.
 */
export interface StoreAdapter {
    /** `network`: its dump goes through the wire, from any pod. `node`: it has to run beside the data directory. */
    readonly way: "network" | "node";
    /**
     * Asks the server what it is.
     * @throws Failure("unavailable") when it does not answer, Failure("refused") when its data cannot be dumped consistently
     */
    describe(server: ServerAddress): Promise<ServerFacts>;

    /** Starts a dump: one consistent moment, after the call, of the whole database. Whole only if the program ended well and `isWhole`. */
    dump(server: ServerAddress, facts: ServerFacts, signal: AbortSignal): Program;

    /** Whether a dump's last bytes (some KiB) are the end of a whole one. */
    isWhole(tail: Buffer): boolean;

    /** Position of the dump's moment, if its first or its last bytes (some KiB each) tell. */
    positionIn(edges: { readonly head: Buffer; readonly tail: Buffer }): string | undefined;

    /** Every table of the database, by name, with its rows read. */
    tables(server: ServerAddress): Promise<TableSummary[]>;

    /**
     * Makes an empty scratch database on the target's server, beside the target, which stays untouched until `takePlace`.
     * @param label part of the scratch's name
     * @throws Failure("unavailable") when the server does not answer, Failure("refused") when the target holds tables and may not be replaced
     */
    scratch(target: ServerAddress, label: string, replace: boolean): Promise<Scratch>;
}

/** A database into which a dump is loaded before anything depends on it. */
export interface Scratch {
    readonly database: string;
    /** Starts the loading program; it reads the dump on stdin. It stops at the first error. */
    load(signal: AbortSignal): Program;
    /** Reads every table back. @throws Error when the server finds one damaged */
    check(): Promise<TableSummary[]>;
    /**
     * Puts the scratch in the target's place, at once. What was there is kept under the name that is returned.
     * After an error the target is what it was.
     */
    takePlace(): Promise<{ kept?: string }>;
    /** Removes the scratch, if it is still there. Safe to call at any time, and again. */
    discard(): Promise<void>;
}
