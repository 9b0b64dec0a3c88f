import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure, type ExitName } from "../../../model/failure.ts";
import { scenarios } from "../../../model/runbook.ts";
import { makeRunbook } from "../../../recovery/runbook/page.ts";
import { exportRunbooks } from "../../../recovery/runbook/shelf.ts";
import { repository, startCommand } from "../../support/cli.ts";
import { estate } from "../doubles.ts";

const runbooks = scenarios.map((scenario) => makeRunbook(estate, scenario));
const isFailure = (exit: ExitName, message: RegExp) => (error: unknown) =>
    error instanceof Failure && error.exit === exit && message.test(error.message);

describe("a stick with the runbooks", () => {
    let stick: string;
    beforeEach(() => void (stick = mkdtempSync(join(tmpdir(), "lifeboat-stick-"))));
    afterEach(() => rmSync(stick, { recursive: true, force: true }));

    it("holds every scenario in both forms, in place of older ones, and nothing else is left", () => {
        writeFileSync(join(stick, "region-loss.md"), "old");
        writeFileSync(join(stick, "holiday.jpg"), "mine");
        const paths = exportRunbooks(stick, runbooks);
        assert.deepEqual(
            readdirSync(stick).sort(),
            ["holiday.jpg", ...scenarios.flatMap((scenario) => [`${scenario}.html`, `${scenario}.md`])].sort(),
        );
        assert.equal(paths.length, scenarios.length * 2);
        for (const { scenario, markdown, html } of runbooks) {
            assert.equal(readFileSync(join(stick, `${scenario}.md`), "utf8"), markdown);
            assert.equal(readFileSync(join(stick, `${scenario}.html`), "utf8"), html);
        }
    });

    it("that is not there, or is a file, is named", () => {
        assert.throws(() => exportRunbooks(join(stick, "none"), runbooks), isFailure("usage", /there is no directory .*none/));
        writeFileSync(join(stick, "file"), "");
        assert.throws(() => exportRunbooks(join(stick, "file"), runbooks), isFailure("usage", /is no directory/));
    });
});

describe("a stick that is full or write-protected", function () {
    this.timeout(30_000);
    /** Runs the command in a mount namespace of its own, with a small file system on `stick`. */
    const exportTo = (prepare: string) => {
        const stick = mkdtempSync(join(tmpdir(), "lifeboat-stick-"));
        const main = join(repository, "scripts/main.ts");
        const script = `${prepare} && { "$NODE" "$MAIN" runbook --export "$STICK"; code=$?; ls -A "$STICK"; cat "$STICK/region-loss.md" 2>&1; exit $code; }`;
        const env = { NODE: process.execPath, MAIN: main, STICK: stick };
        return startCommand(["unshare", "--mount", "sh", "-c", script], { env }).ended.finally(() => rmSync(stick, { recursive: true }));
    };
    before(function () {
        if (process.getuid?.() !== 0) this.skip(); // mounting needs root, as the sandbox does
        execFileSync("unshare", ["--mount", "true"]);
    });

    it("ends with 3, says what to do, and keeps the older page", async () => {
        const full = await exportTo('mount -t tmpfs -o size=8k stick "$STICK" && echo old > "$STICK/region-loss.md"');
        assert.equal(full.code, 3, full.stderr);
        assert.match(full.stderr, /is full; nothing there was changed\n(?:.*\n)? {2}next: make room/);
        assert.equal(full.stdout, "region-loss.md\nold\n");
        const shut = await exportTo('mount -t tmpfs stick "$STICK" && echo old > "$STICK/region-loss.md" && mount -o remount,ro "$STICK"');
        assert.equal(shut.code, 3, shut.stderr);
        assert.match(shut.stderr, /cannot be written to: .*\n(?:.*\n)? {2}next: take the write protection off/);
        assert.equal(shut.stdout, "region-loss.md\nold\n");
    });
});
