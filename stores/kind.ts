import type { ServerShape } from "../model/servers.ts";
import type { ServerAddress, LogicalStore } from "./adapter.ts";
import type { PhysicalStore } from "./physical.ts";
import type { DatabasePlace, GuardedServer } from "./place.ts";
import type { Rows } from "./rows.ts";

/** All that is particular to one kind of store. A new kind is a folder beside this file with one of these, and a line in registry.ts. */
export interface StoreKind {
    /** As the estate's `engine` has it: "mariadb". */
    readonly engine: string;
    /** As a person reads it: "MariaDB". */
    readonly title: string;
    /** Schemes of its URLs, the one that we write first: "mariadb", "mysql". */
    readonly schemes: readonly [string, ...string[]];
    /** Its container: image, port, settings, users and rights. */
    readonly server: ServerShape;
    /** What the variables that tell a service of its store begin with, where the service needs one store of this kind: "MYSQL". */
    readonly variables: string;
    /** The server's data directory on its volume. What else is there is the guard's. */
    dataDirectory(volume: string): string;
    /** File or directory that is on a volume with data, and on no empty one. */
    firstFile(volume: string): string;
    /**
     * Whether a server that has applied everything up to `position` has applied everything up to `other`, for two servers of one history.
     * @throws RangeError for a text that is no position: then nobody knows
     */
    covers(position: string, other: string): boolean;
    /** What needs its client's library: loaded when it is first used, because a preview needs none of it. */
    readonly operations: StoreOperations;
}

/** A connection that does nothing but be there. */
export interface HeldConnection {
    onLost(then: () => void): void;
    close(): Promise<void>;
}

export interface StoreOperations {
    /** Text, through the wire: for one table, another version, a person's eyes. */
    readonly logical: LogicalStore;
    /** The server's own files and log: what recovery points are made of. */
    readonly physical: PhysicalStore;
    /** Every row of the database, to be compared. @throws Failure("unavailable") where the server does not answer */
    openRows(server: ServerAddress): Promise<Rows>;
    /** A connection as an application has one. */
    hold(server: ServerAddress): Promise<HeldConnection>;
    /** The server beside a guard. */
    guarded(place: DatabasePlace): GuardedServer;
    readonly seeding: Seeding;
}

/** What is done with a volume before its server starts. */
export interface Seeding {
    /** Whatever is on the volume: at every start of the pod. */
    prepare(place: DatabasePlace): void;
    /** Whole data is to start read-only. `copied`: it was copied from the peer once. */
    keep(place: DatabasePlace, copied: boolean): void;
    /**
     * Copies the peer's data into the volume, whatever an earlier try left there, so that the server starts as its replica; or, with a position, so that the guard makes it one once it is up
     * (`GuardedServer.followCopy`).
     */
    copy(place: DatabasePlace, signal: AbortSignal): Promise<{ position?: string }>;
}
