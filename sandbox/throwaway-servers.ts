/**
 * Throw-away database servers: real ones, on 127.0.0.1, on a free port, as an unprivileged user, in a directory of their own.
 * They die with the process that started them, however it ends, and `stop()` ends them and removes the directory.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2/promise";
import pg from "pg";
import { tools } from "./tools.ts";
import { freePort } from "./free-port.ts";

export interface Server {
    readonly host: string;
    readonly port: number;
    /** Of `root` (MariaDB, over TCP and socket) or `postgres` (PostgreSQL, over TCP; the socket trusts). */
    readonly rootPassword: string;
    /** Path of MariaDB's socket; for PostgreSQL the directory that the socket is in. */
    readonly socket: string;
    /** Holds `data/`, the server's log and the socket. */
    readonly directory: string;
    readonly pid: number;
    stop(): Promise<void>;
}

export interface ServerOptions {
    /** Further arguments of the server. */
    arguments?: readonly string[];
    /** A database to make. */
    database?: string;
    /**
     * A data directory that is there already, with the superuser's password in it. It is given to the unprivileged user, and is not removed at the end.
     * @default a new one
     */
    restored?: { readonly data: string; readonly rootPassword: string };
}

export interface MariadbOptions extends ServerOptions {
    /** Default 1. Two servers that replicate need two numbers. */
    serverId?: number;
}

const host = "127.0.0.1";
/** nobody: a database server refuses to be root. */
const unprivileged = process.getuid?.() === 0 ? 65534 : undefined;

/** A command, run as the unprivileged user and killed by the kernel when this process dies. */
function unprivilegedCommand(command: readonly string[]): { file: string; arguments: string[] } {
    const identity = unprivileged === undefined ? [] : [`--reuid=${unprivileged}`, `--regid=${unprivileged}`, "--clear-groups"];
    return { file: "setpriv", arguments: [...identity, "--pdeathsig=KILL", "--", ...command] };
}

async function makeDirectory(name: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), `lifeboat-${name}-`));
    if (unprivileged !== undefined) await chown(directory, unprivileged, unprivileged);
    return directory;
}

/** Makes a directory, with all that is in it, the unprivileged user's. */
async function give(directory: string): Promise<void> {
    if (unprivileged === undefined) return;
    const child = spawn("chown", ["-R", `${unprivileged}:${unprivileged}`, directory], { stdio: "ignore" });
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    if (code !== 0) throw new Error(`chown of ${directory} ended with ${code}`);
}

// A MariaDB server that starts removes the temporary tables that it finds: each has a directory for them.
async function runToEnd(command: readonly string[], cwd: string): Promise<void> {
    const { file, arguments: argv } = unprivilegedCommand(command);
    const child = spawn(file, argv, { cwd, env: { ...process.env, TMPDIR: cwd }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data));
    child.stderr.on("data", (data: Buffer) => (output += data));
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    if (code !== 0) throw new Error(`${command[0]} ended with ${code}:\n${output}`);
}

interface Running {
    child: ChildProcess;
    output(): string;
    ended: Promise<void>;
}

function launch(command: readonly string[], cwd: string): Running {
    const { file, arguments: argv } = unprivilegedCommand(command);
    const child = spawn(file, argv, { cwd, env: { ...process.env, TMPDIR: cwd }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (data: Buffer) => (output = (output + data).slice(-20_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const ended = new Promise<void>((resolve) => child.on("error", () => resolve()).on("close", () => resolve()));
    return { child, output: () => output, ended };
}

/** Waits until `probe` succeeds; false when the server ended before that. */
async function answers(running: Running, probe: () => Promise<void>): Promise<boolean> {
    let last: unknown;
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(100)) {
        if (running.child.exitCode !== null || running.child.signalCode !== null) return false;
        try {
            await probe();
            return true;
        } catch (error) {
            last = error;
        }
    }
    throw new Error(`the server did not answer within 60 s (${String(last)}):\n${running.output()}`);
}

async function stopServer(running: Running, signal: NodeJS.Signals, directory: string): Promise<void> {
    running.child.kill(signal);
    const hard = setTimeout(() => running.child.kill("SIGKILL"), 10_000);
    await running.ended;
    clearTimeout(hard);
    await rm(directory, { recursive: true, force: true });
}

/** Starts a server; another port is tried when somebody else took the one that was free. */
async function start(
    name: string,
    directory: string,
    stopSignal: NodeJS.Signals,
    command: (port: number) => string[],
    probe: (port: number) => Promise<void>,
): Promise<{ port: number; pid: number; stop(): Promise<void> }> {
    for (let attempt = 1; ; attempt += 1) {
        const port = await freePort();
        const running = launch(command(port), directory);
        if (await answers(running, () => probe(port)))
            return { port, pid: running.child.pid!, stop: () => stopServer(running, stopSignal, directory) };
        if (attempt === 3) {
            await rm(directory, { recursive: true, force: true });
            throw new Error(`${name} does not start:\n${running.output()}`);
        }
    }
}

/** Starts a MariaDB server with a binary log in ROW format and strict GTIDs, ready to be dumped and replicated. */
export async function startMariadb(options: MariadbOptions = {}): Promise<Server> {
    const directory = await makeDirectory("mariadb");
    const { restored } = options;
    const data = restored?.data ?? join(directory, "data");
    const socket = join(directory, "mysqld.sock");
    const rootPassword = restored?.rootPassword ?? randomBytes(12).toString("hex");
    if (restored) await give(data);
    else
        await runToEnd(
            ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", `--datadir=${data}`],
            directory,
        );
    const initial = join(directory, "initial.sql");
    const statements = [
        // Users are of this server alone: none of this may reach a replica.
        "SET SESSION sql_log_bin = 0",
        ...["localhost", "127.0.0.1"].flatMap((from) => [
            `CREATE OR REPLACE USER root@'${from}' IDENTIFIED BY '${rootPassword}'`,
            `GRANT ALL ON *.* TO root@'${from}' WITH GRANT OPTION`,
        ]),
        ...(options.database ? ["SET SESSION sql_log_bin = 1", `CREATE DATABASE IF NOT EXISTS \`${options.database}\``] : []),
    ];
    await writeFile(initial, statements.map((statement) => `${statement};\n`).join(""), { mode: 0o644 });
    const server = await start(
        "mariadbd",
        directory,
        "SIGTERM",
        (port) => [
            ...["mariadbd", "--no-defaults", `--datadir=${data}`, `--socket=${socket}`, `--bind-address=${host}`, `--port=${port}`],
            ...[`--server-id=${options.serverId ?? 1}`, "--log-bin=binlog", "--binlog-format=ROW", "--gtid-strict-mode=1"],
            // Its data need not survive the machine.
            ...[
                "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=2",
                "--innodb-buffer-pool-size=32M",
                ...(restored ? [] : [`--init-file=${initial}`]),
            ],
            ...(options.arguments ?? []),
        ],
        async (port) => {
            const connection = await mysql.createConnection({ host, port, user: "root", password: rootPassword, connectTimeout: 2000 });
            await connection.end();
        },
    );
    return { host, rootPassword, socket, directory, ...server };
}

/** Starts a PostgreSQL server with `wal_level=replica`; TCP asks for the password (SCRAM), replication connections too. */
export async function startPostgres(options: ServerOptions = {}): Promise<Server> {
    const directory = await makeDirectory("postgres");
    const { restored } = options;
    const data = restored?.data ?? join(directory, "data");
    const rootPassword = restored?.rootPassword ?? randomBytes(12).toString("hex");
    const passwordFile = join(directory, "password");
    await writeFile(passwordFile, rootPassword, { mode: 0o644 });
    if (restored) await give(data);
    else
        await runToEnd(
            [
                ...[join(tools.postgresBin, "initdb"), `--pgdata=${data}`, "--username=postgres", `--pwfile=${passwordFile}`, "--no-sync"],
                ...["--auth-host=scram-sha-256", "--auth-local=trust", "--encoding=UTF8", "--locale=C.UTF-8"],
            ],
            directory,
        );
    const server = await start(
        "postgres",
        directory,
        // "Fast": PostgreSQL's SIGTERM would wait for clients.
        "SIGINT",
        (port) => [
            ...[join(tools.postgresBin, "postgres"), "-D", data, "-h", host, "-p", String(port), "-k", directory],
            ...["-c", "fsync=off", "-c", "wal_level=replica", "-c", "max_wal_senders=5", "-c", "shared_buffers=32MB"],
            ...(options.arguments ?? []),
        ],
        async (port) => {
            const client = new pg.Client({ host, port, user: "postgres", password: rootPassword, connectionTimeoutMillis: 2000 });
            await client.connect();
            await client.end();
        },
    );
    if (options.database) {
        const client = new pg.Client({ host, port: server.port, user: "postgres", password: rootPassword });
        await client.connect();
        await client.query(`CREATE DATABASE ${pg.escapeIdentifier(options.database)}`);
        await client.end();
    }
    return { host, rootPassword, socket: directory, directory, ...server };
}
