import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../model/failure.ts";
import { cacheFailure } from "../../scripts/setup/cache.ts";
import { ensurePiece, inspect } from "../../scripts/setup/ensure.ts";
import { ensurePieces } from "../../scripts/setup/setup.ts";
import { startCommand } from "../support/cli.ts";
import { fakePiece } from "./fixture.ts";

const fixture = new URL("fixture.ts", import.meta.url).pathname;
const quiet = () => {};

describe("setting a piece up", function () {
    this.timeout(30_000);
    let cache: string;
    beforeEach(() => (cache = mkdtempSync(join(tmpdir(), "lifeboat-setup-"))));
    afterEach(() => rmSync(cache, { recursive: true, force: true }));

    const builds = () => (existsSync(join(cache, "builds")) ? readFileSync(join(cache, "builds"), "utf8").trim().split("\n").length : 0);
    const workshop = () => readdirSync(join(cache, "tools", ".building"));
    const setUp = (seconds: number) => startCommand([process.execPath, fixture, cache, String(seconds)]);

    it("makes it once, says how long that took, and then does not even run it", async () => {
        const lines: string[] = [];
        assert.equal(await ensurePiece(fakePiece(cache), cache, (line) => lines.push(line)), "built");
        assert.deepEqual(lines, ["tool: not there yet, making it", "tool: ready in 0 s"]);
        const again = fakePiece(cache);
        assert.equal(await ensurePiece(again, cache, quiet), "ready");
        assert.deepEqual(again.done, []);
        assert.deepEqual(workshop(), []);
    });

    it("runs it although nothing changed when it is asked to be thorough", async () => {
        await ensurePiece(fakePiece(cache), cache, quiet);
        const again = fakePiece(cache);
        assert.equal(await ensurePiece(again, cache, quiet, true), "ready");
        assert.deepEqual(again.done, ["probe"]);
    });

    it("makes it anew when a file of it is cut short, replaced by something that does not run, or gone", async () => {
        const program = join(cache, "tools/tool-1/bin/tool");
        for (const damage of [
            () => truncateSync(program, 3),
            () => writeFileSync(program, "#!/bin/sh\nexit 1\n"),
            () => rmSync(program),
            () => writeFileSync(program, "#!/bin/sh\necho 0.9\n"),
        ]) {
            await ensurePiece(fakePiece(cache), cache, quiet);
            damage();
            const found = await inspect(fakePiece(cache));
            assert.match(found.state === "build" ? found.why : found.state, /^damaged: /);
            assert.equal(await ensurePiece(fakePiece(cache), cache, quiet), "built");
            assert.deepEqual(await inspect(fakePiece(cache)), { state: "ready" });
        }
    });

    it("adopts what somebody else put there if it runs and is the right version, and replaces it if not", async () => {
        const bin = join(cache, "tools/tool-1/bin");
        mkdirSync(bin, { recursive: true });
        writeFileSync(join(bin, "tool"), "#!/bin/sh\necho 1.0\n", { mode: 0o755 });
        assert.equal(await ensurePiece(fakePiece(cache), cache, quiet), "ready");
        assert.equal(builds(), 0);
        rmSync(join(cache, "tools/tool-1/.lifeboat.json"));
        writeFileSync(join(bin, "tool"), "#!/bin/sh\necho 0.9\n");
        assert.equal(await ensurePiece(fakePiece(cache), cache, quiet), "built");
    });

    it("does not trust a stamp that was cut short", async () => {
        await ensurePiece(fakePiece(cache), cache, quiet);
        truncateSync(join(cache, "tools/tool-1/.lifeboat.json"), 5);
        const again = fakePiece(cache);
        assert.equal(await ensurePiece(again, cache, quiet), "ready");
        assert.ok(again.done.includes("probe"));
        assert.deepEqual(await inspect(fakePiece(cache)), { state: "ready" });
    });

    it("makes it anew when it was made from other inputs", async () => {
        await ensurePiece(fakePiece(cache, { version: "1.0" }), cache, quiet);
        assert.equal(await ensurePiece(fakePiece(cache, { version: "1.1" }), cache, quiet), "built");
        assert.deepEqual(workshop(), []);
    });

    it("tells what a build that fails said, and leaves nothing that looks like the piece", async () => {
        const broken = fakePiece(cache, { build: "echo no room left; exit 9" });
        await assert.rejects(ensurePiece(broken, cache, quiet), (error) => {
            assert.ok(error instanceof Failure);
            assert.equal(error.exit, "prerequisite");
            assert.match(error.message, /building tool ended with 9:\n\s+no room left/);
            assert.match(error.next, /logs\/tool\.log/);
            return true;
        });
        assert.equal(existsSync(broken.directory), false);
        assert.deepEqual(workshop(), []);
    });

    it("does not take a build for good that ended well and made something that does not run", async () => {
        const broken = fakePiece(cache, { build: "mkdir bin; echo garbage > bin/tool" });
        await assert.rejects(ensurePiece(broken, cache, quiet));
        assert.equal(existsSync(broken.directory), false);
    });

    it("keeps the sound one in place until the new one is whole", async () => {
        await ensurePiece(fakePiece(cache, { version: "1.0" }), cache, quiet);
        await assert.rejects(ensurePiece(fakePiece(cache, { version: "1.1", build: "exit 1" }), cache, quiet));
        assert.match(readFileSync(join(cache, "tools/tool-1/bin/tool"), "utf8"), /1\.0/);
    });

    it("goes on after kill -9 in the middle of a build: nothing half-made has its name, and the leavings are removed", async () => {
        const killed = setUp(30);
        while (builds() === 0) await sleep(20);
        await sleep(100);
        killed.child.kill("SIGKILL");
        assert.equal((await killed.ended).code, "SIGKILL");
        assert.equal(existsSync(join(cache, "tools/tool-1")), false);
        assert.equal(workshop().length, 1);
        assert.equal(await ensurePiece(fakePiece(cache), cache, quiet), "built");
        assert.deepEqual(workshop(), []);
    });

    it("is made once by two that start together, and the second waits for the first", async () => {
        const [one, other] = [setUp(2), setUp(2)];
        const ended = await Promise.all([one.ended, other.ended]);
        assert.deepEqual(ended.map(({ stdout }) => stdout.trim()).sort(), ["built", "ready"]);
        assert.equal(builds(), 1);
        assert.match(ended.map(({ stderr }) => stderr).join(""), /waiting for another set-up/);
    });

    it("asks for everything that a person must install before it builds anything", async () => {
        const first = fakePiece(cache, { name: "first" });
        const lacking = {
            ...fakePiece(cache, { name: "second" }),
            requires: () => Promise.reject(new Failure("prerequisite", "Go is not on PATH", "install Go")),
        };
        await assert.rejects(ensurePieces([first, lacking], quiet, { thorough: false, cache }), /Go is not on PATH/);
        assert.equal(builds(), 0);
    });

    it("starts no further piece once one has failed, and throws the first failure", async () => {
        const broken = ["a", "b"].map((name) => fakePiece(cache, { name, build: `sleep 0.2; echo ${name} broke; exit 1` }));
        const later = fakePiece(cache, { name: "later" });
        await assert.rejects(ensurePieces([...broken, later], quiet, { thorough: false, cache }), /[ab] broke/);
        assert.equal(existsSync(later.directory), false);
    });

    it("tells that a part of the cache is not ours, with the next step, and no fault", async () => {
        for (const part of ["locks", "tools/.building", "logs"]) {
            const own = mkdtempSync(join(cache, "own-"));
            mkdirSync(join(own, "tools"));
            // A file in a directory's place: root may write anywhere else.
            writeFileSync(join(own, part), "");
            await assert.rejects(
                ensurePieces([fakePiece(own)], quiet, { thorough: false, cache: own }),
                (error: unknown) =>
                    error instanceof Failure &&
                    error.exit === "prerequisite" &&
                    error.message.startsWith(`cannot read or write ${join(own, part)}`) &&
                    /XDG_CACHE_HOME/.test(error.next),
            );
        }
        const refused = (code: string, path: string) => cacheFailure(Object.assign(new Error("refused"), { code, path }), cache);
        assert.ok(refused("EACCES", join(cache, "tools/tool-1/.lifeboat.json")));
        assert.equal(refused("EACCES", `${cache}-of-another/tools`), undefined);
        assert.equal(refused("ENOENT", cache), undefined);
    });
});
