import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, lstatSync, mkdirSync, readlinkSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Copies the working tree (what git tracks, and what it does not ignore) so that a stack's `init`, `config set` and `up` leave the original as it
 * was. `node_modules` is a link to the original's.
 * @param source the repository
 * @param target is replaced
 */
export function copyCheckout(source: string, target: string): void {
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    const listed = execFileSync(
        "git",
        ["-c", `safe.directory=${source}`, "-C", source, "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"],
        {
            encoding: "utf8",
            maxBuffer: 64 * 2 ** 20,
        },
    );
    for (const file of listed.split("\0").filter(Boolean)) {
        const [from, to] = [join(source, file), join(target, file)];
        // Tracked, and deleted in the working tree.
        if (!existsSync(from) && !isLink(from)) continue;
        mkdirSync(dirname(to), { recursive: true });
        if (isLink(from)) symlinkSync(readlinkSync(from), to);
        else copyFileSync(from, to);
    }
    symlinkSync(realpathSync(join(source, "node_modules")), join(target, "node_modules"));
}

const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
