import type { Readable } from "node:stream";
import type { SiteName } from "../model/estate.ts";
import type { ServerRole } from "../model/lease.ts";
import type { PasswordName } from "../model/servers.ts";
import type { CopyFacts, Unprotected } from "./physical.ts";

/** A copy of the peer's server, as its engine makes it (`PhysicalStore.copy`), as it comes over the network. */
export interface PeerCopy {
    readonly stream: Readable;
    /** After the stream has ended: what it shows. @throws Error where the copy is not whole */
    facts(): Promise<CopyFacts>;
}

/** A store's server in this site, as its guard and its seed meet it. */
export interface DatabasePlace {
    readonly site: SiteName;
    readonly store: string;
    /** As the estate has it. */
    readonly engine: string;
    /** Name of the database inside the server. */
    readonly database: string;
    /** Where the volume with the data is mounted. */
    readonly volume: string;
    /** Where the server's unix socket is. */
    readonly socketDirectory: string;
    /** Port of the server: part of PostgreSQL's socket name. */
    readonly port: number;
    /** The server of the same store in the other site. */
    readonly peer: { host: string; port: number };
    /** Asks the peer for a copy of its whole server, for kinds that are copied so. @throws Failure("unavailable") where it does not answer */
    copyFromPeer(signal: AbortSignal): Promise<PeerCopy>;
    password(name: PasswordName): string;
    note(line: string): void;
}

export interface DatabaseStatus {
    role: ServerRole;
    /** How far a replica is behind its peer; null when it cannot tell, because it does not hear from it. Not a replica: null. */
    lagSeconds: number | null;
    /** Where its log stands: a GTID, or an LSN. */
    position: string;
    /** What a person should know, if anything: a broken replication, an unfinished seed. */
    problem?: string;
}

/** What a guard can do to the server beside it. Every effect may be repeated. */
export interface GuardedServer {
    /** @throws Failure("unavailable") while the server does not answer */
    status(): Promise<DatabaseStatus>;
    /** What the server holds that a replica of it does not, or not surely. */
    unprotected(): Promise<Unprotected[]>;
    /** Lets applications write. Never on a replica. */
    open(): Promise<void>;
    /** Makes it take no more writes from anybody but the superuser, and drops the sessions of applications, which may have begun to write. */
    close(): Promise<void>;
    /**
     * Lets a replica go on that only its server's start had stopped. One that a person stopped is left.
     * @returns what was done, in words; undefined for nothing
     */
    tend?(signal: AbortSignal): Promise<string | undefined>;
    /**
     * Ends the replication, after everything that was received has been applied, and opens the server. The point of no return.
     * @returns the position at which its own history begins
     */
    promote(signal: AbortSignal): Promise<{ position: string }>;
    /**
     * Makes this closed server, which is no replica, follow the peer from where it stands.
     * @returns whether the peer's history has that place; where it has not, this server is what it was
     */
    followFromHere?(signal: AbortSignal): Promise<boolean>;
    /**
     * Before a restored server is opened: parts its history from what was written after the moment it was restored to, so that no replica that has that can go on as if it were the same.
     * For kinds whose restored server has not done so. May be repeated.
     */
    partHistory?(): Promise<void>;
    /** Makes this server, which was started from a copy of the peer's, follow it from the position that the copy shows. May be repeated, also after it has followed. */
    followCopy?(position: string): Promise<void>;
}
