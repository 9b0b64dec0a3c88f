import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const pids = () => readdirSync("/proc").filter((each) => /^\d+$/.test(each));

function statOf(pid: string): { name: string; parent: string } | undefined {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return {
            name: stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")")),
            parent: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]!,
        };
    } catch {
        // it was not a process any more
        return undefined;
    }
}

function isOurs(pid: string): boolean {
    for (let at: string | undefined = pid; at !== undefined && at !== "0"; at = statOf(at)?.parent)
        if (at === String(process.pid)) return true;
    return false;
}

/** Kills a process below this one by its program's name, as soon as there is one. */
export async function killChild(name: string): Promise<boolean> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(5))
        for (const pid of pids())
            if (statOf(pid)?.name === name.slice(0, 15) && isOurs(pid)) {
                await sleep(20);
                process.kill(Number(pid), "SIGKILL");
                return true;
            }
    return false;
}
