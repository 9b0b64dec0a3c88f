import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Check {
    readonly name: string;
    readonly ok: boolean;
    readonly seconds: number;
    /** What the tool said; empty when it had nothing to say. */
    readonly output: string;
}

/** Path of a dependency's program, from its package.json: no `npx`, which may go to the network. */
export function program(name: string, bin = name): string {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const { bin: bins } = createRequire(import.meta.url)(manifest) as { bin: string | Record<string, string> };
    const path = typeof bins === "string" ? bins : bins[bin];
    if (path === undefined) throw new Error(`${name} has no program ${bin}`);
    return join(dirname(manifest), path);
}

async function check(name: string, argv: readonly string[]): Promise<Check> {
    const started = performance.now();
    const child = spawn(process.execPath, argv, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data));
    child.stderr.on("data", (data: Buffer) => (output += data));
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    return { name, ok: code === 0, seconds: Number(((performance.now() - started) / 1000).toFixed(1)), output: output.trim() };
}

/**
 * The quick checks: types (tsc, strict), lint (the rooms' arrows among its rules), formatting. All are run, whatever one says.
 * @param done is called as each ends
 */
export async function runChecks(done: (check: Check) => void): Promise<Check[]> {
    const tell = async (running: Promise<Check>) => {
        const result = await running;
        done(result);
        return result;
    };
    // Lint takes as long as the other two together.
    const lint = tell(check("lint", [program("eslint"), ".", "--max-warnings=0"]));
    const types = await tell(check("types", [program("typescript", "tsc"), "-p", "."]));
    const format = await tell(check("format", [program("prettier"), "--check", "--log-level=warn", "."]));
    return [types, await lint, format];
}
