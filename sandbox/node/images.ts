import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { tools, versions } from "../tools.ts";

/** What an image is on this machine. */
export interface Image {
    readonly entrypoint: readonly string[];
    readonly cmd?: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    /** User that it runs as unless the pod says otherwise. */
    readonly user: { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string };
    /** As which user the container starts: an official database image starts as root and steps down by itself. */
    readonly startsAs: "root" | "user";
    readonly workingDirectory?: string;
    /** Files that it brings: path to text. Executable where they start with "#!". */
    readonly files?: Readonly<Record<string, string>>;
    /** Directories that it brings, owned by its user. */
    readonly directories?: readonly { readonly path: string; readonly mode: string }[];
    /** What this machine has at these paths is no part of it. */
    readonly without?: readonly string[];
    /** Files and directories of this machine that it shows, read-only, where the real image has them: no volume of a pod then hides what lies elsewhere here. */
    readonly sees?: readonly { readonly from: string; readonly to: string }[];
    /** Environment variables by which the real image is configured, where it has a family of them. */
    readonly variables?: { readonly family: RegExp; readonly known: ReadonlySet<string> };
}

const here = dirname(fileURLToPath(import.meta.url));
const entrypoint = (name: string) => readFileSync(join(here, "images", `${name}.sh`), "utf8");
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const withFiles = (names: readonly string[]) => names.flatMap((name) => [name, `${name}_FILE`]);

/** @see https://hub.docker.com/_/mariadb and https://mariadb.com/kb/en/mariadb-server-docker-official-image-environment-variables/ */
const mariadb = (): Image => ({
    entrypoint: ["/usr/local/bin/docker-entrypoint.sh"],
    cmd: ["mariadbd"],
    env: { PATH: systemPath, LANG: "C.UTF-8" },
    user: { name: "mysql", uid: 999, gid: 999, home: "/nonexistent" },
    startsAs: "root",
    files: {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("mariadb"),
        // What the image's own packages put there, with the two changes that its Dockerfile makes: no bind-address, no name look-ups.
        "/etc/mysql/my.cnf":
            "[client-server]\nsocket = /run/mysqld/mysqld.sock\n!includedir /etc/mysql/mariadb.conf.d/\n!includedir /etc/mysql/conf.d/\n",
        "/etc/mysql/mariadb.conf.d/05-skipcache.cnf": "[mariadb]\nhost-cache-size=0\nskip-name-resolve\n",
        "/etc/mysql/mariadb.conf.d/50-server.cnf":
            "[mariadbd]\npid-file = /run/mysqld/mysqld.pid\nbasedir = /usr\nexpire_logs_days = 10\ncharacter-set-server = utf8mb4\ncollation-server = utf8mb4_general_ci\n",
        "/etc/mysql/conf.d/.keep": "",
    },
    directories: [
        { path: "/var/lib/mysql", mode: "0755" },
        { path: "/run/mysqld", mode: "1777" },
        { path: "/docker-entrypoint-initdb.d", mode: "0755" },
    ],
    without: ["/etc/mysql"],
    variables: {
        family: /^(MARIADB|MYSQL)_/,
        known: new Set([
            ...withFiles(["MARIADB_ROOT_PASSWORD", "MARIADB_DATABASE", "MARIADB_USER", "MARIADB_PASSWORD"]),
            "MARIADB_ROOT_HOST",
        ]),
    },
});

const postgresSample = () => join("/usr/share/postgresql", versions.postgres, "postgresql.conf.sample");

/** @see https://hub.docker.com/_/postgres and https://github.com/docker-library/postgres/blob/master/docker-entrypoint.sh */
const postgres = (): Image => ({
    entrypoint: ["/usr/local/bin/docker-entrypoint.sh"],
    cmd: ["postgres"],
    env: { PATH: `${tools.postgresBin}:${systemPath}`, LANG: "C.UTF-8", PG_MAJOR: versions.postgres, PGDATA: "/var/lib/postgresql/data" },
    user: { name: "postgres", uid: 999, gid: 999, home: "/var/lib/postgresql" },
    startsAs: "root",
    files: {
        "/usr/local/bin/docker-entrypoint.sh": entrypoint("postgres"),
        // The one change that its Dockerfile makes: a new cluster listens on every address.
        [postgresSample()]: readFileSync(postgresSample(), "utf8").replace(/^#?listen_addresses\s*=.*$/m, "listen_addresses = '*'"),
    },
    directories: [
        { path: "/var/lib/postgresql", mode: "0755" },
        { path: "/var/lib/postgresql/data", mode: "1777" },
        { path: "/run/postgresql", mode: "3777" },
        { path: "/docker-entrypoint-initdb.d", mode: "0755" },
    ],
    without: ["/etc/postgresql", "/etc/postgresql-common/root.crt"],
    variables: {
        family: /^POSTGRES_/,
        known: new Set([
            ...withFiles(["POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"]),
            "POSTGRES_HOST_AUTH_METHOD",
        ]),
    },
});

/** What the Dockerfiles copy into our own images. Of the sandbox and the tests there is nothing in them. */
const shipped = ["package.json", "node_modules", "model", "stores", "backup", "recovery", "components", "stacks", "scripts"];

interface Program {
    /** The WORKDIR of its Dockerfile. */
    readonly at: string;
    readonly entrypoint: readonly string[];
    readonly user: string;
    /** Of the checkout. */
    readonly sees: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly files?: Readonly<Record<string, string>>;
}

/** One of our own images: this repository's copy on Node (images/*.Dockerfile say what it is elsewhere). */
function own(checkout: string, { at, entrypoint, user, sees, env, files }: Program): Image {
    return {
        entrypoint,
        env: {
            PATH: `${tools.postgresBin}:${systemPath}`,
            LANG: "C.UTF-8",
            NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt",
            ...env,
        },
        user: { name: user, uid: 10001, gid: 10001, home: `/home/${user}` },
        startsAs: "user",
        workingDirectory: at,
        ...(files && { files }),
        directories: [{ path: `/home/${user}`, mode: "0755" }],
        sees: [
            { from: tools.node, to: "/usr/local/bin/node" },
            ...sees.map((name) => ({ from: join(checkout, name), to: join(at, name) })).filter(({ from }) => existsSync(from)),
        ],
    };
}

/**
 * The images that this node has.
 * @param checkout the repository that our own images run from
 * @returns undefined for any other: ErrImagePull
 */
export function imageOf(name: string, checkout: string): Image | undefined {
    switch (name.replace(/^docker\.io\/(library\/)?/, "")) {
        case "mariadb:10.11":
            return mariadb();
        case "postgres:15":
            return postgres();
        case "lifeboat/lifeboat:0.1.0":
            return own(checkout, {
                at: "/opt/lifeboat",
                entrypoint: ["lifeboat"],
                user: "lifeboat",
                sees: shipped,
                files: { "/usr/local/bin/lifeboat": '#!/bin/sh\nexec node /opt/lifeboat/scripts/main.ts "$@"\n' },
            });
        case "lifeboat/orders:0.1.0":
            return own(checkout, {
                at: "/opt/orders",
                entrypoint: ["node", "examples/orders/server.ts"],
                user: "orders",
                sees: ["package.json", "node_modules", "examples/orders"],
                env: { PORT: "8080" },
            });
        default:
            return undefined;
    }
}

/** Variables of the image's family that it has and this table has not: one that did nothing would be a silent lie. */
export function unknownVariables(image: Image, environment: Readonly<Record<string, string>>): string[] {
    const { family, known } = image.variables ?? {};
    return family ? Object.keys(environment).filter((name) => family.test(name) && !known?.has(name)) : [];
}
