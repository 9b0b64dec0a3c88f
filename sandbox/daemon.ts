import { spawn } from "node:child_process";
import { mkdirSync, openSync, closeSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SiteName } from "../model/estate.ts";
import { lastLines } from "./last-lines.ts";

/** A program that the sandbox runs for as long as it stands. */
export interface Daemon {
    /** Unique in its sandbox; the log is `logs/NAME.log`. */
    readonly name: string;
    /** Program and arguments: no shell in between. */
    readonly command: readonly string[];
    /** Added to the environment that it inherits. */
    readonly env?: Readonly<Record<string, string>>;
    /** Runs in this site's cgroup, and so is frozen and killed with the site. */
    readonly site?: SiteName;
    /** Resolves once it serves. May poll; whoever starts the daemon sets the limit. */
    ready(): Promise<void>;
}

export interface DaemonExit {
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
}

export interface RunningDaemon {
    readonly daemon: Daemon;
    readonly pid: number;
    readonly log: string;
    /** Resolves when it is gone, for whatever reason. */
    readonly exited: Promise<DaemonExit>;
    /** Whether it is gone. */
    over(): boolean;
    /** TERM, then KILL after `grace` ms (default 5000). */
    stop(grace?: number): Promise<DaemonExit>;
}

export interface StartOptions {
    /** Log file; appended to. */
    readonly log: string;
    /** Directory of a cgroup (v2) that it is born in. */
    readonly cgroup?: string;
    /** Limit on `ready()` in ms. @default 300000 */
    readonly limit?: number;
}

/**
 * Starts a daemon and waits until it is ready. It dies with this process (pdeathsig).
 * @throws Error with the end of its log if it ends before it is ready, or is not ready in time (it is killed then).
 */
export async function startDaemon(daemon: Daemon, options: StartOptions): Promise<RunningDaemon> {
    mkdirSync(dirname(options.log), { recursive: true });
    const fd = openSync(options.log, "a");
    // The shell joins the cgroup before it becomes the program, so that nothing that the program forks can be outside.
    const enter = options.cgroup ? ["sh", "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', options.cgroup] : [];
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...enter, ...daemon.command], {
        env: { ...process.env, ...daemon.env },
        stdio: ["ignore", fd, fd],
    });
    closeSync(fd);
    let over = false;
    const exited = new Promise<DaemonExit>((resolve) => {
        child.on("error", () => resolve({ code: 127, signal: null }));
        child.on("exit", (code, signal) => resolve({ code, signal }));
    });
    void exited.then(() => (over = true));
    const running: RunningDaemon = {
        daemon,
        pid: child.pid ?? -1,
        log: options.log,
        exited,
        over: () => over,
        async stop(grace = 5000) {
            child.kill("SIGTERM");
            const timer = setTimeout(() => child.kill("SIGKILL"), grace);
            const exit = await exited;
            clearTimeout(timer);
            return exit;
        },
    };
    const limit = options.limit ?? 300_000;
    const timer = new AbortController();
    try {
        await Promise.race([
            daemon.ready(),
            exited.then(({ code, signal }) => {
                throw new Error(`${daemon.name} ended (${signal ?? `code ${code}`}) before it was ready:\n${tail(options.log)}`);
            }),
            sleep(limit, undefined, { signal: timer.signal }).then(() => {
                throw new Error(`${daemon.name} was not ready after ${limit / 1000} s:\n${tail(options.log)}`);
            }),
        ]);
    } catch (error) {
        child.kill("SIGKILL");
        throw error;
    } finally {
        timer.abort();
    }
    return running;
}

/** The last lines of a log. */
export function tail(file: string, lines = 15): string {
    return lastLines(readFileSync(file, "utf8"), lines);
}

/**
 * Asks until the answer is neither undefined nor false; an error counts as "not yet".
 * @param limit in ms.
 * @throws Error that names `what` and the last error when the time is over.
 */
export async function until<T>(
    what: string,
    limit: number,
    ask: () => Promise<T | undefined | false> | T | undefined | false,
    pause = 50,
): Promise<T> {
    let last: unknown;
    // Asks less and less often: a machine that is slow to answer is not helped by questions.
    for (const end = Date.now() + limit; Date.now() < end; await sleep(pause), pause = Math.min(pause * 1.3, 1000)) {
        try {
            const answer = await ask();
            if (answer !== undefined && answer !== false) return answer;
        } catch (error) {
            last = error;
        }
    }
    throw new Error(`${what}: not within ${limit / 1000} s`, { cause: last });
}
