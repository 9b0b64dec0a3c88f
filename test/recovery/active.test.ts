import assert from "node:assert/strict";
import { coordination } from "../../model/names.ts";
import type { Failure } from "../../model/failure.ts";
import { checkMayBackUp } from "../../recovery/active.ts";
import { bucketInMemory } from "./bucket.ts";
import { from } from "./doubles.ts";

describe("whether a site may back up", () => {
    const bucket = () => bucketInMemory(new Map([[coordination.epoch, JSON.stringify({ ...from, active: "standby" })]]));
    const silent = () => assert.fail("there is nothing to tell");

    it("is yes for the active one", () => checkMayBackUp(bucket(), "standby", silent));

    it("is no for one that came back passive, with what to do", () =>
        assert.rejects(
            checkMayBackUp(bucket(), "primary", silent),
            (error: Failure) =>
                error.exit === "refused" && /makes the standby active/.test(error.message) && /lifeboat failback/.test(error.next),
        ));

    it("is yes, and told, where nobody says who is active", async () => {
        const notes: string[] = [];
        const dark = { ...bucket(), get: () => Promise.reject(new Error("no answer from us-west-2")) };
        await checkMayBackUp(dark, "primary", (line) => void notes.push(line));
        assert.match(notes.join(), /no answer from us-west-2.*made all the same/);
    });
});
