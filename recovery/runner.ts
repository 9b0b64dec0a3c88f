import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { z } from "zod";

/** The process that runs an activation: enough to name it to a person, and to tell on its own machine whether it still lives. */
export const runner = z.strictObject({
    by: z.string(),
    host: z.string(),
    pid: z.int(),
    /** Boot of the machine and the namespace that `pid` counts in; absent where the system does not tell. */
    machine: z.string().optional(),
    /** Start of the process in clock ticks after boot: tells it from a later one with the same number. */
    started: z.string().optional(),
});
export type Runner = z.output<typeof runner>;

const read = (take: () => string): string | undefined => {
    try {
        return take().trim();
    } catch {
        return undefined; // not Linux, or gone
    }
};
const machine = (): string | undefined => {
    const boot = read(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"));
    const space = read(() => readlinkSync("/proc/self/ns/pid"));
    return boot === undefined || space === undefined ? undefined : `${boot} ${space}`;
};
const startOf = (pid: number): string | undefined =>
    read(() => {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return fields[0] === "Z" ? "" : (fields[19] ?? "");
    });

/** Who runs this: the login name on this machine, as in "anna@laptop". */
export function operator(): string {
    return `${read(() => userInfo().username) ?? String(process.getuid?.() ?? "somebody")}@${hostname()}`;
}

/** This very process. */
export function thisRunner(): Runner {
    const [where, started] = [machine(), startOf(process.pid)];
    return {
        by: operator(),
        host: hostname(),
        pid: process.pid,
        ...(where === undefined ? {} : { machine: where }),
        ...(started === undefined ? {} : { started }),
    };
}

/** "no": it ran on this machine and has ended. "cannot tell": it runs elsewhere, or the system does not say. */
export function isAlive(other: Runner): "yes" | "no" | "cannot tell" {
    if (other.machine === undefined || other.started === undefined || other.machine !== machine()) return "cannot tell";
    return startOf(other.pid) === other.started ? "yes" : "no";
}

/** Whether a process that ran on this machine, by its name, is no more. False for one of another machine. */
export const hasEndedHere = ({ host, pid }: Pick<Runner, "host" | "pid">): boolean => host === hostname() && !startOf(pid);

export const sameRunner = (a: Runner, b: Runner): boolean =>
    a.host === b.host && a.pid === b.pid && a.started === b.started && a.machine === b.machine;
