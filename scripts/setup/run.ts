import { spawn } from "node:child_process";
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, statfsSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { Failure } from "../../model/failure.ts";

/** Where a program lies on PATH, or in the places that Debian and Go use without putting them there. */
export function which(program: string): string | undefined {
    const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/local/go/bin"];
    return places
        .filter((place) => place !== "")
        .map((place) => join(place, program))
        .find((path) => {
            try {
                accessSync(path, constants.X_OK);
                return true;
            } catch {
                return false;
            }
        });
}

interface RunOptions {
    cwd?: string;
    env?: Record<string, string>;
    /** File that the output is appended to. */
    log: string;
    /** What it does, for the error: "building etcd". */
    purpose: string;
}

/** Runs a command to its end. It dies with us. @throws Failure("prerequisite") with the last lines that it said. */
export async function run(command: readonly string[], { cwd, env, log, purpose }: RunOptions): Promise<void> {
    mkdirSync(dirname(log), { recursive: true });
    const start = size(log);
    const output = openSync(log, "a");
    const child = spawn("setpriv", ["--pdeathsig=KILL", "--", ...command], {
        cwd,
        env: { ...process.env, ...env },
        stdio: ["ignore", output, output],
    });
    closeSync(output);
    const ended = await new Promise<string>((resolve, reject) =>
        child.on("error", reject).on("close", (code, signal) => resolve(signal ?? String(code))),
    );
    if (ended === "0") return;
    if (isFull(dirname(log)))
        throw new Failure(
            "prerequisite",
            `${purpose} ended with ${ended}: no space left in ${dirname(log)}`,
            "make room there and run this again: what was done is kept",
        );
    const said = readFileSync(log).subarray(start).toString().trimEnd().split("\n").slice(-15);
    throw new Failure(
        "prerequisite",
        `${purpose} ended with ${ended}:\n${said.map((line) => `    ${line}`).join("\n")}`,
        `all that it said is in ${log}; mend it and run this again: what was done is kept`,
    );
}

/** A program that found no room often cannot even say so: its log is as full as the rest. */
function isFull(directory: string): boolean {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize < 1024 ** 2;
}

function size(path: string): number {
    try {
        return statSync(path).size;
    } catch {
        return 0; // no log yet
    }
}

/** What a command says on stdout and stderr. @throws Error when it does not end well within 2 min (a busy machine must not look damaged). */
export async function ask(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const [file = "", ...argv] = command;
    const child = spawn(file, argv, {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 120_000,
        killSignal: "SIGKILL",
    });
    let said = "";
    child.stdout.on("data", (data: Buffer) => (said += data));
    child.stderr.on("data", (data: Buffer) => (said += data));
    const ended = await new Promise<string>((resolve, reject) =>
        child.on("error", reject).on("close", (code, signal) => resolve(signal ?? String(code))),
    );
    if (ended !== "0") throw new Error(`${command.join(" ")} ended with ${ended}: ${said.trim().split("\n").at(-1)}`);
    return said.trim();
}
