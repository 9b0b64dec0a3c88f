import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Note } from "./piece.ts";

/**
 * Does `work` while no other process on this machine holds the same lock. The lock is the kernel's (flock), held by a child that ends when its
 * standard input closes: so it is dropped however we end, and there is no stale lock to clear.
 */
export async function withLock<Result>(path: string, note: Note, work: () => Promise<Result>): Promise<Result> {
    await mkdir(dirname(path), { recursive: true });
    // As flock opens it: where that is refused, it is an error that names the file.
    await (await open(path, constants.O_RDONLY | constants.O_CREAT, 0o666)).close();
    // `cat` says that the lock is held, and holds it until we close the pipe.
    const holder = spawn("flock", [path, "sh", "-c", "echo held; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
    const waiting = setTimeout(() => note(`waiting for another set-up to finish with ${basename(path).replace(/^piece-/, "")}`), 1000);
    try {
        await new Promise<void>((resolve, reject) => {
            holder.once("error", reject);
            holder.once("close", (code) => reject(new Error(`flock ${path} ended with ${code}`)));
            holder.stdout.once("data", () => resolve());
        });
        clearTimeout(waiting);
        return await work();
    } finally {
        clearTimeout(waiting);
        const ended = new Promise((resolve) => (holder.exitCode === null ? holder.once("close", resolve) : resolve(undefined)));
        holder.stdin.end();
        await ended;
    }
}
