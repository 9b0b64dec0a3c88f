import { chown, link, mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../model/failure.ts";
import type { ServerAddress } from "../../adapter.ts";
import type { LogPlace, LogReceiver, ReceivedFile } from "../../physical.ts";
import { connectPostgres, libpq } from "../client.ts";
import { lsnOf, lsnText } from "../position.ts";
import { Arriving } from "./arriving.ts";
import { ownerOf, startTool, type Owner } from "./programs.ts";
import { follows, knownSegment, placeAt, segmentOf, segmentSize, startOf } from "./segment.ts";

/** Keeps the server's log until it has been taken from the directory; at most `max_slot_wal_keep_size` of it. */
const slot = "lifeboat_archive";
const part = ".partial";

interface Held {
    readonly segment: string;
    readonly status: string | null;
    readonly there: boolean;
}

/**
 * Makes the slot, and sees that the server still has the file. pg_receivewal is not handed the slot: it would let go of what it has received, which is not yet safe; we move it on when a file is taken.
 * @throws Failure("refused") where the file is gone
 */
async function holdLog(server: ServerAddress, file: string): Promise<void> {
    const client = await connectPostgres(server, "postgres");
    try {
        const { rows } = await client.query<Held>(
            `SELECT (SELECT setting FROM pg_settings WHERE name = 'wal_segment_size') AS segment,
                    (SELECT coalesce(wal_status, 'lost') FROM pg_replication_slots WHERE slot_name = $1) AS status,
                    EXISTS (SELECT FROM pg_ls_waldir() WHERE name = $2) AS there`,
            [slot, file],
        );
        const { segment, status, there } = rows[0]!;
        if (Number(segment) !== segmentSize)
            throw new Failure(
                "refused",
                `files of the server's log have ${segment} bytes, and only 16 MiB are understood`,
                "make the server with initdb's default",
            );
        // One that has lost what it should keep holds nothing any more.
        if (status === "lost") await client.query("SELECT pg_drop_replication_slot($1)", [slot]);
        if (status === null || status === "lost") await client.query("SELECT pg_create_physical_replication_slot($1, true)", [slot]);
        if (!there)
            throw new Failure(
                "refused",
                `the server no longer has ${file} of its log${status === "lost" ? ": more was written than max_slot_wal_keep_size lets it keep" : ""}`,
                "take a full copy: the log begins anew with it, and moments between are lost",
            );
    } finally {
        await client.end();
    }
}

/** The file from which on the server keeps its log for the archive; from now on, where it kept none. What it still has of older ones may go at any time. */
export async function oldestKept(server: ServerAddress): Promise<string | undefined> {
    const client = await connectPostgres(server, "postgres");
    try {
        await client.query(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND wal_status = 'lost'",
            [slot],
        );
        await client.query(
            "SELECT pg_create_physical_replication_slot($1, true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)",
            [slot],
        );
        const { rows } = await client.query<{ kept: string | null; file: string }>(
            "SELECT restart_lsn::text AS kept, pg_walfile_name(pg_current_wal_flush_lsn()) AS file FROM pg_replication_slots WHERE slot_name = $1",
            [slot],
        );
        const found = rows[0];
        return found?.kept ? placeAt(knownSegment(found.file).timeline, lsnOf(found.kept)).file : undefined;
    } finally {
        await client.end();
    }
}

/** The log before this file is kept no longer. */
async function letGo(server: ServerAddress, file: string): Promise<void> {
    const client = await connectPostgres(server, "postgres");
    try {
        await client.query(
            "SELECT pg_replication_slot_advance(slot_name, $2::pg_lsn) FROM pg_replication_slots WHERE slot_name = $1 AND restart_lsn < $2::pg_lsn AND NOT active",
            [slot, lsnText(startOf(knownSegment(file)))],
        );
    } finally {
        await client.end();
    }
}

const finalName = (name: string): string => (name.endsWith(part) ? name.slice(0, -part.length) : name);

/** Files of the log that are there, oldest first, whole or in part. */
async function logFiles(directory: string): Promise<{ file: string; whole: boolean }[]> {
    const names = (await readdir(directory)).filter((name) => segmentOf(finalName(name)) !== undefined);
    return names
        .map((name) => ({ file: finalName(name), whole: !name.endsWith(part) }))
        .sort((one, other) => (one.file < other.file ? -1 : 1));
}

/** What an earlier receiver left is gone on with where it has no hole; pg_receivewal itself goes on behind the newest whole file, and fetches a part anew into its place. */
async function prepare(directory: string, incoming: string, file: string, owner: Owner | undefined): Promise<void> {
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    if (owner) await chown(incoming, owner.uid, owner.gid);
    const there = await logFiles(incoming);
    const kept = there.filter((one) => one.file >= file);
    const goesOn =
        kept[0]?.file === file &&
        kept.every((one, index) => {
            const next = kept[index + 1];
            return next === undefined || (one.whole && follows(one.file, next.file));
        });
    for (const old of there) if (!goesOn || old.file < file) await remove(incoming, old.file);
    for (const name of await readdir(directory))
        if (segmentOf(name) !== undefined && (!goesOn || name < file)) await rm(join(directory, name), { force: true });
    if (goesOn) {
        // A receiver that ended as it made a file left it short, and the next one would refuse that.
        for (const { file: open } of kept.filter(({ whole }) => !whole)) await truncate(join(incoming, `${open}${part}`), segmentSize);
        return;
    }
    // An empty part tells pg_receivewal where to begin.
    const first = join(incoming, `${file}${part}`);
    await writeFile(first, "", { mode: 0o600 });
    if (owner) await chown(first, owner.uid, owner.gid);
}

async function remove(incoming: string, file: string): Promise<void> {
    for (const name of [file, `${file}${part}`]) await rm(join(incoming, name), { force: true });
}

/**
 * Receives the log with pg_receivewal into a folder of its own, and shows each file under its final name from the beginning (a link: the same bytes). What the server sends it has made durable; how far
 * a file holds whole records is read from the records themselves.
 */
export async function receiveWal(server: ServerAddress, file: string, directory: string, signal: AbortSignal): Promise<LogReceiver> {
    const incoming = join(directory, "incoming");
    const owner = ownerOf(directory);
    await holdLog(server, file);
    await prepare(directory, incoming, file, owner);
    signal.throwIfAborted();
    const program = startTool(
        "pg_receivewal",
        // Not synced: what a crash of this machine takes from the folder, the server still has.
        [`--directory=${incoming}`, "--no-loop", "--no-sync", "--status-interval=1", "--no-password"],
        { env: libpq(server, "postgres"), signal, owner },
    );
    program.stdin.end();
    program.stdout.resume();
    const ended = program.ended.then(
        () => Promise.reject(new Error("pg_receivewal has ended")),
        (error: unknown) => (signal.aborted ? undefined : Promise.reject(error instanceof Error ? error : new Error(String(error)))),
    );
    ended.catch(() => {});
    return new Receiver(server, directory, incoming, ended);
}

/** With where it lies: the final name is there from the beginning. */
interface ArrivedFile extends ReceivedFile {
    readonly path: string;
}

class Receiver implements LogReceiver {
    readonly ended: Promise<void>;
    readonly #server;
    readonly #directory;
    readonly #incoming;
    /** Files that were shown, and what is known of them. */
    readonly #shown = new Map<string, Arriving>();
    #kept: string | undefined;
    #turn: Promise<unknown> = Promise.resolve();

    constructor(server: ServerAddress, directory: string, incoming: string, ended: Promise<void>) {
        this.#server = server;
        this.#directory = directory;
        this.#incoming = incoming;
        this.ended = ended;
    }

    /** The log up to the file that holds this place is kept no longer. */
    async release({ file }: LogPlace): Promise<void> {
        if (file === this.#kept) return;
        await letGo(this.#server, file);
        this.#kept = file;
    }

    /** One at a time: what is known of a file moves on with each look. */
    files(): Promise<readonly ArrivedFile[]> {
        const look = this.#turn.then(() => this.#look());
        this.#turn = look.catch(() => {});
        return look;
    }

    async #look(): Promise<readonly ArrivedFile[]> {
        const visible = new Set(await readdir(this.#directory));
        const found: ArrivedFile[] = [];
        let before: Arriving | undefined;
        for (const { file, whole } of await logFiles(this.#incoming)) {
            const known = this.#shown.get(file);
            if (known && !visible.has(file)) {
                if (whole) {
                    await remove(this.#incoming, file);
                    this.#shown.delete(file);
                }
                before = known;
                continue;
            }
            const arriving = known ?? new Arriving(join(this.#directory, file), knownSegment(file));
            if (!known) {
                await this.#show(file);
                this.#shown.set(file, arriving);
            }
            await arriving.look(whole, before);
            found.push({ file, path: join(this.#directory, file), bytes: arriving.bytes, whole: arriving.whole });
            before = arriving;
        }
        return found;
    }

    async #show(file: string): Promise<void> {
        for (const name of [`${file}${part}`, file, `${file}${part}`])
            try {
                return await link(join(this.#incoming, name), join(this.#directory, file));
            } catch (error) {
                const { code } = error as NodeJS.ErrnoException;
                if (code === "EEXIST") return;
                // It is renamed as it becomes whole.
                if (code !== "ENOENT") throw error;
            }
        throw new Error(`${file} was received, and is gone`);
    }
}
