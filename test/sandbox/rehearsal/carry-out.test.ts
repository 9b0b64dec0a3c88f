import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { Failure } from "../../../model/failure.ts";
import { carryOut } from "../../../sandbox/rehearsal/carry-out.ts";
import type { Operated } from "../../../sandbox/rehearsal/provision.ts";

describe("a runbook's command in a rehearsal", function () {
    this.timeout(10_000);
    let folder: string;
    let sandbox: Operated;
    /** Puts a program on PATH that notes its arguments, then runs `body`. */
    const program = (name: string, body: string) => {
        writeFileSync(join(folder, name), `#!/bin/sh\necho "$0 $*" | sed 's#.*/##' >> "${folder}/calls"\n${body}\n`);
        chmodSync(join(folder, name), 0o755);
    };
    const calls = () => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "lifeboat-carry-out-"));
        const env = { PATH: `${folder}:${process.env["PATH"]}` };
        sandbox = {
            directory: folder,
            exec: ([file = "", ...words], options) => execa(file, words, { ...options?.execa, env: { ...env, ...options?.env } }),
        };
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it("is typed as it stands; only Pulumi's question is answered", async () => {
        program("lifeboat", "");
        program("pulumi", "");
        await carryOut(sandbox, { command: ["lifeboat", "epoch"], repeated: false }, 0);
        await carryOut(sandbox, { command: ["pulumi", "up", "-s", "dr"], repeated: false }, 0);
        const [first, second = ""] = calls();
        assert.equal(first, "lifeboat epoch");
        assert.match(second, /^pulumi up -s dr --yes --skip-preview /);
    });

    it("is typed again until it ends with 0, where the runbook has people look again", async () => {
        program("lifeboat", `[ "$(wc -l < "${folder}/calls")" -ge 2 ]`);
        await carryOut(sandbox, { command: ["lifeboat", "status"], repeated: true }, 5_000);
        assert.deepEqual(calls(), ["lifeboat status", "lifeboat status"]);
    });

    it("fails with what it said last: at once where it is typed once, at the limit where it is repeated", async () => {
        program("lifeboat", "echo no standby >&2; exit 5");
        for (const repeated of [false, true])
            await assert.rejects(
                carryOut(sandbox, { command: ["lifeboat", "status"], repeated }, 0),
                (error) => error instanceof Failure && /lifeboat status failed:\nno standby/.test(error.message),
            );
        assert.equal(calls().length, 2);
    });
});
