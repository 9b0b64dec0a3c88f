import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../..", import.meta.url));
const main = fileURLToPath(new URL("../../scripts/main.ts", import.meta.url));

export interface Ended {
    /** Exit code, or the signal that ended it. */
    code: number | NodeJS.Signals | null;
    stdout: string;
    stderr: string;
}

export interface Started {
    child: ChildProcess;
    /** What it said so far, on both. */
    said(): string;
    ended: Promise<Ended>;
}

/** Starts a command; its output is kept. The coverage of a Node child is counted in. */
export function startCommand(command: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Started {
    const [file = "", ...argv] = command;
    const coverage = process.env["LIFEBOAT_COVERAGE"];
    const child = spawn(file, argv, {
        cwd: options.cwd,
        env: { ...process.env, ...(coverage ? { NODE_V8_COVERAGE: coverage } : {}), ...options.env },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data: Buffer) => (stdout += data));
    child.stderr.on("data", (data: Buffer) => (stderr += data));
    const ended = new Promise<Ended>((resolve, reject) =>
        child.on("error", reject).on("close", (code, signal) => resolve({ code: signal ?? code, stdout, stderr })),
    );
    return { child, said: () => stdout + stderr, ended };
}

/** Runs `lifeboat ARGUMENTS` to its end, on the Node that runs us and without the launcher. */
export function lifeboat(argv: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
    return startCommand([process.execPath, main, ...argv], options).ended;
}
