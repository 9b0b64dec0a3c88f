import { cacheDirectory } from "../../sandbox/tools.ts";
import { cacheFailure, requireCache } from "./cache.ts";
import { engine } from "./engine.ts";
import { etcd } from "./etcd.ts";
import { kubectl } from "./kubectl.ts";
import { kubernetes } from "./kubernetes.ts";
import { moto } from "./moto.ts";
import { ensurePackages, lacksVenv, missingPackages } from "./packages.ts";
import { versitygw } from "./versitygw.ts";
import { ensurePiece, inspect } from "./ensure.ts";
import type { Note, Piece } from "./piece.ts";

/** The longest first, so that two at a time end together. */
export const pieces: readonly Piece[] = [engine, kubernetes, moto, kubectl, etcd];
/** Built when a command asks for it, and by no set-up. */
export const onDemand: readonly Piece[] = [versitygw];
/** Builds are bound by the processor; a link takes 3 GB. */
const atOnce = 2;

/**
 * Makes this machine ready for the sandbox: system packages, the engine, the control plane and its client, moto. Does nothing, within 100 ms, when nothing
 * changed. What it makes is kept in the cache that clones share, and a run that was stopped is gone on with.
 * @param note gets a line for each piece, with its time
 * @param options.thorough runs every program to see that it works, though its file is as it was
 * @throws Failure("prerequisite") naming what is missing and the next step
 */
export async function ensureSetup(note: Note, { thorough = false }: { thorough?: boolean } = {}): Promise<void> {
    await ensurePieces(pieces, note, { thorough, cache: cacheDirectory() });
}

/**
 * The machinery of `ensureSetup`, for any pieces.
 * @throws Failure("prerequisite") also where the cache is not ours to read or write
 */
export async function ensurePieces(...work: Parameters<typeof ensureEach>): Promise<void> {
    const [, , { cache }] = work;
    await ensureEach(...work).catch((error: unknown) => {
        throw cacheFailure(error, cache) ?? error;
    });
}

async function ensureEach(wanted: readonly Piece[], note: Note, { thorough, cache }: { thorough: boolean; cache: string }): Promise<void> {
    const conditions = await Promise.all(wanted.map(async (piece) => ({ piece, ...(await inspect(piece, thorough)) })));
    const builds = conditions.filter(({ state }) => state === "build").map(({ piece }) => piece);
    // Everything that a person has to do is said before minutes are spent.
    for (const piece of builds) await piece.requires();
    if (builds.length > 0) await requireCache(cache);
    await ensurePackages([...missingPackages(), ...(builds.includes(moto) && (await lacksVenv()) ? ["python3-venv"] : [])], cache, note);

    const queue = conditions.filter(({ state }) => state !== "ready").map(({ piece }) => piece);
    const failures: unknown[] = [];
    const worker = async () => {
        for (let piece = queue.shift(); piece && failures.length === 0; piece = queue.shift())
            try {
                await ensurePiece(piece, cache, note, thorough);
            } catch (error) {
                failures.push(error);
            }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    if (failures.length > 0) throw failures[0];
}
