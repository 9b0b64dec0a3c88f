import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timeOf } from "./point.ts";

const prefix = "lifeboat-recovery-";
const stamp = (at: Date): string => at.toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");

export interface ScratchDirectory extends AsyncDisposable {
    readonly path: string;
}

/**
 * Makes a directory of our own, which is removed when it is disposed of, and removes those that killed runs left: its age is in its name.
 * @param parent default os.tmpdir()
 * @param lifetime nobody uses a directory for longer than this, in seconds
 */
export async function scratchDirectory(parent: string = tmpdir(), lifetime: number, now = new Date()): Promise<ScratchDirectory> {
    for (const name of await readdir(parent)) {
        const made = name.startsWith(prefix) ? timeOf(name.slice(prefix.length)).getTime() : NaN;
        // Another one may remove it at this moment, too.
        if (now.getTime() - made > lifetime * 1000) await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
    }
    const path = await mkdtemp(join(parent, `${prefix}${stamp(now)}-`));
    // Root's scratch servers are somebody else, who has to get through; what is in it is theirs alone.
    await chmod(path, 0o711);
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}
