import assert from "node:assert/strict";
import { Failure } from "../../model/failure.ts";
import { runActivation } from "../../recovery/activation.ts";
import { openJournal, readJournal } from "../../recovery/journal/journal.ts";
import { tellJournal } from "../../recovery/journal/timeline.ts";
import { bucketInMemory } from "./bucket.ts";
import { bootstrapped, effectsOn, opened, quiet } from "./doubles.ts";

const activation = "20261121T154010Z-9f3c";
const never = new AbortController().signal;
const begin = async (reason = "us-east-1 is gone") => {
    const bucket = bucketInMemory(new Map(bootstrapped()));
    return { bucket, journal: await openJournal(bucket, activation, { ...opened, reason }, { by: "anna@laptop", host: "laptop", pid: 7 }) };
};

describe("a journal as text", () => {
    it("names the activation, and has each event on a line with its time in UTC, who wrote it first, and nothing of heartbeats", async () => {
        const { bucket, journal } = await begin();
        await journal.append({ kind: "heartbeat" });
        await journal.append({ kind: "left", why: "stopped" });
        const resumed = await (await readJournal(bucket, activation)).takeOver({ by: "bert@desk", host: "desk", pid: 8 });
        let failures = 1;
        const effects = effectsOn(bucket, resumed, (step) => {
            if (step === "scale" && failures-- > 0) throw new Failure("unavailable", "no\ncapacity", "wait");
        });
        await runActivation({ ...quiet, journal: resumed, effects, signal: never });
        const { entries } = await readJournal(bucket, activation);
        const text = tellJournal(entries);
        assert.match(
            text,
            /^activation 20261121T154010Z-9f3c of shop \(account 123456789012\)\nscenario {3}region-loss\nreason {5}us-east-1 is gone$/m,
        );
        assert.match(text, /^outcome {4}active, after /m);
        const lines = text.split("\n\n")[1]?.split("\n") ?? [];
        assert.equal(lines.length, entries.filter(({ event }) => event.kind !== "heartbeat").length);
        for (const line of lines) assert.match(line, /^\d\d:\d\d:\d\d\.\d{3} +\+\d+\.\d s {2}\S/);
        assert.match(lines[0] ?? "", /opened: claim, fence, .* \[anna@laptop \(pid 7 on laptop\)\]$/);
        assert.match(lines[2] ?? "", /resumed {2}\[bert@desk \(pid 8 on desk\)\]$/);
        assert.match(text, /claim: done in .*; epoch 2, active standby$/m);
        assert.match(text, /scale: FAILED after .*: no \| capacity$/m);
        assert.match(text, /scale: begun, attempt 2$/m);
        assert.match(lines.at(-1) ?? "", /closed: active$/);
    });

    it("of one that has not ended says when it was last heard", async () => {
        const { bucket } = await begin();
        assert.match(
            tellJournal((await readJournal(bucket, activation)).entries),
            /^outcome {4}not finished; last heard at .*, after 0 s$/m,
        );
    });

    it("keeps each entry on one line, whatever somebody typed as the reason", async () => {
        const { bucket } = await begin("first\u001b[2J\nsecond\r\nthird");
        const text = tellJournal((await readJournal(bucket, activation)).entries);
        assert.match(text, /^reason {5}first \| \[2J \| second \| third$/m);
        assert.doesNotMatch(text, /\u001b|\r/);
    });
});
