import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Piece } from "./piece.ts";

/** What a piece was made from, and how its files looked when it was last seen to run. */
const stampFile = ".lifeboat.json";
const schema = z.strictObject({ key: z.string(), files: z.record(z.string(), z.tuple([z.number(), z.number()])) });

/** Size and time of change of the piece's files (links are followed); undefined when one is not there. */
function look(piece: Piece, directory: string): Record<string, [number, number]> | undefined {
    try {
        return Object.fromEntries(
            piece.files.map((file) => {
                const { size, mtimeMs } = statSync(join(directory, file));
                return [file, [size, Math.round(mtimeMs)] as [number, number]];
            }),
        );
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
    }
}

/**
 * `current`: made from these inputs, and its files are as they were. `none`: no readable stamp, or other files than it says: only a run can
 * tell. `other inputs`: made from something else.
 */
export function readStamp(piece: Piece): "current" | "other inputs" | "none" {
    let text: string;
    try {
        text = readFileSync(join(piece.directory, stampFile), "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return "none";
        throw error;
    }
    const stamp = parse(text);
    if (!stamp) return "none";
    if (stamp.key !== piece.key) return "other inputs";
    return JSON.stringify(stamp.files) === JSON.stringify(look(piece, piece.directory)) ? "current" : "none";
}

function parse(text: string): z.output<typeof schema> | undefined {
    try {
        return schema.safeParse(JSON.parse(text)).data;
    } catch {
        return undefined; // cut short by a kill: it says nothing
    }
}

/** Remembers how the piece in `directory` looks now. @throws when one of its files is not there. */
export function writeStamp(piece: Piece, directory: string): void {
    const files = look(piece, directory);
    if (!files) throw new Error(`${piece.name} was made without all of ${piece.files.join(", ")}`);
    const target = join(directory, stampFile);
    writeFileSync(`${target}.${process.pid}`, JSON.stringify({ key: piece.key, files }));
    renameSync(`${target}.${process.pid}`, target);
}
