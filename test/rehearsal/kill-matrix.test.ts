import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ownSteps } from "../../recovery/activation.ts";
import { regionLossPlan, stepsOf } from "../../model/plan.ts";
import type { Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { inside } from "../../sandbox/rehearsal/harness.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { estate } from "../../stacks/estate.ts";
import { killedAtEach, wasKilled, type KilledRun } from "./killed.ts";
import { assertNoDrift, edit, own, records, rehearsed } from "./support.ts";

interface JournalEntry {
    at: string;
    number: number;
    event: { kind: string; step?: string; outcome?: string; result?: Record<string, unknown> };
}

const plan = regionLossPlan(estate);
/** In the order in which they can be killed: scale runs beside fence and promotions, and its pods are ready when there are databases to write to. */
const steps = ownSteps(plan)
    .filter((step) => step !== "scale")
    .flatMap((step) => (step === "verify" ? ["scale", step] : [step]));

const points = steps.flatMap((step) => ["before", "during", "after"].map((moment) => `${step} ${moment}`));

const stateObjects = (sandbox: Sandbox, prefix: string) =>
    inside(sandbox, "objects", { region: estate.sites.standby.region, bucket: own.stateBucket, prefix });
const stateOfDr = async (sandbox: Sandbox) =>
    Object.entries(await stateObjects(sandbox, ".pulumi/stacks/")).find(([key]) => key.endsWith("/dr.json"))?.[1] ?? "";

/** Starts a `pulumi up` of dr that waits for something that never comes, and kills it there: its lock and a pending operation stay. */
async function leaveDeadUpdate(sandbox: Sandbox): Promise<void> {
    const before = "const site: Site = {";
    edit(
        sandbox,
        "stacks/index.ts",
        before,
        `new k8s.core.v1.Service("never-ready", {
        metadata: { name: "never-ready", namespace: ${JSON.stringify(own.namespace)} },
        spec: { selector: { none: "such" }, ports: [{ port: 80 }] },
    }, { provider: providers.kubernetes });
    ${before}`,
    );
    const update = sandbox.exec(["pulumi", "up", "-s", "dr", "--yes", "--skip-preview", "--color", "never"], {
        execa: { reject: false, stdin: "ignore" },
    });
    let ended = false;
    void update.then(() => (ended = true));
    const state = () => stateOfDr(sandbox);
    for (const end = Date.now() + 60_000; !(await state()).includes("never-ready"); await sleep(300)) {
        assert.ok(!ended, "the update ended by itself");
        assert.ok(Date.now() < end, "the update began nothing within 60 s");
    }
    update.kill("SIGKILL");
    await update;
    const left = JSON.parse(await state()) as { checkpoint: { latest: { pending_operations?: unknown[] } } };
    assert.ok((left.checkpoint.latest.pending_operations ?? []).length > 0, "the dead update left no pending operation");
    assert.ok(Object.keys(await stateObjects(sandbox, ".pulumi/locks/")).length > 0, "the dead update left no lock");
    edit(sandbox, "stacks/index.ts", /new k8s\.core\.v1\.Service\("never-ready"[^]*?kubernetes \}\);\n/, "");
}

describe("an activation that is killed at every point and resumed", function () {
    this.timeout(600_000);
    let found: Evidence;
    const ends: KilledRun[] = [];
    let journal: JournalEntry[];
    let epoch: Record<string, unknown>;
    let latch: Record<string, unknown>;
    let roles: Record<string, string>;
    let drift: Error | undefined;
    let stateAfter: string;

    before(async () => {
        ({ evidence: found } = await rehearsed("kill", 4, {
            sabotage: async (phase, sandbox) => {
                if (phase === "lose") await leaveDeadUpdate(sandbox);
            },
            activate: (sandbox, note) => killedAtEach(sandbox, { command: "activate", points, note }, ends),
            afterwards: async (sandbox) => {
                journal = Object.values(await records(sandbox, "journal/")) as JournalEntry[];
                epoch = (await records(sandbox, "epoch.json"))["epoch.json"] as Record<string, unknown>;
                latch = (await records(sandbox, "latch.json"))["latch.json"] as Record<string, unknown>;
                stateAfter = await stateOfDr(sandbox);
                const { statuses } = await inside(sandbox, "guards", {
                    context: "standby",
                    namespace: own.namespace,
                    stores: Object.keys(estate.stores),
                });
                roles = Object.fromEntries(Object.entries(statuses).map(([store, { role }]) => [store, role]));
                try {
                    await assertNoDrift(sandbox, "dr");
                } catch (error) {
                    drift = error as Error;
                }
            },
        }));
    });

    it("was killed before, during and after each effect", () => {
        assert.deepEqual(
            ends.map(({ point }) => point),
            points,
        );
        for (const end of ends) assert.ok(wasKilled(end), `${end.point}: ${end.signal ?? end.exitCode}`);
    });
    it("ends in the state that an undisturbed one ends in", () => {
        assert.deepEqual([epoch["epoch"], epoch["active"]], [2, "standby"]);
        assert.deepEqual([latch["thrown"], latch["epoch"]], [true, 2]);
        assert.deepEqual(roles, { "orders-mysql": "writable", "orders-postgres": "writable" });
        assert.ok(Number.isFinite(found.firstCustomerWallSeconds), "customers are served again");
        assert.equal(journal.at(-1)?.event.outcome, "active");
    });
    it("is one activation with one journal, each step done once, after those that it waits for", () => {
        assert.deepEqual(
            journal.map(({ number }) => number),
            journal.map((_, index) => index),
        );
        const done = journal.flatMap(({ event }) => (event.kind === "done" ? [event.step] : []));
        assert.deepEqual(done.toSorted(), steps.toSorted());
        for (const { name, after } of stepsOf(plan))
            for (const earlier of after)
                if (steps.includes(name) && steps.includes(earlier))
                    assert.ok(done.indexOf(earlier) < done.indexOf(name), `${name} was done before ${earlier}`);
        assert.equal(journal.filter(({ event }) => event.kind === "resumed").length, ends.length);
    });
    it("loses no order that the standby acknowledged, and none beyond the RPO", () => {
        assert.equal(found.rpo.verdict, "PASS");
        assert.equal(found.orders.lostAfterTheLoss, 0);
    });
    it("calls neither the lost region nor a global control plane, however often it is resumed", () => {
        assert.ok(found.calls.total > 100);
        assert.deepEqual([found.calls.deadRegion, found.calls.globalControlPlane], [0, 0]);
    });
    it("was not stopped by the lock and the pending operation of a dead update", () => {
        assert.ok(journal.some(({ event }) => event.kind === "done" && event.step === "scale"));
        assert.doesNotMatch(stateAfter, /never-ready/);
    });
    it("leaves the living stack without drift", () => assert.ifError(drift));
});
