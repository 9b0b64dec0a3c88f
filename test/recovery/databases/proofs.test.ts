import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { EpochRecord } from "../../../model/epoch.ts";
import { Failure } from "../../../model/failure.ts";
import { coordination, witness } from "../../../model/names.ts";
import { seconds } from "../../../model/units.ts";
import { epochMemoryOn, type EpochMemory } from "../../../recovery/databases/epoch-memory.ts";
import { runningGuard, serveGuard } from "../../../recovery/databases/guard-socket.ts";
import type { GuardStatus } from "../../../recovery/databases/guard.ts";
import { proofsOf, type Prover } from "../../../recovery/databases/proofs.ts";
import { witnessKeeper } from "../../../recovery/databases/witness.ts";
import { bucketInMemory } from "../bucket.ts";
import { bootstrapped, estate, from } from "../doubles.ts";

const terms = { duration: seconds(0.6), renewEvery: seconds(0.05) };
const none: EpochMemory = { before: undefined, keep: () => undefined };
const says = (id: Prover["id"], record: () => Partial<EpochRecord>): Prover => ({
    id,
    name: id,
    read: () => Promise.resolve({ ...from, ...record() }),
});
/** Answers nothing until it is given up. */
const hangs = (id: Prover["id"]): Prover => ({
    id,
    name: id,
    read: (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
});

describe("a guard's proofs", () => {
    it("come from either prover; one that hangs delays no other, and is named", async () => {
        for (const provers of [
            [hangs("standby"), says("witness", () => ({}))],
            [says("standby", () => ({})), hangs("witness")],
        ]) {
            const proofs = proofsOf({ site: "primary", terms, provers, memory: none });
            const controller = new AbortController();
            const heard: string[] = [];
            const renewing = proofs.renew(controller.signal, ({ id }) => void heard.push(id));
            await sleep(450);
            assert.ok(proofs.mayWrite() && proofs.left() > 0.3);
            assert.ok(heard.length >= 4, `${heard.length} answers`);
            assert.deepEqual([...proofs.silent().values()], ["no answer within 0.2 s"]);
            controller.abort();
            await renewing;
        }
    });

    it("do not take a copy that is behind for the truth: what is asked last waits for whoever knows better", async () => {
        const late: Prover = { ...says("standby", () => ({ epoch: 2, active: "standby" })) };
        const proofs = proofsOf({
            site: "standby",
            terms,
            memory: none,
            provers: [
                says("witness", () => ({})),
                { ...late, read: async (signal) => (await sleep(50, undefined, { signal }), late.read(signal)) },
            ],
        });
        await proofs.ask();
        assert.equal(proofs.mayWrite(), true);
        assert.equal(proofs.lease().epoch, 2);
    });

    it("run out by themselves when nobody answers", async () => {
        let answers = true;
        const prover: Prover = {
            id: "standby",
            name: "x",
            read: () => (answers ? Promise.resolve(from) : Promise.reject(new Error("cut off"))),
        };
        const proofs = proofsOf({ site: "primary", terms, provers: [prover], memory: none });
        await proofs.ask();
        answers = false;
        await proofs.ask();
        assert.equal(proofs.mayWrite(), true, "the old proof still holds");
        await sleep(620);
        assert.equal(proofs.mayWrite(), false);
        assert.deepEqual([...proofs.silent()], [["x", "cut off"]]);
    });

    describe("after a restart", () => {
        let volume: string;
        beforeEach(() => (volume = mkdtempSync(join(tmpdir(), "lifeboat-volume-"))));
        afterEach(() => rmSync(volume, { recursive: true }));
        const notes: string[] = [];
        /** A guard of the primary that starts, and is told one thing. */
        const told = async (record: Partial<EpochRecord>) => {
            const memory = epochMemoryOn(volume, (line) => void notes.push(line));
            const proofs = proofsOf({ site: "primary", terms, provers: [says("witness", () => record)], memory });
            await proofs.ask();
            return proofs;
        };

        it("are not had from a witness that is behind what the guard before was told", async () => {
            assert.equal((await told({ epoch: 2, active: "standby" })).mayWrite(), false);
            const restarted = await told({ epoch: 1, active: "primary" });
            assert.equal(restarted.mayWrite(), false);
            assert.deepEqual(restarted.lease(), { state: "ceded", epoch: 2, active: "standby" });
        });
        it("are had from whoever knows a higher epoch", async () => {
            await told({ epoch: 2, active: "standby" });
            assert.equal((await told({ epoch: 3, active: "primary" })).mayWrite(), true);
            assert.equal((await told({ epoch: 3, active: "primary" })).mayWrite(), true);
            assert.equal((await told({ epoch: 2, active: "primary" })).mayWrite(), false);
        });
        it("are refused by a memory that is damaged, with what to do", async () => {
            writeFileSync(join(volume, "lifeboat-epoch.json"), "{");
            await assert.rejects(told({}), (error: Failure) => error.exit === "refused" && /remove it if/.test(error.next));
        });
        it("do without it on a volume that takes no more, and say so once", async () => {
            rmSync(volume, { recursive: true });
            const proofs = await told({ epoch: 2 });
            await proofs.ask();
            mkdirSync(volume);
            assert.equal(proofs.mayWrite(), true);
            assert.equal(notes.length, 1);
            assert.match(notes[0]!, /lifeboat-epoch\.json: epoch 2 could not be written down: ENOENT/);
        });
    });
});

describe("what a guard tells the witness", () => {
    const keeper = (site: "primary" | "standby", notes: string[], mayWrite = false, bucket = bucketInMemory(new Map(bootstrapped()))) => ({
        bucket,
        tell: witnessKeeper({
            standpoint: { estate, account: "123456789012", site },
            store: "ledger",
            holder: "ledger-0",
            proofs: { lease: () => ({ state: "proven", epoch: 1, until: seconds(1) }), mayWrite: () => mayWrite },
            bucket,
            note: (line) => void notes.push(line),
        }),
    });
    const moved: EpochRecord = { ...from, epoch: 3 };

    it("is the epoch that its copy is behind, from the standby's guards alone", async () => {
        for (const [site, epoch] of [
            ["standby", 3],
            ["primary", 1],
        ] as const) {
            const { bucket, tell } = keeper(site, []);
            await tell({ id: "witness" }, from);
            await tell({ id: "standby" }, moved);
            assert.equal((JSON.parse(bucket.objects.get(witness.fence) ?? "{}") as EpochRecord).epoch, epoch);
            assert.equal(bucket.objects.has(witness.lease("ledger")), false, "no lease is held");
        }
    });

    it("is who holds the lease, now and then, and no decision hangs on it", async () => {
        const { bucket, tell } = keeper("primary", [], true);
        await tell({ id: "standby" }, from);
        const first = bucket.objects.get(witness.lease("ledger")) ?? assert.fail();
        const { at: _, ...said } = JSON.parse(first) as Record<string, unknown>;
        assert.deepEqual(said, { store: "ledger", site: "primary", epoch: 1, holder: "ledger-0", seconds: 15 });
        await tell({ id: "standby" }, from);
        assert.equal(bucket.objects.get(witness.lease("ledger")), first);
    });

    it("and cannot tell is told once, to whoever reads its log", async () => {
        const notes: string[] = [];
        const broken = { ...bucketInMemory(new Map(bootstrapped())), put: () => Promise.reject(new Error("no such bucket")) };
        const { tell } = keeper("primary", notes, true, broken);
        await tell({ id: "standby" }, from);
        await tell({ id: "standby" }, from);
        assert.equal(notes.length, 1);
        assert.match(notes[0] ?? "", /ledger: no such bucket/);
        assert.ok(broken.objects.has(coordination.epoch));
    });
});

describe("the guard's socket", () => {
    let directory: string;
    beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "lifeboat-guard-"))));
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    it("passes questions on, and refusals with their exit code and next step", async () => {
        const answer = { store: "ledger", role: "replica" } as unknown as GuardStatus;
        const server = await serveGuard(directory, {
            status: () => Promise.resolve(answer),
            promote: () => Promise.reject(new Failure("refused", "not this site", "claim first")),
            rejoin: () => assert.fail("nobody asked for it"),
        });
        try {
            const running = runningGuard(directory);
            assert.deepEqual(await running.status(), answer);
            await assert.rejects(
                running.promote(),
                (error: Failure) => error.exit === "refused" && error.message === "not this site" && error.next === "claim first",
            );
        } finally {
            await new Promise((resolve) => server.close(resolve));
        }
    });

    it("that nobody serves is no answer, not a crash", async () => {
        await assert.rejects(
            runningGuard(directory).status(),
            (error: Failure) => error.exit === "unavailable" && /no guard answers/.test(error.message),
        );
    });
});
