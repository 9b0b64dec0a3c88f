/**
 * Runs test files in this process with mocha's own reporter, and writes what came out to a file: `node mocha.ts RESULT FILE...`.
 * `scripts/testing/run.ts` starts it under c8.
 */
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import Mocha from "mocha";
import { descendants, endChildren } from "../interruption.ts";

/** What a run of the tests came to. Titles are full: suite, suite, test. */
export interface Outcome {
    passed: number;
    failed: number;
    /** Titles of the tests that were not run. */
    skipped: string[];
    /** Command lines of processes that the tests started and did not end. */
    leftovers: string[];
}

const [resultFile, ...files] = process.argv.slice(2);
if (resultFile === undefined || files.length === 0) throw new Error("usage: mocha.ts RESULT FILE...");

// Processes that tests start are not measured unless a test asks for it (test/support/cli.ts): each would write some MB on its way out.
const coverage = process.env["NODE_V8_COVERAGE"];
if (coverage !== undefined) {
    process.env["LIFEBOAT_COVERAGE"] = coverage;
    delete process.env["NODE_V8_COVERAGE"];
}

const mocha = new Mocha({ timeout: 10_000, forbidOnly: true, color: process.stdout.isTTY === true });
for (const file of files) mocha.addFile(file);
await mocha.loadFilesAsync();
const outcome: Outcome = { passed: 0, failed: 0, skipped: [], leftovers: [] };
await new Promise<void>((resolve) => {
    mocha
        .run(() => resolve())
        .on("pass", () => (outcome.passed += 1))
        // A hook that fails counts too, as in mocha's own summary.
        .on("fail", () => (outcome.failed += 1))
        .on("pending", (test: Mocha.Test) => outcome.skipped.push(test.fullTitle()));
});
// A server that was told to stop may take some seconds over it.
for (let second = 0; second < 20 && descendants(process.pid).length > 0; second++) await sleep(1000);
outcome.leftovers = descendants(process.pid).map(({ pid, command }) => `${pid} ${command}`);
await endChildren();
writeFileSync(resultFile, JSON.stringify(outcome));
// A test that left a timer or socket open must not hang the run.
process.exit(0);
