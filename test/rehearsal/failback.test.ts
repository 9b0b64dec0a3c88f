import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { failbackPlan, switchBound } from "../../model/failback.ts";
import { ownSteps } from "../../recovery/activation.ts";
import type { Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { stepsIn } from "../../sandbox/rehearsal/failback.ts";
import { report } from "../../sandbox/rehearsal/report.ts";
import { estate } from "../../stacks/estate.ts";
import { killedAtEach, wasKilled, type KilledRun } from "./killed.ts";
import { assertNoDrift, records, rehearsed } from "./support.ts";

/** So long the primary goes on alone before it is lost, ms: less than the RPO, so that what it acknowledges alone is lost within the promise. */
const aloneMs = 2_000;

describe("a rehearsal of the way back, killed in the middle of each step", function () {
    this.timeout(600_000);
    const plan = failbackPlan(estate);
    let found: Evidence;
    let left: Record<string, unknown>;
    /** What `lifeboat aside STORE --show ID` prints. */
    const shown: Record<string, string> = {};
    const points = ownSteps(plan).map((step) => `${step} during`);
    const ends: KilledRun[] = [];
    let drift: Error | undefined;

    before(async () => {
        ({ evidence: found } = await rehearsed("failback", 3, {
            failback: true,
            runFailback: async (sandbox, note) => {
                const { stdout, ...ran } = await killedAtEach(sandbox, { command: "failback", points, note }, ends);
                return { ...ran, steps: ran.exitCode === 0 ? stepsIn(stdout) : [] };
            },
            sabotage: async (phase, sandbox) => {
                if (phase === "lose") {
                    await sandbox.cut("primary", ["standby"]);
                    await sleep(aloneMs);
                }
                if (phase === "heal") await sandbox.heal("primary");
            },
            afterwards: async (sandbox, { failback }) => {
                left = { ...(await records(sandbox, "epoch.json")), ...(await records(sandbox, "latch.json")) };
                for (const { store, key } of failback?.aside ?? []) {
                    if (key === null) continue;
                    const id = key.split("/")[1] ?? "";
                    const { stdout } = await sandbox.exec(["lifeboat", "aside", store, "--show", id], { execa: { stdin: "ignore" } });
                    shown[store] = String(stdout);
                }
                try {
                    await Promise.all([assertNoDrift(sandbox, "dr"), assertNoDrift(sandbox, "prod")]);
                } catch (error) {
                    drift = error as Error;
                }
            },
        }));
    });

    it("was killed in the middle of each step, and resumed", () => {
        assert.deepEqual(
            ends.map(({ point }) => point),
            points,
        );
        for (const end of ends) assert.ok(wasKilled(end), `${end.point}: ${end.signal ?? end.exitCode}`);
    });
    it("passes: customers are served by the primary again, everything is protected, both directions are timed", () => {
        assert.deepEqual([found.verdict, found.reasons], ["PASS", []]);
        assert.deepEqual(
            found.failback?.steps.map(({ name }) => name),
            ownSteps(plan),
        );
        assert.ok(found.failback!.steps.every(({ seconds }) => seconds >= 0));
        assert.ok(found.failback!.acknowledged.standby > 0 && found.failback!.acknowledged.primary > 0);
    });
    it("loses nothing that was acknowledged after the loss, by either site", () => {
        assert.equal(found.failback?.lost, 0);
        assert.equal(found.orders.lostAfterTheLoss, 0);
        assert.equal(Object.keys(found.orders.rows).length, 4, "both sites' databases were read");
    });
    it("makes nobody wait for longer than the plan expects, and has one writer at a time", () => {
        const { switchSeconds, longestWaitSeconds, totalSeconds, boundSeconds } = found.failback!;
        assert.ok(switchSeconds !== null && switchSeconds > 0 && switchSeconds <= longestWaitSeconds + 1);
        assert.equal(boundSeconds, switchBound(plan).seconds);
        assert.ok(longestWaitSeconds < totalSeconds && totalSeconds <= boundSeconds);
    });
    it("saves every order that the old primary acknowledged alone before it wipes it, and can show each", () => {
        const { lost, lostNumbers, torn } = found.orders;
        assert.ok(lost > 0, "it went on alone, and acknowledged nothing");
        const absent: number[] = [];
        for (const store of Object.keys(estate.stores)) {
            const rows = (shown[store] ?? "")
                .trimEnd()
                .split("\n")
                .map((line) => (JSON.parse(line) as { row: { number: number | string } }).row);
            const numbers = new Set(rows.map(({ number }) => Number(number)));
            absent.push(...lostNumbers.filter((number) => !numbers.has(number)));
            assert.equal(found.failback?.aside.find((each) => each.store === store)?.rows, rows.length);
        }
        // What the cut tore had reached the standby in one store: there it is not held alone.
        assert.equal(absent.length, torn);
        assert.equal(new Set(absent).size, torn, "an order is in no store's");
    });
    it("ends with the epoch and the latch of the primary, and both stacks as their programs say", () => {
        assert.partialDeepStrictEqual(left["epoch.json"], { epoch: 3, active: "primary" });
        assert.partialDeepStrictEqual(left["latch.json"], { epoch: 3, thrown: false });
        assert.equal(drift, undefined);
    });
    it("is told in the report", () => {
        const text = report(found, "evidence.json");
        assert.match(text, /^failback: .*claim .*fence .*promote:orders-mysql/m);
        assert.match(text, /the switch: .* without an acknowledgement.* 0 lost: PASS$/m);
    });
});
