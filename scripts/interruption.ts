import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, exitCodes } from "../model/failure.ts";
import { note } from "./output.ts";

/** Clean-ups that a command asked for have so long (ms) before everything is killed. */
const grace = 20_000;

const controller = new AbortController();
const cleanups = new Set<() => void | Promise<void>>();
let passing = 0;

/** Aborted by Ctrl-C, SIGTERM or SIGHUP: hand it to whatever waits. */
export const interruption: AbortSignal = controller.signal;

/**
 * Runs `cleanup` if the command is interrupted; disposed when what it cleans up is gone. Children of this process need none: they are
 * ended anyway. It has 20 s.
 * @example using stopping = onInterruption(() => sandbox.stop());
 */
export function onInterruption(cleanup: () => void | Promise<void>): Disposable {
    cleanups.add(cleanup);
    return { [Symbol.dispose]: () => void cleanups.delete(cleanup) };
}

/** While it is held, Ctrl-C is the foreground child's affair (a shell, a client that a person talks to), not ours. */
export function leaveInterruptsToChild(): Disposable {
    passing += 1;
    return { [Symbol.dispose]: () => void (passing -= 1) };
}

interface Process {
    pid: number;
    parent: number;
    /** Clock ticks after boot: tells a process from a later one with the same number. */
    started: string;
    /** Name of its program, as the kernel keeps it (15 characters). */
    command: string;
}

function processes(): Process[] {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .flatMap((name) => {
            try {
                // The command's name is in brackets and may hold anything; what follows the last bracket is plain.
                const stat = readFileSync(`/proc/${name}/stat`, "utf8");
                const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
                const command = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
                return fields[0] === "Z" ? [] : [{ pid: Number(name), parent: Number(fields[1]), started: fields[19] ?? "", command }];
            } catch {
                return []; // gone between the listing and the reading
            }
        });
}

/** Every living process that `pid` started, and those that they started. */
export function descendants(pid: number): Process[] {
    const all = processes();
    const found: Process[] = [];
    const parents = new Set([pid]);
    for (let before = -1; before !== found.length;) {
        before = found.length;
        for (const each of all)
            if (parents.has(each.parent) && !parents.has(each.pid)) {
                parents.add(each.pid);
                found.push(each);
            }
    }
    return found;
}

function signal(targets: readonly Process[], name: NodeJS.Signals): void {
    for (const { pid } of targets)
        try {
            process.kill(pid, name);
        } catch {
            // it ended by itself
        }
}

/** Ends all that this process started: asked first, killed after `patience` ms. */
export async function endChildren(patience = 3000): Promise<void> {
    const targets = descendants(process.pid);
    const alive = () => {
        const now = new Map(processes().map((each) => [each.pid, each.started]));
        return targets.filter((each) => now.get(each.pid) === each.started);
    };
    signal(targets, "SIGTERM");
    for (const deadline = Date.now() + patience; Date.now() < deadline && alive().length > 0;) await sleep(50);
    // A parent that died left its children to init, where the list made before still finds them; new ones are found by asking again.
    signal([...alive(), ...descendants(process.pid)], "SIGKILL");
}

async function stop(why: NodeJS.Signals): Promise<never> {
    note(`stopping (${why}); once more to stop at once`);
    controller.abort(new Failure("interrupted", "stopped before it was done", "run it again: what was finished is kept"));
    const finished = Promise.allSettled([...cleanups].reverse().map(async (cleanup) => cleanup()));
    for (const result of (await Promise.race([finished, sleep(grace, [])])) ?? [])
        if (result.status === "rejected") note(`a clean-up failed: ${result.reason}`);
    await endChildren();
    process.exit(exitCodes.interrupted);
}

/** Makes Ctrl-C, SIGTERM and SIGHUP leave no process behind. The second one does not wait. */
export function handleInterruption(): void {
    let stopping = false;
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
        process.on(name, () => {
            if (name === "SIGINT" && passing > 0) return;
            if (stopping) {
                signal(descendants(process.pid), "SIGKILL");
                process.exit(exitCodes.interrupted);
            }
            stopping = true;
            void stop(name);
        });
}
