import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { startProgram, type Program, type ProgramOptions } from "../../program.ts";

/** Where Debian and Ubuntu keep the server's programs, which are not on PATH there; the image's PATH has them. */
const debian = "/usr/lib/postgresql";

function debianDirectories(): string[] {
    try {
        return readdirSync(debian)
            .filter((version) => /^\d+$/.test(version))
            .sort((one, other) => Number(other) - Number(one))
            .map((version) => join(debian, version, "bin"));
    } catch {
        return [];
    }
}

function isThere(path: string): boolean {
    try {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
    } catch {
        return false;
    }
}

/** The program on PATH, else the newest of Debian's; its bare name where there is none, so that starting it says what is missing. */
export function findProgram(name: string): string {
    const onPath = (process.env.PATH ?? "").split(delimiter).filter((directory) => directory !== "");
    return [...onPath, ...debianDirectories()].map((directory) => join(directory, name)).find(isThere) ?? name;
}

export interface Owner {
    readonly uid: number;
    readonly gid: number;
}

/** PostgreSQL's server refuses to be root. Whom its directory belongs to runs it then; everybody else runs it as himself, as in a pod, where nobody is root. */
export function ownerOf(directory: string): Owner | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const { uid, gid } = statSync(directory);
    return { uid, gid };
}

export const startTool = (name: string, args: readonly string[], options: ProgramOptions): Program =>
    startProgram(findProgram(name), args, options);

/** Runs a program to its end. @returns what it wrote @throws Error where it failed, with what it said */
export async function runTool(name: string, args: readonly string[], options: ProgramOptions): Promise<string> {
    const program = startTool(name, args, options);
    program.stdin.end();
    const pieces: Buffer[] = [];
    program.stdout.on("data", (piece: Buffer) => pieces.push(piece));
    await program.ended;
    return Buffer.concat(pieces).toString();
}

const nobody: Owner = { uid: 65_534, gid: 65_534 };

/** The same for a server's directory: root's own is given to nobody, with all that is in it. */
export async function serverOwner(directory: string, signal: AbortSignal): Promise<Owner | undefined> {
    const owner = ownerOf(directory);
    if (owner?.uid !== 0) return owner;
    await runTool("chown", ["-R", `${nobody.uid}:${nobody.gid}`, directory], { signal });
    return nobody;
}
