import assert from "node:assert/strict";
import { actionFor } from "../../../model/lease.ts";
import { decideSeed } from "../../../recovery/databases/seed.ts";

describe("what a guard does", () => {
    it("opens a read-only server while it may write", () => assert.equal(actionFor(true, "read-only"), "open"));
    it("closes a writable server as soon as it may not", () => assert.equal(actionFor(false, "writable"), "close"));
    it("never promotes a replica by itself", () => {
        assert.equal(actionFor(true, "replica"), "leave");
        assert.equal(actionFor(false, "replica"), "leave");
    });
    it("finishes what a guard that died left half done", () => {
        assert.equal(actionFor(true, "half-open"), "open");
        assert.equal(actionFor(false, "half-open"), "close");
    });
    it("leaves alone what is as it should be", () => {
        assert.equal(actionFor(true, "writable"), "leave");
        assert.equal(actionFor(false, "read-only"), "leave");
    });
});

describe("what a seed does with a volume", () => {
    it("copies the peer into an empty one, or a half copy, in a passive site", () => {
        assert.equal(decideSeed("empty", false), "seed");
        assert.equal(decideSeed("half", false), "seed");
    });
    it("lets the active site's server make its own data", () => assert.equal(decideSeed("empty", true), "origin"));
    it("refuses a half copy in the active site", () => assert.equal(decideSeed("half", true), "refuse"));
    it("keeps whole data, whoever is active, and does not even ask", () => {
        for (const state of ["own", "seeded"] as const)
            for (const active of [true, false, undefined]) assert.equal(decideSeed(state, active), "keep");
    });
    it("asks the epoch before it makes anything", () => {
        assert.equal(decideSeed("empty", undefined), "ask the epoch");
        assert.equal(decideSeed("half", undefined), "ask the epoch");
    });
});
