import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type mysql from "mysql2/promise";
import type { ServerAddress } from "../../adapter.ts";
import type { ScratchPlace, ScratchServer } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { connectMariadb, largestPacket, rowsOf, startMariadbClient } from "../client.ts";
import { checkTables } from "./check.ts";
import { endOf, type End } from "./moment.ts";

const MiB = 1_048_576;
const startMs = 120_000;

/** What mariadb-backup writes of the server's own settings, because the files need them: backup-my.cnf. */
function formatOf(directory: string): string[] {
    const text = readFileSync(join(directory, "backup-my.cnf"), "utf8");
    const needed = ["innodb_page_size", "innodb_data_file_path", "innodb_undo_tablespaces", "innodb_checksum_algorithm"];
    return needed.flatMap((name) => {
        const [, value] = new RegExp(`^${name}=(.*)$`, "m").exec(text) ?? [];
        return value === undefined ? [] : [`--${name.replaceAll("_", "-")}=${value}`];
    });
}

/** GTIDs that the copy shows, as it says itself. */
function positionOf(directory: string): string {
    const text = readFileSync(join(directory, "xtrabackup_info"), "utf8");
    return /GTID of the last change '([^']*)'/m.exec(text)?.[1]?.replaceAll(/\s/g, "") ?? "";
}

/** Makes files that were copied while they were written consistent. */
export async function prepare(directory: string, memory: number, signal: AbortSignal): Promise<void> {
    const program = startProgram("mariadb-backup", ["--no-defaults", "--prepare", `--target-dir=${directory}`, `--use-memory=${memory}`], {
        signal,
    });
    program.stdin.end();
    program.stdout.resume();
    await program.ended;
}

interface Running {
    readonly child: ChildProcess;
    readonly exited: Promise<void>;
    said(): string;
}

/**
 * The server without its grant tables: nobody's password is needed, no event runs, and nobody but the owner of the socket's directory reaches it. It has a binary log as the store's
 * own server has, so that what is replayed keeps its GTIDs in the server that is made of it.
 */
function launch(directory: string, home: string, memory: number): Running {
    const settings = [
        ...[`--datadir=${directory}`, `--socket=${join(home, "mysqld.sock")}`, `--pid-file=${join(home, "pid")}`, `--tmpdir=${home}`],
        ...["--skip-networking", "--skip-grant-tables", "--skip-slave-start", "--skip-name-resolve", "--event-scheduler=DISABLED"],
        ...["--server-id=1", "--log-bin=binlog", "--binlog-format=ROW", "--gtid-strict-mode=1", "--log-slave-updates=1"],
        ...["--character-set-server=utf8mb4", `--max-allowed-packet=${largestPacket}`, `--innodb-buffer-pool-size=${memory}`],
        // Nothing of it outlives this process but by an orderly end.
        ...["--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", ...formatOf(directory)],
    ];
    // The server refuses to be root unless it is told so.
    const owner = process.getuid?.() === 0 ? ["--user=root"] : [];
    const child = spawn("mariadbd", ["--no-defaults", ...owner, ...settings], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
        stream.on("data", (text: Buffer) => (output = (output + text.toString()).slice(-8000)));
    const exited = new Promise<void>((resolve) =>
        child.on("error", (error) => ((output += error.message), resolve())).on("close", () => resolve()),
    );
    return { child, exited, said: () => output };
}

async function untilItAnswers(address: ServerAddress, running: Running, signal: AbortSignal): Promise<mysql.Connection> {
    let over = false;
    void running.exited.then(() => (over = true));
    for (const deadline = performance.now() + startMs; ; await sleep(50, undefined, { signal })) {
        if (over) throw new Error(`the server does not start from the copy: ${errorsIn(running.said())}`);
        try {
            return await connectMariadb(address, null);
        } catch (error) {
            if (performance.now() > deadline) throw new Error(`the server did not answer within ${startMs / 1000} s`, { cause: error });
        }
    }
}
const errorsIn = (said: string) =>
    said
        .split("\n")
        .filter((line) => /\[ERROR\]/.test(line))
        .slice(-3)
        .join("; ") || said.slice(-500);

/** Applies the log as a client does: each event keeps its GTID, its time and its server. */
async function replay(
    address: ServerAddress,
    log: NonNullable<ScratchPlace["log"]>,
    end: Extract<End, { replay: true }>,
    signal: AbortSignal,
): Promise<void> {
    const reader = startProgram(
        "mariadb-binlog",
        [
            ...["--no-defaults", `--start-position=${log.from.offset}`, ...(end.stop === undefined ? [] : [`--stop-position=${end.stop}`])],
            ...end.files.map((file) => join(log.directory, file)),
        ],
        { signal },
    );
    reader.stdin.end();
    const applier = startMariadbClient(address, null, "SET SESSION wsrep_on = OFF", signal);
    applier.stdout.resume();
    try {
        await pipeline(reader.stdout, applier.stdin, { signal });
        await Promise.all([reader.ended, applier.ended]);
    } catch (error) {
        reader.kill();
        // The client that stopped at an error broke the pipe; its own words are the cause.
        await applier.ended.catch((cause: unknown) => {
            throw new Error("the log could not be replayed", { cause });
        });
        throw error;
    }
}

/** See `PhysicalStore.start`. */
export async function startMariadbScratch(place: ScratchPlace, signal: AbortSignal): Promise<ScratchServer> {
    const { directory, log, until, memory = 128 * MiB } = place;
    const copied = positionOf(directory);
    const files = log ? await filesFrom(log) : [];
    // Before anything is changed: whether the moment is in the log.
    const end: End = log ? await endOf(until, log.directory, files, log.from, copied) : { replay: false };
    await prepare(directory, memory, signal);
    const home = mkdtempSync(join(tmpdir(), "lifeboat-scratch-"));
    const running = launch(directory, home, memory);
    const abort = () => void running.child.kill("SIGKILL");
    signal.addEventListener("abort", abort, { once: true });
    const dispose = async () => {
        signal.removeEventListener("abort", abort);
        running.child.kill("SIGKILL");
        await running.exited;
        rmSync(home, { recursive: true, force: true });
    };
    try {
        const address: ServerAddress = {
            host: "localhost",
            port: 3306,
            user: "root",
            password: "",
            database: "mysql",
            socketDirectory: home,
        };
        const connection = await untilItAnswers(address, running, signal);
        let position: string;
        try {
            await connection.query("RESET MASTER");
            await connection.query("SET GLOBAL gtid_slave_pos = ?", [copied]);
            if (end.replay) await replay(address, log!, end, signal);
            const [found] = await rowsOf<{ position: string }>(connection, "SELECT @@gtid_current_pos AS position");
            position = found?.position ?? "";
        } finally {
            connection.destroy();
        }
        return {
            address,
            position,
            check: (stop) => checkTables(address, stop),
            stop: async () => {
                running.child.kill("SIGTERM");
                await running.exited;
                if (!/Shutdown complete/.test(running.said()))
                    throw new Error(`the server did not end in an orderly way: ${errorsIn(running.said())}`);
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

/** Files of the log from the copy's own on, by number. @throws Error where that is not there */
async function filesFrom({ directory, from }: NonNullable<ScratchPlace["log"]>): Promise<string[]> {
    const files = (await readdir(directory)).filter((file) => /\.\d{6,}$/.test(file)).sort();
    const first = files.indexOf(from.file);
    if (first === -1) throw new Error(`the log lacks ${from.file}, in which it goes on behind the copy`);
    return files.slice(first);
}
