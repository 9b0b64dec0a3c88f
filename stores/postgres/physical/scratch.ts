import { chownSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerAddress } from "../../adapter.ts";
import type { Moment } from "../../../model/moment.ts";
import type { ScratchPlace, ScratchServer } from "../../physical.ts";
import type { Program } from "../../program.ts";
import { connectPostgres } from "../client.ts";
import { lsnOf, lsnText } from "../position.ts";
import { server as shape } from "../server.ts";
import { checkPostgres } from "./check.ts";
import { readControl, readManifest, verifyCopy } from "./control.ts";
import { runTool, serverOwner, startTool, type Owner } from "./programs.ts";
import { segmentName, segmentAt, segmentOf, settled } from "./segment.ts";
import { scratchAccess, scratchSettings } from "./settings.ts";
import { stageLog, type StagedLog } from "./stage.ts";

const memoryDefault = 128 * 1_048_576;
const ownSettings = "postgresql.auto.conf";
/** The copy's own settings by ALTER SYSTEM, while the scratch runs. The server would read them whatever configuration it is handed. */
const aside = "postgresql.auto.conf.lifeboat";

/** Writes files that the server's user can read. */
function write(path: string, text: string, owner: Owner | undefined): void {
    writeFileSync(path, text, { mode: 0o600 });
    if (owner) chownSync(path, owner.uid, owner.gid);
}

/** What the log brings is not taken from the copy, which may have more of a file than it is asked to replay. */
function dropOwnLog(directory: string, staged: StagedLog): void {
    const first = staged.files[0]!;
    for (const file of readdirSync(join(directory, "pg_wal")))
        if (segmentOf(file) !== undefined && file >= first) rmSync(join(directory, "pg_wal", file));
}

/** Makes the directory one that recovers, and no standby, whatever its source was. */
function prepare(directory: string, owner: Owner | undefined): void {
    rmSync(join(directory, "standby.signal"), { force: true });
    if (existsSync(join(directory, aside))) throw new Error(`${directory} was started before, and not stopped: unpack the copy anew`);
    if (existsSync(join(directory, ownSettings))) renameSync(join(directory, ownSettings), join(directory, aside));
    write(join(directory, "recovery.signal"), "", owner);
}

function leave(directory: string): void {
    rmSync(join(directory, ownSettings), { force: true });
    if (existsSync(join(directory, aside))) renameSync(join(directory, aside), join(directory, ownSettings));
    // It names files as they were copied: the directory is a server's again.
    rmSync(join(directory, "backup_manifest"), { force: true });
    rmSync(join(directory, "backup_label.old"), { force: true });
}

function sayMissed(until: Moment): string {
    switch (until.to) {
        case "before":
            return `transaction ${until.transaction} is not in the log`;
        case "time":
            return `the log does not reach ${until.at.toISOString()}: nothing in it was committed then or later; "newest" is all that it has`;
        case "copy":
        case "newest":
        case "position":
        case "place":
            return "the log does not reach the moment that was asked for";
    }
}

/** A server's own words, shortened to those that say why it ended. */
function sayWhy(said: string): string {
    const lines = said
        .split("\n")
        .filter((line) => /^(FATAL|PANIC|ERROR|DETAIL|HINT)|redo done at|last completed transaction|invalid value|parameter/.test(line));
    return (lines.length > 0 ? lines : said.split("\n").slice(-5)).slice(-8).join("; ").trim();
}

/** Waits until the server lets us in. Its replay may take hours; the signal ends the wait. */
async function untilItAnswers(
    program: Program,
    address: ServerAddress,
    said: () => string,
    until: Moment,
    signal: AbortSignal,
): Promise<void> {
    let ended = false;
    program.ended.then(
        () => (ended = true),
        () => (ended = true),
    );
    for (;;) {
        signal.throwIfAborted();
        if (ended) {
            const why = sayWhy(said());
            if (why.includes("before configured recovery target was reached")) throw new Error(`${sayMissed(until)}: ${why}`);
            throw new Error(`PostgreSQL does not start from the copy: ${why}`);
        }
        try {
            const client = await connectPostgres(address);
            await client.end();
            return;
        } catch {
            // Not yet. Why it never will be is told by its end.
            await sleep(50, undefined, { signal });
        }
    }
}

async function reachedBy(address: ServerAddress): Promise<bigint> {
    const client = await connectPostgres(address);
    try {
        const { rows } = await client.query<{ recovering: boolean; reached: string | null }>(
            "SELECT pg_is_in_recovery() AS recovering, pg_last_wal_replay_lsn()::text AS reached",
        );
        const { recovering, reached } = rows[0]!;
        if (recovering || reached === null) throw new Error("PostgreSQL answers, and has not ended its recovery");
        return lsnOf(reached);
    } finally {
        await client.end();
    }
}

/** See `PhysicalStore.start`. */
export async function startPostgresScratch(place: ScratchPlace, signal: AbortSignal): Promise<ScratchServer> {
    const { directory, until, memory = memoryDefault } = place;
    const owner = await serverOwner(directory, signal);
    const copied = readManifest(directory);
    await verifyCopy(directory, signal);
    const control = await readControl(directory, signal);
    const home = mkdtempSync(join(tmpdir(), "lb-pg-"));
    try {
        if (owner) chownSync(home, owner.uid, owner.gid);
        const log = until.to === "copy" ? undefined : place.log;
        if (log === undefined && until.to !== "copy" && until.to !== "newest")
            throw new Error("without a log only the copy's own moment is reached");
        const staged = log && stageLog(log, until, copied.lsn, join(home, "log"), owner);
        const path = (name: string) => join(home, name);
        write(path("pg_hba.conf"), scratchAccess, owner);
        write(path("pg_ident.conf"), "", owner);
        const files = { socketDirectory: home, hba: path("pg_hba.conf"), ident: path("pg_ident.conf") };
        write(path("postgresql.conf"), scratchSettings({ control, ...files, log: staged?.directory, until, memory }), owner);
        prepare(directory, owner);
        if (staged) dropOwnLog(directory, staged);
        const scratch = new Scratch(directory, home, owner, signal);
        try {
            await scratch.begin(staged, until);
        } catch (error) {
            await scratch[Symbol.asyncDispose]();
            throw error;
        }
        return scratch;
    } catch (error) {
        rmSync(home, { recursive: true, force: true });
        throw error;
    }
}

class Scratch implements ScratchServer {
    readonly address: ServerAddress;
    position = "";
    readonly #directory;
    readonly #home;
    readonly #owner;
    readonly #program: Program;
    #said = "";
    #over = false;

    constructor(directory: string, home: string, owner: Owner | undefined, signal: AbortSignal) {
        this.#directory = directory;
        this.#home = home;
        this.#owner = owner;
        this.address = { host: "localhost", port: 5432, user: shape.superuser, password: "", database: "postgres", socketDirectory: home };
        this.#program = startTool("postgres", ["-D", directory, "-c", `config_file=${join(home, "postgresql.conf")}`], {
            signal,
            owner,
            onSaid: (text) => (this.#said = (this.#said + text).slice(-65_536)),
        });
        this.#program.stdin.end();
        this.#program.stdout.resume();
        this.#signal = signal;
    }
    readonly #signal: AbortSignal;

    async begin(staged: StagedLog | undefined, until: Moment): Promise<void> {
        await untilItAnswers(this.#program, this.address, () => this.#said, until, this.#signal);
        const reached = await reachedBy(this.address);
        const stopsInside = /recovery stopping before/.test(this.#said);
        if (staged && !stopsInside && settled(reached) !== settled(staged.end)) {
            const at = segmentName(segmentAt(segmentOf(staged.files[0]!)!.timeline, reached));
            throw new Error(
                `the log is damaged, or lacks a part, in ${at}: the replay ended at ${lsnText(reached)}, and the log goes on to ${lsnText(staged.end)}`,
            );
        }
        const asked = until.to === "position" ? until.position : undefined;
        this.position = asked !== undefined && settled(lsnOf(asked)) === settled(reached) ? asked : lsnText(reached);
    }

    check(signal: AbortSignal): Promise<void> {
        return checkPostgres(this.address, signal);
    }

    async stop(): Promise<void> {
        if (this.#over) return;
        const options = { owner: this.#owner, signal: this.#signal };
        await runTool("pg_ctl", ["stop", `--pgdata=${this.#directory}`, "--mode=fast", "--wait", "--timeout=3600", "--silent"], options);
        await this.#program.ended;
        this.#over = true;
        leave(this.#directory);
        rmSync(this.#home, { recursive: true, force: true });
        await runTool("initdb", ["--sync-only", `--pgdata=${this.#directory}`], options);
    }

    async [Symbol.asyncDispose](): Promise<void> {
        if (this.#over) return;
        this.#over = true;
        this.#program.kill();
        await this.#program.ended.catch(() => {});
        rmSync(this.#home, { recursive: true, force: true });
    }
}
