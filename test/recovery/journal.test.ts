import assert from "node:assert/strict";
import fc from "fast-check";
import { Failure } from "../../model/failure.ts";
import { coordination } from "../../model/names.ts";
import { findUnfinished, newActivationId, openJournal, readJournal, type Journal } from "../../recovery/journal/journal.ts";
import type { Opened } from "../../recovery/journal/entries.ts";
import { isAlive, sameRunner, thisRunner, type Runner } from "../../recovery/runner.ts";
import { bucketInMemory } from "./bucket.ts";

const activation = "20261121T154010Z-9f3c";
const opened: Opened = {
    kind: "opened",
    estate: "shop",
    account: "123456789012",
    scenario: "region-loss",
    from: { epoch: 1, active: "primary", at: "2026-11-21T15:40:10Z", by: "bootstrap", reason: "bootstrap" },
    reason: "test",
    steps: ["claim", "fence", "scale"],
};
const elsewhere: Runner = { by: "bert@desk", host: "desk", pid: 7 };
const isRefused = (pattern: RegExp) => (error: unknown) =>
    error instanceof Failure && error.exit === "refused" && pattern.test(error.message);
const claimed = async (journal: Journal) => {
    await journal.append({ kind: "begun", step: "claim", attempt: 1 });
    await journal.append({ kind: "done", step: "claim", seconds: 0.1, result: { epoch: 2 } });
};

describe("a journal", () => {
    it("read back on another machine gives the state that its writer had", async () => {
        const bucket = bucketInMemory();
        const journal = await openJournal(bucket, activation, opened);
        await claimed(journal);
        await journal.append({ kind: "begun", step: "fence", attempt: 1 });
        await journal.append({ kind: "failed", step: "fence", seconds: 2, why: "no answer" });
        await journal.append({ kind: "begun", step: "fence", attempt: 2 });
        const { state, entries } = await readJournal(bucket, activation);
        assert.equal(entries.length, 6);
        assert.deepEqual(state, journal.state());
        assert.deepEqual(
            state.steps.map(({ name, state: stands, attempts }) => [name, stands, attempts]),
            [
                ["claim", "done", 1],
                ["fence", "begun", 2],
                ["scale", "waiting", 0],
            ],
        );
        assert.deepEqual(state.steps[0]?.result, { epoch: 2 });
    });

    it("keeps the order of entries that were asked for at once", async () => {
        const bucket = bucketInMemory();
        const journal = await openJournal(bucket, activation, opened);
        await Promise.all(opened.steps.map((step) => journal.append({ kind: "begun", step, attempt: 1 })));
        const { state } = await readJournal(bucket, activation);
        assert.ok(state.steps.every(({ state: stands }) => stands === "begun"));
    });

    it("may be written by one runner: who was taken over is told by whom, and writes nothing more", async () => {
        const bucket = bucketInMemory();
        const journal = await openJournal(bucket, activation, opened);
        const taken = await (await readJournal(bucket, activation)).takeOver(elsewhere);
        await assert.rejects(claimed(journal), isRefused(/was taken over by bert@desk \(pid 7\)/));
        assert.equal(journal.displaced(), true);
        await assert.rejects(journal.append({ kind: "left", why: "x" }), isRefused(/taken over/));
        await claimed(taken);
        assert.equal((await readJournal(bucket, activation)).state.runner.by, "bert@desk");
    });

    it("writes an entry again when there was no answer, and once only where the entry had arrived", async () => {
        const bucket = bucketInMemory();
        let lost = 0;
        const shaky = {
            ...bucket,
            async create(key: string, text: string) {
                const written = await bucket.create(key, text);
                if (lost++ === 1) throw new Failure("unavailable", "no answer", "repeat");
                return written;
            },
        };
        const journal = await openJournal(shaky, activation, opened);
        await claimed(journal);
        assert.deepEqual((await readJournal(bucket, activation)).state, journal.state());
        assert.equal(bucket.objects.size, 3);
    });

    it("is taken over by one of many who try at once", async () => {
        const bucket = bucketInMemory();
        await openJournal(bucket, activation, opened);
        const found = await Promise.all(Array.from({ length: 20 }, () => readJournal(bucket, activation)));
        const results = await Promise.allSettled(found.map((each, pid) => each.takeOver({ ...elsewhere, pid })));
        assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    });

    it("refuses an entry that cannot follow, before it is written", async () => {
        const bucket = bucketInMemory();
        const journal = await openJournal(bucket, activation, opened);
        await assert.rejects(
            journal.append({ kind: "done", step: "claim", seconds: 1, result: {} }),
            isRefused(/entry 1 \(done\): claim was waiting/),
        );
        await assert.rejects(
            journal.append({ kind: "begun", step: "dance", attempt: 1 }),
            isRefused(/dance, which is not among its steps/),
        );
        await journal.append({ kind: "closed", outcome: "active" });
        await assert.rejects(journal.append({ kind: "begun", step: "claim", attempt: 1 }), isRefused(/stands behind its end/));
        assert.equal(bucket.objects.size, 2);
    });

    it("does not go forward once an undo has begun", async () => {
        const journal = await openJournal(bucketInMemory(), activation, opened);
        await claimed(journal);
        await journal.append({ kind: "undoing", step: "claim" });
        await assert.rejects(journal.append({ kind: "begun", step: "fence", attempt: 1 }), isRefused(/goes forward after an undo began/));
    });

    it("with an entry changed, lost, swapped or put in between is refused", async () => {
        const bucket = bucketInMemory();
        const journal = await openJournal(bucket, activation, opened);
        await claimed(journal);
        await journal.append({ kind: "begun", step: "fence", attempt: 1 });
        await journal.append({ kind: "done", step: "fence", seconds: 0.1, result: {} });
        const keys = [...bucket.objects.keys()].sort();
        const whole = new Map(bucket.objects);
        const isDamaged = async (objects: Map<string, string>) =>
            assert.rejects(readJournal(bucketInMemory(objects), activation), isRefused(/damaged or foreign/));
        await fc.assert(
            fc.asyncProperty(fc.nat(), fc.nat(), async (which, where) => {
                // One character of one entry but the last, whose hash nobody has written down yet.
                const key = keys[which % (keys.length - 1)] ?? "";
                const text = whole.get(key) ?? "";
                const at = where % text.length;
                const other = text[at] === "1" ? "2" : "1";
                await isDamaged(new Map(whole).set(key, text.slice(0, at) + other + text.slice(at + 1)));
            }),
        );
        for (const key of keys.slice(0, -1)) await isDamaged(new Map([...whole].filter(([each]) => each !== key)));
        const [, one = "", two = ""] = keys;
        await isDamaged(new Map(whole).set(one, whole.get(two) ?? "").set(two, whole.get(one) ?? ""));
        await isDamaged(new Map(whole).set(`journal/${activation}/note.txt`, "hello"));
        await isDamaged(new Map(whole).set(keys.at(-1) ?? "", ""));
        await isDamaged(new Map([[coordination.journal(activation, 0), whole.get(one) ?? ""]]));
        await isDamaged(new Map());
    });

    it("of another activation under this one's name is refused", async () => {
        const bucket = bucketInMemory();
        await openJournal(bucket, activation, opened);
        const other = "20261121T154010Z-0000";
        const text = bucket.objects.get(coordination.journal(activation, 0)) ?? "";
        await assert.rejects(
            readJournal(bucketInMemory(new Map([[coordination.journal(other, 0), text]])), other),
            isRefused(/says it is entry 0 of/),
        );
    });

    it("that has ended is not found as unfinished; the newest that has not is", async () => {
        const bucket = bucketInMemory();
        assert.equal(await findUnfinished(bucket), undefined);
        const unfinished = await openJournal(bucket, "20261121T150000Z-0001", opened);
        const finished = await openJournal(bucket, "20261121T160000Z-0002", opened);
        await finished.append({ kind: "closed", outcome: "undone" });
        assert.equal((await findUnfinished(bucket))?.state.activation, unfinished.activation);
        await unfinished.append({ kind: "closed", outcome: "active" });
        assert.equal(await findUnfinished(bucket), undefined);
    });

    it("has an id that sorts by time", () => {
        const ids = ["2026-11-21T15:40:10.123Z", "2026-11-21T15:40:11Z", "2026-12-01T00:00:00Z"].map((at) => newActivationId(new Date(at)));
        assert.deepEqual([...ids].sort(), ids);
        assert.match(ids[0] ?? "", /^20261121T154010Z-[0-9a-f]{4}$/);
    });
});

describe("a runner", () => {
    it("on this machine is known to live or to have ended; one elsewhere is not", () => {
        const own = thisRunner();
        assert.equal(isAlive(own), "yes");
        assert.equal(sameRunner(own, thisRunner()), true);
        assert.equal(isAlive({ ...own, started: "1" }), "no", "the same number, another process");
        assert.equal(isAlive({ ...own, pid: 2 ** 22 + 1 }), "no");
        assert.equal(isAlive({ ...own, machine: "another" }), "cannot tell");
        assert.equal(isAlive(elsewhere), "cannot tell");
    });
});
