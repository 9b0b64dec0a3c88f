import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { Failure } from "../model/failure.ts";

/** A program of the database's own tools, at work at one end of a pipe. */
export interface Program {
    readonly name: string;
    readonly stdin: Writable;
    readonly stdout: Readable;
    /** Fulfilled when it has exited with 0; rejected with the end of what it said on stderr otherwise. Never unhandled. */
    readonly ended: Promise<void>;
    /** The end of what it said on stderr so far. */
    said(): string;
    /** Ends it, if it still runs. */
    kill(): void;
}

export interface ProgramOptions {
    /** Added to the environment: where passwords go, which everybody could read on the command line. */
    env?: Record<string, string>;
    /** Whom it runs as; only root may say so. Default: who we are. */
    owner?: { readonly uid: number; readonly gid: number } | undefined;
    /** Is told all that the program says on stderr: `said` keeps its end only. */
    onSaid?: (text: string) => void;
    /** Kills the program. */
    signal: AbortSignal;
}

const keptOfStderr = 4_000;

/**
 * Starts a program with pipes at both ends.
 * @throws Failure("prerequisite") through `ended` when it is not installed.
 */
export function startProgram(command: string, args: readonly string[], options: ProgramOptions): Program {
    const child = spawn(command, args, {
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
        ...options.owner,
        signal: options.signal,
        killSignal: "SIGKILL",
    });
    let said = "";
    child.stderr.on("data", (text: Buffer) => {
        said = (said + text.toString()).slice(-keptOfStderr);
        options.onSaid?.(text.toString());
    });
    const ended = new Promise<void>((resolve, reject) => {
        child.on("error", (error: NodeJS.ErrnoException) => {
            if (error.code === "ENOENT")
                reject(
                    new Failure(
                        "prerequisite",
                        `${command} is not installed`,
                        `install the client tools of the database that have ${command}`,
                    ),
                );
            else reject(error);
        });
        child.on("close", (code, signal) => {
            if (code === 0) resolve();
            else reject(new Error(`${command} ended with ${signal ?? `exit status ${code}`}${said.trim() ? `: ${said.trim()}` : ""}`));
        });
    });
    ended.catch(() => {});
    return {
        name: command,
        stdin: child.stdin,
        stdout: child.stdout,
        ended,
        said: () => said,
        kill: () => void child.kill("SIGKILL"),
    };
}
