import { join } from "node:path";
import { lastLines } from "../../sandbox/last-lines.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";

/** How a run that was to be killed ended. */
export interface KilledRun {
    /** `STEP before | during | after`. */
    point: string;
    exitCode: number | null;
    signal: string | undefined;
}

export interface KillOptions {
    command: "activate" | "failback";
    points: readonly string[];
    note: (line: string) => void;
}

/**
 * Runs one activation or fail-back, killed with -9 at each point in turn and resumed each time, and then once more to its end.
 * @param ends told of each run that was killed
 * @throws where a run ended before its point
 */
export async function killedAtEach(sandbox: Sandbox, { command, points, note }: KillOptions, ends: KilledRun[]) {
    const startedAt = Date.now();
    const run = async (more: string[], env: Record<string, string>) => {
        const child = sandbox.exec(["lifeboat", command, "--yes", "--json", ...more], {
            actor: "activation",
            env,
            execa: { reject: false, stdin: "ignore" },
        });
        const { exitCode, signal, stdout, stderr } = await child;
        const said = lastLines(String(stderr), 5);
        return { exitCode: exitCode ?? null, signal, stdout: String(stdout), said };
    };
    for (const [index, point] of points.entries()) {
        const { exitCode, signal, said } = await run(index === 0 ? ["--reason", "killed at every point"] : ["--resume"], {
            NODE_OPTIONS: `--import ${join(sandbox.checkout, "test/rehearsal/kill-point.ts")}`,
            LIFEBOAT_TEST_KILL: point,
        });
        note(`  killed ${point}: ${signal ?? exitCode}`);
        ends.push({ point, exitCode, signal });
        if (exitCode === 0) throw new Error(`the ${command} ended before it could be killed ${point}: ${said}`);
    }
    return { startedAt, ...(await run(["--resume"], {})), finishedAt: Date.now() };
}

/** Whether a run was killed, itself or through the shell that it was started by. */
export const wasKilled = ({ exitCode, signal }: KilledRun): boolean => signal === "SIGKILL" || exitCode === 137;
