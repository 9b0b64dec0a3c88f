import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ownerOf, runTool } from "./programs.ts";

/** What a data directory says of itself. https://www.postgresql.org/docs/15/app-pgcontroldata.html */
export interface Control {
    readonly timeline: number;
    readonly walLevel: string;
    readonly hints: boolean;
    readonly commitTimes: boolean;
    readonly prepared: number;
    readonly locks: number;
    readonly connections: number;
}

export async function readControl(directory: string, signal: AbortSignal): Promise<Control> {
    const text = await runTool("pg_controldata", [`--pgdata=${directory}`], { signal, owner: ownerOf(directory) });
    const values = new Map(text.split("\n").map((line) => [line.split(":", 1)[0]!.trim(), line.slice(line.indexOf(":") + 1).trim()]));
    const value = (name: string): string => {
        const found = values.get(name);
        if (found === undefined) throw new Error(`pg_controldata does not tell "${name}" of ${directory}`);
        return found;
    };
    return {
        timeline: Number(value("Latest checkpoint's TimeLineID")),
        walLevel: value("wal_level setting"),
        hints: value("wal_log_hints setting") === "on",
        commitTimes: value("track_commit_timestamp setting") === "on",
        prepared: Number(value("max_prepared_xacts setting")),
        locks: Number(value("max_locks_per_xact setting")),
        connections: Number(value("max_connections setting")),
    };
}

export interface CopiedUpTo {
    readonly timeline: number;
    /** End of the log that the copy itself needs: before it nothing is consistent. */
    readonly lsn: string;
}

/** The manifest that pg_basebackup put into the copy. @throws Error for a directory that holds no whole copy */
export function readManifest(directory: string): CopiedUpTo {
    let text: string;
    try {
        text = readFileSync(join(directory, "backup_manifest"), "utf8");
    } catch (error) {
        throw new Error(`${directory} holds no whole copy: its manifest is missing`, { cause: error });
    }
    const { "WAL-Ranges": ranges } = JSON.parse(text) as { "WAL-Ranges": { Timeline: number; "End-LSN": string }[] };
    const last = ranges.at(-1);
    if (last === undefined) throw new Error(`the manifest in ${directory} names no log`);
    return { timeline: last.Timeline, lsn: last["End-LSN"] };
}

/** Sizes and checksums of all files, and of each record of the log in it. @throws Error naming what is damaged */
export async function verifyCopy(directory: string, signal: AbortSignal): Promise<void> {
    await runTool("pg_verifybackup", ["--quiet", "--exit-on-error", directory], { signal, owner: ownerOf(directory) });
}
