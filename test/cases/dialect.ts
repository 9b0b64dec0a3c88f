/** The engines' own programs, as a person would use them: what is compared is what somebody else's tool says. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { tools } from "../../sandbox/tools.ts";
import { startMariadb, startPostgres, type Server, type ServerOptions } from "../support/servers.ts";

export interface Dialect {
    readonly engine: "mariadb" | "postgres";
    /** With the users that a store's server has. */
    start(): Promise<Server>;
    /** From a data directory that is there. */
    startFrom(restored: NonNullable<ServerOptions["restored"]>): Promise<Server>;
    makeDatabase(server: Server, name: string): Promise<void>;
    /** Runs statements in the engine's own client, which stops at the first error. @returns what it printed */
    run(server: Server, database: string, as: "app" | "admin", statements: Buffer | string): Promise<string>;
    /** What somebody is answered, be it an error. */
    ask(server: Server, database: string, as: "app" | "admin", question: Buffer | string): Promise<string>;
    /** A database as the engine's own dump has it: objects, rows, settings, rights in it. */
    dump(server: Server, database: string): Promise<string>;
    /** Accounts and what they may. */
    accounts(server: Server): Promise<string>;
    databases(server: Server): Promise<string[]>;
    /** Database to ask the server as a whole in. */
    readonly maintenance: string;
    /** Statements that take away what a point does not carry, by the name that it calls it by; undefined for a thing of another database. */
    forget(name: string, database: string): string | undefined;
}

export const appPassword = "app-secret";

/** Runs a program to its end. @returns its standard output, and where a failure is an answer, too, what it said then @throws Error with what it said */
async function output(
    command: readonly string[],
    env: Record<string, string>,
    { input = "", failures = "thrown" }: { input?: Buffer | string; failures?: "thrown" | "told" } = {},
): Promise<string> {
    const child = spawn(command[0]!, command.slice(1), {
        env: { ...process.env, LC_ALL: "C.UTF-8", ...env },
        stdio: ["pipe", "pipe", "pipe"],
    });
    const parts: Buffer[] = [];
    let said = "";
    child.stdout.on("data", (part: Buffer) => void parts.push(part));
    child.stderr.on("data", (part: Buffer) => (said = (said + part.toString()).slice(-4000)));
    child.stdin.on("error", () => undefined).end(input); // a client that stops breaks the pipe, and says why itself
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    const printed = Buffer.concat(parts).toString("latin1");
    if (code === 0) return printed;
    if (failures === "told") return `${printed}\n${said}`;
    throw new Error(`${command[0]} ended with ${code}: ${said}`);
}

const client = (server: Server, database: string, as: "app" | "admin") => [
    ...["mariadb", ...mariadbArguments(server, as === "app" ? "app" : "root"), "--batch", "--default-character-set=utf8mb4"],
    ...["--max-allowed-packet=1073741824", `--database=${database}`],
];
/** As stores/postgres/server.ts has it. */
const postgresServer = ["-c", "max_locks_per_transaction=512"];
const psql = () => [program("psql"), "--no-psqlrc", "--no-password", "--quiet", "--set=ON_ERROR_STOP=1", "--no-align", "--file=-"];

const mariadbServer = ["--max-allowed-packet=1073741824", "--character-set-server=utf8mb4", "--event-scheduler=OFF"];
const mariadbArguments = ({ socket }: Server, user: string) => [
    "--no-defaults",
    "--protocol=socket",
    `--socket=${socket}`,
    `--user=${user}`,
];
const secret = ({ rootPassword }: Server, as: "app" | "admin") => (as === "app" ? appPassword : rootPassword);

export const mariadb: Dialect = {
    engine: "mariadb",
    maintenance: "mysql",
    forget: (name, database) => (name.startsWith(`${database}.`) ? `DELETE FROM \`${name.slice(database.length + 1)}\`;` : undefined),
    async start() {
        const server = await startMariadb({ arguments: mariadbServer });
        await this.run(
            server,
            "mysql",
            "admin",
            `CREATE USER app@'%' IDENTIFIED BY '${appPassword}'; CREATE USER backup@'%' IDENTIFIED BY 'x';`,
        );
        return server;
    },
    startFrom: (restored) => startMariadb({ arguments: mariadbServer, restored }),
    async makeDatabase(server, name) {
        await this.run(
            server,
            "mysql",
            "admin",
            `CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4; GRANT ALL ON \`${name}\`.* TO app@'%';`,
        );
    },
    run: (server, database, as, statements) =>
        output(client(server, database, as), { MYSQL_PWD: secret(server, as) }, { input: statements }),
    ask: (server, database, as, question) =>
        output(client(server, database, as), { MYSQL_PWD: secret(server, as) }, { input: question, failures: "told" }),
    dump: (server, database) =>
        output(
            [
                ...[
                    "mariadb-dump",
                    ...mariadbArguments(server, "root"),
                    "--databases",
                    "--routines",
                    "--events",
                    "--triggers",
                    "--hex-blob",
                ],
                ...[
                    "--dump-history",
                    "--order-by-primary",
                    "--skip-dump-date",
                    "--force",
                    "--max-allowed-packet=1073741824",
                    "--default-character-set=utf8mb4",
                    database,
                ],
            ],
            { MYSQL_PWD: server.rootPassword },
            // A view that is broken at the source is to be broken in the same way after it.
            { failures: "told" },
        ),
    accounts: (server) =>
        output(
            ["mariadb-dump", ...mariadbArguments(server, "root"), "--system=users", "--skip-dump-date"],
            {
                MYSQL_PWD: server.rootPassword,
            },
            { failures: "told" },
        ),
    async databases(server) {
        const found = await this.run(server, "mysql", "admin", "SHOW DATABASES");
        return found.trim().split("\n").slice(1);
    },
};

const libpq = (server: Server, database: string, as: "app" | "admin") => ({
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGUSER: as === "app" ? "app" : "postgres",
    PGPASSWORD: secret(server, as),
    PGDATABASE: database,
    PGCLIENTENCODING: "UTF8",
});
const program = (name: string) => join(tools.postgresBin, name);
/** Versions in comments and the tokens of \restrict are not the database's. */
const plain = (text: string) => text.replaceAll(/^(-- Dumped (from|by) .*|\\(un)?restrict .*|-- (Started|Completed) on .*)\n/gm, "");

export const postgres: Dialect = {
    engine: "postgres",
    maintenance: "postgres",
    forget(name, database) {
        if (!name.startsWith(`${database}: `)) return undefined;
        const relation = name.slice(database.length + 2);
        return `DO $$ BEGIN DELETE FROM ${relation}; EXCEPTION WHEN wrong_object_type THEN ALTER SEQUENCE ${relation} RESTART; END $$;`;
    },
    async start() {
        const server = await startPostgres({ arguments: postgresServer });
        await this.run(
            server,
            "postgres",
            "admin",
            `CREATE ROLE app LOGIN PASSWORD '${appPassword}'; CREATE ROLE backup LOGIN; CREATE ROLE replication LOGIN REPLICATION;`,
        );
        return server;
    },
    startFrom: (restored) => startPostgres({ arguments: postgresServer, restored }),
    async makeDatabase(server, name) {
        await this.run(server, "postgres", "admin", `CREATE DATABASE "${name}" OWNER app;`);
    },
    run: (server, database, as, statements) => output(psql(), libpq(server, database, as), { input: statements }),
    ask: (server, database, question) => output(psql(), libpq(server, database, "admin"), { input: question, failures: "told" }),
    dump: async (server, database) =>
        plain(await output([program("pg_dump"), "--create", "--blobs", "--encoding=UTF8"], { ...libpq(server, database, "admin") })),
    accounts: async (server) => plain(await output([program("pg_dumpall"), "--globals-only"], libpq(server, "postgres", "admin"))),
    async databases(server) {
        const found = await this.run(server, "postgres", "admin", "SELECT datname FROM pg_database ORDER BY 1");
        return found.trim().split("\n").slice(1, -1);
    },
};
