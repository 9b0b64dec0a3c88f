import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants } from "../../scripts/interruption.ts";
import { startCommand } from "../support/cli.ts";

const program = new URL("interrupted.ts", import.meta.url).pathname;
const alive = (pid: number) => existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z");

describe("Ctrl-C", function () {
    this.timeout(30_000);
    let directory: string;
    beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "lifeboat-interrupt-"))));
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    for (const [mood, signal] of [
        ["willing", "SIGINT"],
        ["willing", "SIGTERM"],
        ["stubborn", "SIGINT"],
    ] as const)
        it(`ends a command with ${mood} children on ${signal}: cleaned up, exit code 130, no process left`, async () => {
            const file = join(directory, "cleaned");
            const { child, said, ended } = startCommand([process.execPath, program, file, mood]);
            while (!said().includes("ready")) await sleep(20);
            await sleep(200);
            const below = descendants(child.pid!);
            assert.ok(below.length >= 4, JSON.stringify(below));
            child.kill(signal);
            const { code, stdout, stderr } = await ended;
            assert.equal(code, 130, stderr);
            assert.match(stdout, /aborted: stopped before it was done/);
            assert.equal(readFileSync(file, "utf8"), "cleaned up");
            assert.deepEqual(
                below.filter(({ pid }) => alive(pid)),
                [],
            );
        });

    it("does not wait for anything when it comes twice", async () => {
        const { child, said, ended } = startCommand([process.execPath, program, join(directory, "cleaned"), "stubborn"]);
        while (!said().includes("ready")) await sleep(20);
        await sleep(200);
        const below = descendants(child.pid!);
        child.kill("SIGINT");
        await sleep(100);
        const started = performance.now();
        child.kill("SIGINT");
        assert.equal((await ended).code, 130);
        assert.ok(performance.now() - started < 1000);
        await sleep(100);
        assert.deepEqual(
            below.filter(({ pid }) => alive(pid)),
            [],
        );
    });
});
