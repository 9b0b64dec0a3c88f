/**
 * Runs a command that dies with whoever holds the other end of this process's standard input: `node leash.ts COMMAND ARGS...`.
 * An activation that is killed must not leave a `pulumi up` behind that goes on writing while the resumed run does the same.
 */
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** Every process that `root` started and those that they started: engine plugins stand in process groups of their own. */
function descendants(root: number): number[] {
    const parents = new Map<number, number>();
    for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
        try {
            const stat = readFileSync(`/proc/${name}/stat`, "utf8");
            parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
        } catch {
            // gone between the listing and the reading
        }
    }
    const found = [root];
    for (const parent of found) for (const [pid, itsParent] of parents) if (itsParent === parent) found.push(pid);
    return found;
}

function kill(root: number): void {
    // Stopped first, so that none of them starts another while the list is being worked through.
    for (const signal of ["SIGSTOP", "SIGKILL"] as const)
        for (const pid of descendants(root)) {
            try {
                process.kill(pid, signal);
            } catch {
                // it ended by itself
            }
        }
}

const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error("usage: node leash.ts COMMAND ARGS...");
const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
child.on("error", (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(127);
});
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
// The child decides when a polite signal ends it; this process only passes its exit on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
const holderIsGone = () => {
    if (child.pid !== undefined) kill(child.pid);
    process.exit(137);
};
process.stdin.on("end", holderIsGone).on("error", holderIsGone).resume();
