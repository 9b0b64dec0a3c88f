import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { randomBytes } from "node:crypto";
import { withLock } from "./lock.ts";
import { readStamp, writeStamp } from "./stamp.ts";
import type { Note, Piece } from "./piece.ts";

/** What was found: `ready` was not touched, `sound` was run because its stamp was missing or differed, `build` has to be made. */
export type Condition = { state: "ready" } | { state: "sound" } | { state: "build"; why: string };

/**
 * Looks at a piece without changing it.
 * @param thorough runs it although its files are as they were
 */
export async function inspect(piece: Piece, thorough = false): Promise<Condition> {
    if (!existsSync(piece.directory)) return { state: "build", why: "not there yet" };
    const stamp = readStamp(piece);
    if (stamp === "current" && !thorough) return { state: "ready" };
    if (stamp === "other inputs") return { state: "build", why: "made from other inputs" };
    try {
        await piece.probe(piece.directory);
        return { state: stamp === "current" ? "ready" : "sound" };
    } catch (error) {
        const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
        return { state: "build", why: `damaged: ${line}` };
    }
}

/**
 * Makes a piece if it has to be made. Safe when two processes do it at once, and when it is killed: nothing half-made ever has the piece's
 * name, and what a killed run left is removed by the next.
 */
export async function ensurePiece(piece: Piece, cache: string, note: Note, thorough = false): Promise<"ready" | "built"> {
    if ((await inspect(piece, thorough)).state === "ready") return "ready";
    return withLock(join(cache, "locks", `piece-${basename(piece.directory)}`), note, async () => {
        // Whoever held the lock before us may have done it all.
        const condition = await inspect(piece, thorough);
        if (condition.state === "ready") return "ready";
        if (condition.state === "sound") {
            writeStamp(piece, piece.directory);
            return "ready";
        }
        await make(piece, cache, note, condition.why);
        return "built";
    });
}

async function make(piece: Piece, cache: string, note: Note, why: string): Promise<void> {
    const name = basename(piece.directory);
    const workshop = join(dirname(piece.directory), ".building");
    await mkdir(workshop, { recursive: true });
    // We hold the lock, so whatever has our name in front was left by a run that was killed.
    for (const left of await readdir(workshop))
        if (left.startsWith(`${name}.`)) await rm(join(workshop, left), { recursive: true, force: true });
    const unique = `${process.pid}-${randomBytes(3).toString("hex")}`;
    const building = join(workshop, `${name}.${unique}`);
    await mkdir(building);

    const started = performance.now();
    const seconds = () => `${Math.round((performance.now() - started) / 1000)} s`;
    note(`${piece.name}: ${why}, making it`);
    const beat = setInterval(() => note(`${piece.name}: still at it, ${seconds()}`), 30_000);
    try {
        await piece.build(building, join(cache, "logs", `${piece.name}.log`));
        await piece.probe(building);
        writeStamp(piece, building);
    } catch (error) {
        note(`${piece.name}: failed after ${seconds()}`);
        await rm(building, { recursive: true, force: true });
        throw error;
    } finally {
        clearInterval(beat);
    }
    const damaged = join(workshop, `${name}.${unique}.old`);
    if (existsSync(piece.directory)) await rename(piece.directory, damaged);
    await rename(building, piece.directory);
    await rm(damaged, { recursive: true, force: true });
    note(`${piece.name}: ready in ${seconds()}`);
}
