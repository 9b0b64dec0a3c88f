import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Moment } from "../../../model/moment.ts";
import type { ServerAddress } from "../../adapter.ts";
import type { ScratchPlace, ScratchServer } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { connectPostgres } from "../client.ts";
import { checkDatabases } from "./check.ts";
import { postgresProgram } from "./programs.ts";
import { segmentsFrom } from "./segments.ts";
import { formatLsn, parseLsn, startOf } from "./wal.ts";
import { endOfLog } from "./waldump.ts";

const MiB = 1_048_576;
const startMs = 120_000;
/** A replay that does not get on for so long has something missing that nobody told of. */
const stallMs = 60_000;
/** Nobody: a server refuses to be root. In a pod nobody is root. */
const unprivileged = process.getuid?.() === 0 ? 65_534 : undefined;
const asServer = (command: readonly string[]): string[] =>
    unprivileged === undefined
        ? [...command]
        : ["setpriv", `--reuid=${unprivileged}`, `--regid=${unprivileged}`, "--clear-groups", "--pdeathsig=KILL", "--", ...command];

/** Settings that a standby has to have at least as high as the server that wrote the log. https://www.postgresql.org/docs/15/hot-standby.html#HOT-STANDBY-ADMIN */
async function minimums(directory: string, signal: AbortSignal): Promise<string[]> {
    const program = startProgram(postgresProgram("pg_controldata"), [`--pgdata=${directory}`], { signal });
    program.stdin.end();
    let text = "";
    for await (const part of program.stdout) text += (part as Buffer).toString();
    await program.ended;
    const value = (label: string) => new RegExp(`^${label} setting: +(\\d+)$`, "m").exec(text)?.[1];
    const names: Readonly<Record<string, string>> = {
        max_connections: "max_connections",
        max_worker_processes: "max_worker_processes",
        max_wal_senders: "max_wal_senders",
        max_prepared_xacts: "max_prepared_transactions",
        max_locks_per_xact: "max_locks_per_transaction",
    };
    return Object.entries(names).map(([label, name]) => `${name} = ${value(label) ?? 100}`);
}

/** Between the end of a page and the first record of the next lies a header: both are one position. */
const isSame = (reached: string, asked: string): boolean => {
    const [from, to] = [parseLsn(reached), parseLsn(asked)];
    return from <= to && to - from <= longHeader && from % pageBytes === 0n;
};
const [pageBytes, longHeader] = [8192n, 40n];

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
const shell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function target(until: Moment): string[] {
    switch (until.to) {
        case "copy":
            return ["recovery_target = 'immediate'"];
        case "newest":
            return [];
        case "time":
            return [
                `recovery_target_time = ${literal(until.at.toISOString().replace("T", " ").replace("Z", "+00"))}`,
                "recovery_target_inclusive = off",
            ];
        case "position":
            // What ends at a position is before it; what begins there is not.
            return [`recovery_target_lsn = ${literal(until.position)}`, "recovery_target_inclusive = off"];
        case "place":
            return [
                `recovery_target_lsn = ${literal(formatLsn(startOf(until.file) + BigInt(until.offset)))}`,
                "recovery_target_inclusive = off",
            ];
        case "before":
            return [`recovery_target_xid = ${literal(until.transaction)}`, "recovery_target_inclusive = off"];
    }
}

interface Running {
    readonly child: ChildProcess;
    readonly exited: Promise<void>;
    said(): string;
    over(): boolean;
}
function launch(directory: string, home: string): Running {
    const [file, ...args] = asServer([
        ...[postgresProgram("postgres"), "-D", directory],
        ...[
            "-c",
            `config_file=${join(home, "postgresql.conf")}`,
            "-c",
            `hba_file=${join(home, "pg_hba.conf")}`,
            "-c",
            `ident_file=${join(home, "pg_ident.conf")}`,
        ],
    ]);
    const child = spawn(file!, args, {
        cwd: home,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" },
    });
    let output = "";
    let over = false;
    for (const stream of [child.stdout, child.stderr])
        stream.on("data", (text: Buffer) => (output = (output + text.toString()).slice(-16_000)));
    const exited = new Promise<void>((resolve) =>
        child.on("error", (error) => ((output += error.message), resolve())).on("close", () => resolve()),
    ).then(() => void (over = true));
    return { child, exited, said: () => output, over: () => over };
}
const errorsIn = (said: string) =>
    said
        .split("\n")
        .filter((line) => /(FATAL|PANIC|ERROR):/.test(line) && !/starting up|not yet accepting/.test(line))
        .slice(-3)
        .join("; ") || said.slice(-500);

const autoConf = (directory: string) => join(directory, "postgresql.auto.conf");
const kept = (directory: string) => `${autoConf(directory)}.kept`;

/** Waits until the server has replayed what was asked, and stands still there. @returns the position */
async function untilThere(
    client: pg.Client,
    running: Running,
    until: Moment,
    end: bigint | undefined,
    signal: AbortSignal,
): Promise<string> {
    for (let [last, since] = ["", performance.now()]; ;) {
        if (running.over()) throw new Error(`the server does not come to the moment: ${errorsIn(running.said())}`);
        const { rows } = await client.query<{ at: string; state: string }>(
            "SELECT pg_last_wal_replay_lsn()::text AS at, pg_get_wal_replay_pause_state() AS state",
        );
        const { at, state } = rows[0]!;
        if (state === "paused") return at;
        if (at !== last) [last, since] = [at, performance.now()];
        if (performance.now() - since > stallMs)
            throw new Error(`the server has replayed nothing for ${stallMs / 1000} s, and stands at ${at}: ${running.said().slice(-500)}`);
        if (end !== undefined && parseLsn(at) >= end) {
            const wanted =
                until.to === "position"
                    ? parseLsn(until.position)
                    : until.to === "place"
                      ? startOf(until.file) + BigInt(until.offset)
                      : undefined;
            if (wanted !== undefined && wanted > end)
                throw new Error(`the log does not reach ${formatLsn(wanted)}: it ends at ${formatLsn(end)}`);
            if (until.to === "before")
                throw new Error(`the transaction ${until.transaction} is not in the log, which ends at ${formatLsn(end)}`);
            return at;
        }
        await sleep(50, undefined, { signal });
    }
}

async function untilItAnswers(address: ServerAddress, running: Running, signal: AbortSignal): Promise<pg.Client> {
    for (const deadline = performance.now() + startMs; ; await sleep(50, undefined, { signal })) {
        if (running.over()) throw new Error(`the server does not start from the copy: ${errorsIn(running.said())}`);
        try {
            return await connectPostgres(address, "postgres");
        } catch (error) {
            if (performance.now() > deadline)
                throw new Error(`the server did not answer within ${startMs / 1000} s: ${errorsIn(running.said())}`, { cause: error });
        }
    }
}

async function runToEnd(command: readonly string[], signal: AbortSignal): Promise<void> {
    const program = startProgram(command[0]!, command.slice(1), { signal });
    program.stdin.end();
    program.stdout.resume();
    await program.ended;
}

/** Where nobody is to be the server's user: everything in the directory is made theirs. */
async function hand(directory: string, signal: AbortSignal): Promise<void> {
    if (unprivileged !== undefined) await runToEnd(["chown", "-R", `${unprivileged}:${unprivileged}`, directory], signal);
    chmodSync(directory, 0o700);
}

/**
 * See `PhysicalStore.start`. The server runs as a standby that has nobody to follow: it replays the log that lies there, to the moment and no further, and is promoted then. Its own settings
 * files are not read, and stay as they are: what they name (libraries, certificates, directories) need not be on this machine.
 */
export async function startPostgresScratch(place: ScratchPlace, signal: AbortSignal): Promise<ScratchServer> {
    const { directory, log, memory = 128 * MiB } = place;
    const until: Moment = log ? place.until : { to: "copy" };
    const files = log ? segmentsFrom(log) : [];
    const end = log ? await endOfLog(log.directory, files, signal) : undefined;
    if (until.to === "position" && end !== undefined && parseLsn(until.position) > end)
        throw new Error(`the log does not reach ${until.position}: it ends at ${formatLsn(end)}`);
    if (existsSync(join(directory, "backup_manifest")))
        await runToEnd([postgresProgram("pg_verifybackup"), "--no-parse-wal", "--quiet", directory], signal);
    const home = mkdtempSync(join(tmpdir(), "lifeboat-scratch-"));
    if (unprivileged !== undefined) chownSync(home, unprivileged, unprivileged);
    const settings = [
        ...[
            "listen_addresses = ''",
            `unix_socket_directories = ${literal(home)}`,
            "port = 5432",
            "hot_standby = on",
            "logging_collector = off",
        ],
        ...[
            "fsync = off",
            "full_page_writes = off",
            `shared_buffers = ${Math.max(16, Math.floor(memory / MiB))}MB`,
            "max_wal_size = 1GB",
            "autovacuum = off",
        ],
        ...["wal_level = replica", "archive_mode = off", "row_security = on", ...(await minimums(directory, signal))],
        ...(log ? [`restore_command = ${literal(`cp -- ${shell(log.directory)}/%f "%p"`)}`] : ["restore_command = 'false'"]),
        ...[
            "recovery_target_action = pause",
            `recovery_target_timeline = ${log && readdirSync(log.directory).some((file) => file.endsWith(".history")) ? "latest" : "current"}`,
        ],
        ...target(until),
    ];
    writeFileSync(join(home, "postgresql.conf"), `${settings.join("\n")}\n`, { mode: 0o644 });
    writeFileSync(join(home, "pg_hba.conf"), "local all postgres trust\n", { mode: 0o644 });
    writeFileSync(join(home, "pg_ident.conf"), "", { mode: 0o644 });
    // It is read whatever config_file says.
    if (existsSync(autoConf(directory))) renameSync(autoConf(directory), kept(directory));
    writeFileSync(autoConf(directory), "", { mode: 0o600 });
    for (const stale of ["postmaster.pid", "recovery.signal"]) rmSync(join(directory, stale), { force: true });
    const following = existsSync(join(directory, "standby.signal"));
    writeFileSync(join(directory, "standby.signal"), "", { mode: 0o600 });
    await hand(directory, signal);
    if (log) await hand(log.directory, signal);
    const running = launch(directory, home);
    const abort = () => void running.child.kill("SIGQUIT");
    signal.addEventListener("abort", abort, { once: true });
    const dispose = async () => {
        signal.removeEventListener("abort", abort);
        if (!running.over()) running.child.kill("SIGQUIT");
        await running.exited;
        rmSync(home, { recursive: true, force: true });
    };
    try {
        const address: ServerAddress = {
            host: "localhost",
            port: 5432,
            user: "postgres",
            password: "",
            database: "postgres",
            socketDirectory: home,
        };
        const client = await untilItAnswers(address, running, signal);
        let position: string;
        try {
            const reached = await untilThere(client, running, until, end, signal);
            position = until.to === "position" && isSame(reached, until.position) ? until.position : reached;
            await client.query("SELECT pg_promote(true, 60)");
        } finally {
            await client.end();
        }
        return {
            address,
            position,
            check: (stop) => checkDatabases(address, stop),
            stop: async () => {
                running.child.kill("SIGINT"); // "fast": clients are dropped, everything is written
                await running.exited;
                if (!/database system is shut down/.test(running.said()))
                    throw new Error(`the server did not end in an orderly way: ${errorsIn(running.said())}`);
                if (existsSync(kept(directory))) renameSync(kept(directory), autoConf(directory));
                if (following) rmSync(join(directory, "standby.signal"), { force: true });
                // It was written without waiting for the disk.
                const synced = spawnSync(postgresProgram("initdb"), ["--sync-only", `--pgdata=${directory}`]);
                if (unprivileged === undefined && synced.status !== 0)
                    throw new Error(`the data could not be made durable: ${synced.stderr.toString()}`);
                await dispose();
            },
            [Symbol.asyncDispose]: dispose,
        };
    } catch (error) {
        await dispose();
        signal.throwIfAborted();
        throw error;
    }
}
