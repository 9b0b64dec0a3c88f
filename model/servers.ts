import { siteNames, type SiteName } from "./estate.ts";

/** Files of `passwordDirectory(store)`: one password a file, no line end. */
export const passwordNames = ["root", "app", "backup", "replication"] as const;
export type PasswordName = (typeof passwordNames)[number];

/** Where a pod finds the passwords of a store: the store's Kubernetes Secret, mounted. */
export const passwordDirectory = (store: string): string => `/etc/lifeboat/stores/${store}`;

/** File name of the guard's own socket in `guardSocketMount`: how `lifeboat guard STORE --promote` reaches the guard that runs. */
export const guardSocket = "guard.sock";

/** Port of the archive beside each store's server, on the pod's address and under the names of the server itself. */
export const archivePort = 8730;

/** Where the archive keeps what it has received of the log, and small files of copies: an emptyDir of its own. */
export const archiveMount = "/var/lib/lifeboat/archive";

/** Where the pods that start scratch servers have room for them. */
export const scratchMount = "/var/lib/lifeboat/scratch";

/** The address that clients' sessions come from when the guard has let them in. The superuser answers to 127.0.0.1 alone, which is not this one. */
export const gateAddress = "127.0.0.2";

/** Where seed and guard find the server's unix socket: the same emptyDir that the server container mounts at `socketMount`. */
export const guardSocketMount = "/run/lifeboat";

/**
 * How the server container of a store is started. It listens on loopback and its socket alone: the guard listens on the pod's address, and
 * passes on what its lease allows. Pure data: components make a StatefulSet of it, tests start the same server.
 * The template is the same in both sites, but for `args(site)`, and says nothing about who is active: a server starts
 * read-only and its guard decides. `seed` (init container) and `guard` run with the server's own uid, because PostgreSQL wants to
 * own its files; they mount the volume at the same path, the passwords, and the socket's emptyDir at `guardSocketMount`.
 */
export interface ServerShape {
    image: string;
    port: number;
    /** uid, gid and fsGroup of server, seed and guard: those of the official image. */
    uid: number;
    /** Where the volume claim is mounted, in server, seed and guard. */
    dataMount: string;
    /** Where the server container mounts the emptyDir of its unix socket. */
    socketMount: string;
    /** Name of the socket inside that folder. */
    socket: string;
    /** The user who may do everything; its password is `root`. Reached through the socket and 127.0.0.1 only. */
    superuser: string;
    /** Environment of the server container, as the official image reads it. */
    env(store: string): Record<string, string>;
    /** Arguments after the image's entrypoint. */
    args(site: SiteName): string[];
    /** Files for /docker-entrypoint-initdb.d: run once, when the volume is empty and the server's own first start makes its system tables. */
    initScripts(store: string, database: string): Record<string, string>;
}

export const serverId = (site: SiteName): number => siteNames.indexOf(site) + 1;

/** Command of the server container's probes: whether its port is open. The kubelet itself cannot ask, because that is on loopback. */
export const serverProbe = ({ port }: Pick<ServerShape, "port">): string[] => ["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`];
