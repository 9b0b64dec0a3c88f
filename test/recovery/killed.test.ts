import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { coordination, witness } from "../../model/names.ts";
import { coordinationBucket, type CoordinationBucket } from "../../recovery/conditional-bucket.ts";
import { readJournal } from "../../recovery/journal/journal.ts";
import { startAccount, type Account } from "./account.ts";
import { bootstrapped, mark, recovered, world } from "./doubles.ts";

const program = fileURLToPath(new URL("./mortal.ts", import.meta.url));
const activation = "20261121T154010Z-9f3c";

describe("a process that runs an activation and is killed with -9", function () {
    this.timeout(300_000);
    let account: Account;
    let count = 0;
    const living = new Set<ChildProcess>();

    before(async () => void (account = await startAccount()));
    afterEach(() => {
        for (const child of living) child.kill("SIGKILL");
    });
    after(() => account.stop());

    async function newBucket(): Promise<{ name: string; bucket: CoordinationBucket }> {
        const name = `killed-${++count}`;
        await account.makeBucket(name);
        const bucket = coordinationBucket(account.s3, name);
        for (const [key, record] of bootstrapped()) await bucket.create(key, record);
        return { name, bucket };
    }
    function begin(bucket: string, point: string): ChildProcess {
        const child = spawn(process.execPath, [program, account.endpoint, bucket, point], { stdio: ["ignore", "pipe", "pipe"] });
        living.add(child);
        child.on("exit", () => living.delete(child));
        return child;
    }
    async function live(bucket: string, point: string): Promise<{ signal: string | null; said: string; wrong: string }> {
        const child = begin(bucket, point);
        const ended = once(child, "exit") as Promise<[number | null, string | null]>;
        const [said, wrong, [, signal]] = await Promise.all([text(child.stdout!), text(child.stderr!), ended]);
        return { signal, said, wrong };
    }

    it("is resumed at once by another process, before, during and after each effect, and ends in the same state", async () => {
        const { name, bucket } = await newBucket();
        // One activation, killed at each point in turn: with a step begun and its effect not made, made and not entered, and entered.
        const around = (step: string, effect: string) => [`before ${effect}`, `after ${effect}`, `after done ${step}`];
        const points = [
            ...["before opened", "after opened"],
            ...around("claim", coordination.epoch),
            ...around("fence", witness.fence),
            ...["before world/promote/ledger", "after world/promote/ledger"],
            ...["verify", "latch"].flatMap((step) => around(step, mark(step))),
            "after closed",
        ];
        for (const point of points) assert.equal((await live(name, point)).signal, "SIGKILL", point);
        const last = await live(name, "never");
        assert.equal(
            last.said,
            JSON.stringify({ outcome: "active", writes: 0 }),
            `what has ended is told, and nothing is done: ${last.wrong}`,
        );
        assert.deepEqual(await world(bucket), recovered);
        const { state } = await readJournal(bucket, activation);
        assert.ok(state.steps.every((step) => step.state === "done"));
        // Which of several steps side by side is first is nobody's to say, so each of the others has an activation of its own.
        for (const point of ["after world/promote/people", ...around("scale", mark("scale"))]) {
            const other = await newBucket();
            assert.equal((await live(other.name, point)).signal, "SIGKILL", point);
            assert.match((await live(other.name, "never")).said, /"active"/);
            assert.deepEqual(await world(other.bucket), recovered);
        }
    });

    it("is refused while the first lives, though it stands still; and the first, taken over from another machine, stops when it wakes", async () => {
        const { name, bucket } = await newBucket();
        const frozen = begin(name, "frozen in scale");
        const stands = () => readFileSync(`/proc/${frozen.pid}/stat`, "utf8").split(") ")[1]?.[0];
        for (const deadline = Date.now() + 120_000; stands() !== "T"; await sleep(50))
            assert.ok(Date.now() < deadline, "it never came to scale");

        const second = await live(name, "never");
        assert.match(second.wrong, new RegExp(`is being run by .*pid ${frozen.pid} on`));

        const taken = await (await readJournal(bucket, activation)).takeOver({ by: "bert@desk", host: "desk", pid: 7 });
        const said = Promise.all([text(frozen.stderr!), once(frozen, "exit")]);
        frozen.kill("SIGCONT");
        const [wrong] = await said;
        assert.match(wrong, /was taken over by bert@desk \(pid 7\)/);
        const { state } = await readJournal(bucket, activation);
        assert.equal(state.runner.by, "bert@desk", "it wrote nothing behind the new runner's first entry");
        assert.equal(state.steps.find(({ name: step }) => step === "latch")?.state, "waiting");
        await taken.append({ kind: "left", why: "test" });
    });
});
