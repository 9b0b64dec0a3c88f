import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";

const next = "make room there, see that it is yours, or set XDG_CACHE_HOME to another place";

/** @throws Failure when nothing can be written to the cache. */
export async function requireCache(cache: string): Promise<void> {
    try {
        await mkdir(join(cache, "tools"), { recursive: true });
        await access(join(cache, "tools"), constants.W_OK);
    } catch (error) {
        throw new Failure("prerequisite", `cannot write to ${cache}`, next, { cause: error });
    }
}

/** What the system answers where a place is not ours, or is not what it should be. */
const refusals = ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST"];

/**
 * Tells that a part of the cache may not be read or written (somebody ran a set-up as root, say) from a fault.
 * @returns undefined where the error is another one
 */
export function cacheFailure(error: unknown, cache: string): Failure | undefined {
    const { code, path } = error as NodeJS.ErrnoException;
    if (!(error instanceof Error) || code === undefined || path === undefined) return undefined;
    if (!refusals.includes(code) || !(path === cache || path.startsWith(`${cache}/`))) return undefined;
    return new Failure("prerequisite", `cannot read or write ${path}`, next, { cause: error });
}
