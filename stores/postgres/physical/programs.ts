import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where Debian and the official image keep what is no client's: one directory a major version. */
const versions = "/usr/lib/postgresql";

/** Path of one of PostgreSQL's own programs: the one on PATH, else that of the newest version that is installed. A name that is nowhere is left to the error of its start. */
export function postgresProgram(name: string): string {
    const onPath = (process.env["PATH"] ?? "").split(delimiter).find((directory) => directory !== "" && existsSync(join(directory, name)));
    // What stands on Debian's PATH beside the clients is a wrapper that knows no data directory of ours.
    if (onPath !== undefined && onPath.startsWith(versions)) return join(onPath, name);
    const installed = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)) : [];
    const found = installed.map((version) => join(versions, version, "bin", name)).find((path) => existsSync(path));
    return found ?? (onPath === undefined ? name : join(onPath, name));
}
