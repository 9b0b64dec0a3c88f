import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemsOf } from "../../scripts/testing/run.ts";
import type { Outcome } from "../../scripts/testing/mocha.ts";
import { startCommand } from "../support/cli.ts";

const runner = new URL("../../scripts/testing/mocha.ts", import.meta.url).pathname;

describe("running the tests", function () {
    this.timeout(30_000);
    let directory: string;
    beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "lifeboat-tests-"))));
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    const run = async (text: string) => {
        const file = join(directory, "some.test.ts");
        const result = join(directory, "result.json");
        writeFileSync(file, text);
        const ended = await startCommand([process.execPath, runner, result, file]).ended;
        return { ...ended, outcome: existsSync(result) ? (JSON.parse(readFileSync(result, "utf8")) as Outcome) : undefined };
    };

    it("counts what passed, failed and was skipped, and shows mocha's own report", async () => {
        const { outcome, stdout } = await run(`
            describe("suite", () => {
                it("good", () => {});
                it("bad", () => { throw new Error("on purpose"); });
                it("without a body");
                it("gives up", function () { this.skip(); });
                describe.skip("a suite", () => { it("inside", () => {}); });
            });`);
        assert.deepEqual(outcome, {
            passed: 1,
            failed: 1,
            skipped: ["suite without a body", "suite gives up", "suite a suite inside"],
            leftovers: [],
        });
        assert.match(stdout, /1 passing[^]*3 pending[^]*1 failing[^]*on purpose/);
    });

    it("counts a hook that fails", async () => {
        const { outcome } = await run(
            `describe("suite", () => { before(() => { throw new Error("hook"); }); it("never run", () => {}); });`,
        );
        assert.deepEqual([outcome?.passed, outcome?.failed], [0, 1]);
    });

    it("names processes that a test left behind, ends them, and does not hang on what is still open", async () => {
        const { outcome } = await run(`
            import { spawn } from "node:child_process";
            it("leaves", () => { spawn("sleep", ["1003"]); setInterval(() => {}, 1000); });`);
        assert.equal(outcome?.leftovers.length, 1);
        const [, pid] = /^(\d+) sleep$/.exec(outcome.leftovers[0]!)!;
        assert.equal(existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z"), false);
    });

    it("refuses .only, which would run less than it says", async () => {
        const { outcome, code } = await run(`it.only("alone", () => {}); it("other", () => {});`);
        assert.equal(outcome, undefined);
        assert.notEqual(code, 0);
    });

    it("takes a run for bad that ran nothing, skipped without a reason, or left processes", () => {
        const good = { passed: 3, failed: 0, skipped: [], leftovers: [] };
        assert.deepEqual(problemsOf(good, []), []);
        assert.deepEqual(problemsOf({ ...good, passed: 0 }, []), ["no test ran"]);
        assert.deepEqual(problemsOf({ ...good, skipped: ["a", "b"] }, ["a"]), ["skipped without a reason in test/skipped.json: b"]);
        assert.deepEqual(problemsOf({ ...good, leftovers: ["7 sleep"] }, []), ["a test left a process behind: 7 sleep"]);
    });
});
