import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../../model/failure.ts";
import type { ServerAddress } from "../../adapter.ts";
import type { ScratchPlace, ScratchServer } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { checkTables } from "./check.ts";
import { shownBy } from "./copy.ts";
import { endOf, endOfCopy, type End } from "./moment.ts";
import { readyForLog, replay } from "./replay.ts";
import { errorsIn, launch, untilItAnswers } from "./scratch-server.ts";
import { Superuser } from "./superuser.ts";
import { lastWords } from "./words.ts";

const MiB = 1_048_576;

const infoOf = (directory: string) => readFileSync(join(directory, "xtrabackup_info"), "utf8");

/** Makes files that were copied while they were written consistent. */
export async function prepare(directory: string, memory: number, signal: AbortSignal): Promise<void> {
    const program = startProgram("mariadb-backup", ["--no-defaults", "--prepare", `--target-dir=${directory}`, `--use-memory=${memory}`], {
        signal,
    });
    program.stdin.end();
    program.stdout.resume();
    await program.ended.catch((error: unknown) => {
        signal.throwIfAborted();
        if (error instanceof Failure) throw error;
        throw new Error(`the copy could not be made consistent: ${lastWords(error)}`, { cause: error });
    });
}

/** See `PhysicalStore.start`. */
export async function startMariadbScratch(place: ScratchPlace, signal: AbortSignal): Promise<ScratchServer> {
    const { directory, log, memory = 128 * MiB } = place;
    const own = shownBy(infoOf(directory));
    const copied = own?.position ?? "";
    // Before anything is changed: whether the log is this copy's own and whole, and the moment in it.
    const end = await endOfPlace(place, copied);
    await prepare(directory, memory, signal);
    await bringHome(directory);
    // The end of the log that the source was writing comes with the copy: here it would be the beginning of another one.
    if (own) await rm(join(directory, own.log.file), { force: true });
    const home = mkdtempSync(join(tmpdir(), "lifeboat-scratch-"));
    const superuser = new Superuser();
    superuser.write(home);
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
            password: superuser.password,
            database: "mysql",
            socketDirectory: home,
        };
        const connection = await untilItAnswers(address, running, signal);
        const { position } = end;
        try {
            if (end.replay) {
                await readyForLog(connection);
                await replay(address, log!, end, signal);
                await superuser.renew(connection);
            }
            // As of a replica that was just seeded: its own log is empty, and its first transaction will have the next number.
            await connection.query("SET GLOBAL gtid_slave_pos = ?", [position]);
            await connection.query("SET GLOBAL slave_exec_mode = DEFAULT");
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

/**
 * Tables with a DATA DIRECTORY lie in the copy as the others do, beside a note of where the source has them: a server that heeds it would open the source's own files, if it is on the same machine.
 */
async function bringHome(directory: string): Promise<void> {
    for (const file of await readdir(directory, { recursive: true })) if (file.endsWith(".isl")) await rm(join(directory, file));
}

async function endOfPlace({ directory, log, until }: ScratchPlace, copied: string): Promise<End> {
    if (log === undefined) return endOfCopy(until, copied);
    const own = shownBy(infoOf(directory))?.log;
    if (own === undefined) throw new Error("the copy is of a server that kept no log: nothing can be replayed behind it");
    if (own.file !== log.from.file || own.offset !== log.from.offset)
        throw new Error(
            `the copy goes on at byte ${own.offset} of ${own.file}, and the log is said to do so at byte ${log.from.offset} of ${log.from.file}`,
        );
    const files = (await readdir(log.directory)).filter((file) => /\.\d{6,}$/.test(file)).sort((a, b) => number(a) - number(b));
    const first = files.indexOf(own.file);
    if (first === -1) throw new Error(`the log lacks ${own.file}, in which it goes on behind the copy`);
    return endOf(until, log.directory, files.slice(first), own, copied);
}
const number = (file: string) => Number(file.split(".").at(-1));
