import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ReceivedFile } from "../../stores/physical.ts";
import type { Cursor } from "./cut.ts";

/** Removes what the directory holds of other histories. @returns bytes that were removed */
export async function emptyBut(directory: string, kept: string): Promise<number> {
    let bytes = 0;
    for (const name of await readdir(directory).catch(() => [])) {
        if (name === kept) continue;
        const path = join(directory, name);
        for (const entry of await readdir(path, { withFileTypes: true, recursive: true }).catch(() => []))
            if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
        await rm(path, { recursive: true, force: true });
    }
    return bytes;
}

/** Removes whole files that are put, once the receiver is at a later one. */
export async function removeShipped(folder: string, files: readonly ReceivedFile[], { file: last, ended }: Cursor): Promise<void> {
    const at = files.findIndex((received) => received.file === last);
    const done = files.slice(0, Math.max(0, ended && at < files.length - 1 ? at + 1 : at));
    for (const { file, path } of done) for (const each of new Set([path, join(folder, file)])) await rm(each, { force: true });
}
