import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Actor } from "./addresses.ts";

/** Process id, out here, of a sandbox's first process; undefined when it is gone (a number that was given to another process since does not count). */
export function supervisorPid(directory: string): number | undefined {
    try {
        const [pid, start] = readFileSync(join(directory, "supervisor.pid"), "utf8").trim().split(" ");
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        // Field 3 is the state, field 22 the start time.
        return fields[0] !== "Z" && fields[19] === start ? Number(pid) : undefined;
    } catch (error) {
        if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
        throw error;
    }
}

/**
 * The command line that runs a command inside: the sandbox's files and processes, the actor's network. The command dies with its parent, and
 * with the sandbox.
 */
export function enter(pid: number, actor: Exclude<Actor, "checkers">, cwd: string, command: readonly string[]): string[] {
    return [
        // Ctrl-C goes to all of a terminal's processes: an nsenter that died of it would kill the command, which may have something to put right first.
        ...["env", "--ignore-signal=INT"],
        "nsenter",
        `--target=${pid}`,
        "--mount",
        "--pid",
        `--net=/proc/${pid}/root/run/netns/${actor}`,
        "--",
        // nsenter forks to enter the pid namespace: killing it kills the command.
        ...["setpriv", "--pdeathsig", "KILL", "--", "env", "--default-signal=INT"],
        ...["sh", "-c", 'cd "$0" && exec "$@"', cwd],
        ...command,
    ];
}

/** Sends a signal to the command that `enter` started as child `pid`: nsenter itself passes none on. */
export function signalInner(pid: number, signal: NodeJS.Signals | number): boolean {
    try {
        const inner = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
        process.kill(inner || pid, signal);
        return true;
    } catch (error) {
        if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
        throw error;
    }
}
