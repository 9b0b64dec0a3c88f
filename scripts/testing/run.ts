import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { globSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Failure } from "../../model/failure.ts";
import { program } from "../checks/checks.ts";
import type { Outcome } from "./mocha.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const coverageDirectory = join(root, "coverage");
const rooms = ["model", "components", "stacks", "policies", "stores", "backup", "recovery", "sandbox", "scripts", "examples"];

/** Tests that may be skipped, with the reason: anything else that is skipped fails the run. */
const skippable = z.array(z.strictObject({ title: z.string(), reason: z.string() }));
const allowedSkips = async () => skippable.parse(JSON.parse(await readFile(join(root, "test/skipped.json"), "utf8")));

const totals = z.object({ statements: z.object({ total: z.number(), covered: z.number() }) });

export interface TestResult extends Outcome {
    /** Why the run fails although no test did; empty when there is no such reason. */
    problems: string[];
    /** Statements of each room that ran, in percent. */
    coverage: Record<string, number>;
}

/** Test files that are asked for, or all of them. @throws Failure("usage") for one that is not there. */
export function testFiles(asked: readonly string[], from = process.cwd()): string[] {
    if (asked.length === 0) return globSync("test/**/*.test.ts", { cwd: root }).sort();
    return asked.map((file) => {
        const [found, ...others] = globSync(relative(root, resolve(from, file)), { cwd: root });
        if (found === undefined || others.length > 0) throw new Failure("usage", `${file} is not one test file`, "name files under test/");
        return found;
    });
}

/**
 * Runs test files under c8.
 * @param output where mocha's own report goes: a file descriptor
 */
export async function runTests(files: readonly string[], { long, output }: { long: boolean; output: 1 | 2 }): Promise<TestResult> {
    await rm(coverageDirectory, { recursive: true, force: true });
    await mkdir(coverageDirectory);
    const scratch = await mkdtemp(join(coverageDirectory, "run-"));
    const resultFile = join(scratch, "result.json");
    const include = rooms.map((room) => `--include=${room}/**`);
    const argv = [
        ...[program("c8"), "--reporter=json-summary", `--reports-dir=${coverageDirectory}`, `--temp-directory=${join(scratch, "v8")}`],
        ...[...include, "--exclude=**/*.test.ts", "--all", "--merge-async", "--"],
        ...[process.execPath, join(root, "scripts/testing/mocha.ts"), resultFile, ...files],
    ];
    const child = spawn(process.execPath, argv, {
        cwd: root,
        // Code from the compile cache has no exact coverage (Node's documentation of module.enableCompileCache).
        env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1", ...(long ? { LIFEBOAT_LONG: "1" } : {}) },
        stdio: ["ignore", output, "inherit"],
    });
    const code = await new Promise<number | null>((done, reject) => child.on("error", reject).on("close", done));
    const outcome = await readOutcome(resultFile, code);
    const allowed = (await allowedSkips()).map(({ title }) => title);
    const problems = problemsOf(outcome, allowed);
    const coverage = code === 0 ? await roomCoverage() : {};
    await rm(scratch, { recursive: true, force: true });
    return { ...outcome, problems, coverage };
}

/** Why a run is not good although no test failed. */
export function problemsOf(outcome: Outcome, allowedSkips: readonly string[]): string[] {
    return [
        ...(outcome.passed + outcome.failed === 0 ? ["no test ran"] : []),
        ...outcome.skipped
            .filter((title) => !allowedSkips.includes(title))
            .map((title) => `skipped without a reason in test/skipped.json: ${title}`),
        ...outcome.leftovers.map((left) => `a test left a process behind: ${left}`),
    ];
}

async function readOutcome(path: string, code: number | null): Promise<Outcome> {
    try {
        return JSON.parse(await readFile(path, "utf8")) as Outcome;
    } catch (error) {
        throw new Failure("no", `the tests ended with ${code} before they were through`, "see the lines above", { cause: error });
    }
}

async function roomCoverage(): Promise<Record<string, number>> {
    const summary = JSON.parse(await readFile(join(coverageDirectory, "coverage-summary.json"), "utf8")) as Record<string, unknown>;
    const sums = new Map<string, { total: number; covered: number }>();
    for (const [path, entry] of Object.entries(summary)) {
        const room = path === "total" ? "total" : relative(root, path).split("/")[0]!;
        const { statements } = totals.parse(entry);
        const sum = sums.get(room) ?? { total: 0, covered: 0 };
        sums.set(room, { total: sum.total + statements.total, covered: sum.covered + statements.covered });
    }
    return Object.fromEntries(
        [...sums].map(([room, { total, covered }]) => [room, total ? Math.round((covered / total) * 1000) / 10 : 100]),
    );
}
