import type { Moment } from "../model/moment.ts";
import type { ServerAddress } from "./adapter.ts";
import type { Program } from "./program.ts";

/** A byte of one of an engine's log files, named as the engine names them: binlog.000003, 000000010000000000000002. */
export interface LogPlace {
    readonly file: string;
    readonly offset: number;
}

/** The server to copy: its superuser, over its unix socket, and its files. */
export interface CopySource {
    /** Superuser, with `socketDirectory`. */
    readonly server: ServerAddress;
    /** The server's data directory, where the caller sees it; undefined where it does not (then a kind that copies by `node` refuses). */
    readonly data: string | undefined;
    /** An empty directory for small files of the copying program. Not removed. */
    readonly scratch: string;
}

/** What a copy shows. */
export interface CopyFacts {
    /** Version of the server. */
    readonly version: string;
    /** Everything up to this is in the copy, and nothing after it: GTIDs or an LSN. */
    readonly position: string;
    /** What is not in the copy begins in this file, at this byte or later; absent where the server keeps no log. */
    readonly log?: LogPlace;
    /** What the next incremental copy of this kind begins from; absent where the engine makes none. */
    readonly next?: string;
}

/** A copy under way: the program's stdout is the stream. */
export interface Copy {
    readonly program: Program;
    /** After `program.ended` was fulfilled: what it shows. @throws Error where the program's own notes say that it is not whole */
    facts(): Promise<CopyFacts>;
}

/** Something on a server that a copy, or a replica, does not carry. */
export interface Unprotected {
    /** "orders.sessions" */
    readonly name: string;
    /** "is an unlogged table: it is empty after a promotion and in every recovery point" */
    readonly why: string;
}

/** One thing on a server that has rows or a value. */
export interface Relation {
    readonly database: string;
    /** "public.orders"; for large objects of a database "large objects". */
    readonly name: string;
    readonly kind: "table" | "sequence" | "materialized view" | "large objects";
    /** With history rows of versioned tables; partitions in sum. For a sequence 1. */
    readonly rows: number;
    /** Over the exact values of all rows, in any order; comparable between servers of one kind. */
    readonly checksum: string;
}

/** All that a server holds at one moment. */
export interface Contents {
    /** The moment: GTIDs or an LSN. Everything up to it is counted and nothing after it. */
    readonly position: string;
    /** Of every database that is not the engine's own, by database and name. */
    readonly relations: readonly Relation[];
    /**
     * The schema as the engine's own dump has it, with users and rights, as SHA-256 of its text (lines that differ between two dumps of one server are left out).
     * Absent where the schema changed while it was read: then it is not compared.
     */
    readonly schema?: string;
    readonly unprotected: readonly Unprotected[];
}

/** A part of a server: one database, or one table of it. */
export interface Only {
    readonly database: string;
    readonly table?: string;
}

/** A server, started from a copy, that nobody else reaches: no port, a socket in a directory of its own. */
export interface ScratchServer extends AsyncDisposable {
    /** Superuser, over the socket. */
    readonly address: ServerAddress;
    /** What it reached. */
    readonly position: string;
    /** The engine's own check of all that it holds. @throws Error naming what is damaged */
    check(signal: AbortSignal): Promise<void>;
    /** Ends it in an orderly way and leaves a data directory that the store's own server can start from, in its own right. Disposing of it ends it anyhow. */
    stop(): Promise<void>;
}

export interface ScratchPlace {
    /** A directory that `unpack` filled. It becomes the data directory. */
    readonly directory: string;
    /** Files of the log, as the engine names them, whole from the one that the copy's facts name on; the last may end anywhere behind an event. Absent: nothing is replayed. */
    readonly log?: { readonly directory: string; readonly from: LogPlace };
    /** What is replayed. */
    readonly until: Moment;
    /** Most that the server takes for its buffers, in bytes. Default 128 MiB. */
    readonly memory?: number;
}

/** A program that receives the log as the server writes it. It ends when the signal says so. */
export interface LogReceiver {
    /** Rejected when it ended by itself: the server is gone, or refuses. Never unhandled. */
    readonly ended: Promise<void>;
    /**
     * What has arrived: for each file, oldest first, up to which byte it holds whole events that the server made durable. `whole`: nothing will be added.
     * Files that were removed from the directory are left out.
     */
    files(): Promise<readonly ReceivedFile[]>;
    /** Told how far the log lies in the vault: the server need not keep what is before it for the archive. */
    release(shipped: LogPlace): Promise<void>;
}
export interface ReceivedFile {
    /** Its final name. */
    readonly file: string;
    /** Where it lies while it is received. */
    readonly path: string;
    readonly bytes: number;
    readonly whole: boolean;
}

/** What ends in a part of a log. */
export interface LogReach {
    /** The newest transaction that is whole by then; absent where none ends there. GTIDs or an LSN. */
    readonly position?: string;
    /** When it was committed, by the server's clock (PostgreSQL: microseconds, MariaDB: whole seconds). */
    readonly committedAt?: Date;
}

/** A transaction of a log that somebody looked for. */
export interface FoundTransaction {
    /** As `--before-transaction` takes it: a GTID, or a transaction's number. */
    readonly transaction: string;
    readonly position: string;
    readonly committedAt: Date;
    /** What it did, a line each, in the engine's own words: "DROP TABLE `orders`", "DELETE orders.orders: 12 rows". */
    readonly statements: readonly string[];
}

/** Copies of a server as its engine keeps it, its log, and servers that are started from both. Every program that is started is killed by the signal. */
export interface PhysicalStore {
    /** `network`: a copy goes through the wire; `node`: it needs the data directory. */
    readonly way: "network" | "node";
    /** Programs that it starts, by name: what an image has to have. */
    readonly programs: readonly string[];

    /** Starts a full copy of the whole server. @throws Failure("refused") for a server that cannot be copied so; Failure("unavailable") where it does not answer */
    copy(source: CopySource, signal: AbortSignal): Promise<Copy>;

    /** Starts the program that unpacks a copy's stream (its stdin) into an empty directory. */
    unpack(directory: string, signal: AbortSignal): Program;

    /**
     * Starts a server from an unpacked copy, with what is to be replayed.
     * @throws Error where it does not start, the log does not reach the moment or has a gap, or the moment is not in it
     */
    start(place: ScratchPlace, signal: AbortSignal): Promise<ScratchServer>;

    /**
     * Reads all that a server holds, at one moment while others write; nobody is kept from writing.
     * @param only a part of it; then without `schema`
     * @returns undefined where no moment could be had at which the contents have a position (a server that is never still): then they cannot be compared
     */
    contents(server: ServerAddress, signal: AbortSignal, only?: Only): Promise<Contents | undefined>;

    readonly log: LogSide;
}

export interface LogSide {
    /** What tells this server's log from another's of the same file names, as far as the engine has something: PostgreSQL's system identifier. May be empty. */
    identity(server: ServerAddress): Promise<string>;
    /** Oldest file that the server still has; undefined where it keeps no log. */
    oldest(server: ServerAddress): Promise<string | undefined>;
    /** Whether the server's log has that place, and what came before it was the same: `position` is what `reach` said of it. */
    goesOn(server: ServerAddress, at: LogPlace, position: string | undefined): Promise<boolean>;
    /**
     * Receives whole files from `file` on, from their first byte. The directory is empty.
     * `files()` answers after the end, too.
     */
    receive(server: ServerAddress, file: string, directory: string, signal: AbortSignal): Promise<LogReceiver>;
    /** Whether `next` is the file that follows `file`. */
    follows(file: string, next: string): boolean;
    /**
     * Checks the bytes of a file from `from` (the end of a whole event, or 0) to before `to` (default: its end) as far as the engine's own checksums go, and says what ends in them.
     * Between the file's head and `from` there may be a hole. @throws Error where they are not what the engine wrote
     */
    reach(path: string, from: number, to?: number): Promise<LogReach>;
    /** Transactions that match, oldest first. `like`: a part of a statement's or table's text, any case. */
    find(
        directory: string,
        files: readonly string[],
        what: { like: string; since?: Date },
        signal: AbortSignal,
    ): AsyncIterable<FoundTransaction>;
}
