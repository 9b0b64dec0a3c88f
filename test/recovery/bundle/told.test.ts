import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { reasonIn, toldBy } from "../../../recovery/bundle/told.ts";

describe("what a program of the bundle said when it did not start", () => {
    it("is one line of Node's stack trace: the error", () => {
        const { stderr } = spawnSync(process.execPath, ["/no/such/sandbox/providers/aws.ts"], { encoding: "utf8" });
        assert.match(stderr, /\n {4}at /);
        assert.equal(reasonIn(stderr), "Error: Cannot find module '/no/such/sandbox/providers/aws.ts'");
    });
    it("is its last line where there is no trace, and told where it said nothing", () => {
        assert.equal(reasonIn("starting\nsh: node: not found\n\n"), "sh: node: not found");
        assert.equal(reasonIn(""), "it said nothing");
    });
    it("is the message of lifeboat, all its lines, without what it said before", () => {
        const said = "lifeboat: layer 12\nlifeboat: the estate has 2 faults:\n    one\n    two\n  next: correct it\n";
        assert.deepEqual(toldBy(said), { message: "the estate has 2 faults:\n    one\n    two", next: "correct it" });
    });
    it("is one line of a fault in lifeboat", () => {
        const said = "lifeboat: TypeError: no\n    at a (file:///b.ts:1:1)\n  next: this is a fault in lifeboat\n";
        assert.equal(toldBy(said).message, "TypeError: no");
    });
});
