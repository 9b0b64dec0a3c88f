import assert from "node:assert/strict";
import { hostname } from "node:os";
import { failbackPlan } from "../../model/failback.ts";
import type { Failure } from "../../model/failure.ts";
import { regionLossPlan } from "../../model/plan.ts";
import { seconds } from "../../model/units.ts";
import { resumeActivation, startActivation, takeOverToAbort } from "../../recovery/activate.ts";
import { abortActivation, ownSteps, runActivation, type Effect, type StepEffects } from "../../recovery/activation.ts";
import { failbackEffects } from "../../recovery/failback.ts";
import type { Journal } from "../../recovery/journal/journal.ts";
import { estate } from "./doubles.ts";
import { Sites } from "./sites.ts";

const plan = failbackPlan(estate);
const stores = Object.keys(estate.stores);
const never = new AbortController().signal;
const starting = { estate, account: "123456789012", plan, reason: "the region is back" };

/** The real effects on these sites, but for the two that ask the cloud: users' names, and the latch's metric. */
function effectsOf(sites: Sites, journal: Journal, told: (step: string) => void = () => undefined): StepEffects {
    const asked = (name: string) => ({
        async apply() {
            sites.done.push(name);
            return {};
        },
    });
    const effects: StepEffects = { ...failbackEffects(sites.tools(), journal), verify: asked("verify"), latch: asked("latch") };
    const tell = (step: string, effect: Effect): Effect => ({
        ...effect,
        apply(context) {
            told(step);
            return effect.apply(context);
        },
    });
    return Object.fromEntries(
        Object.entries(effects).map(([name, effect]) => [
            name,
            typeof effect === "function" ? (store: string) => tell(`${name}:${store}`, effect(store)) : tell(name, effect),
        ]),
    );
}
const begin = (sites: Sites) => startActivation({ ...starting, bucket: sites.bucket });
const running = (sites: Sites, journal: Journal, more: Partial<Parameters<typeof runActivation>[0]> = {}) =>
    runActivation({ plan, journal, effects: effectsOf(sites, journal), signal: never, note: () => undefined, backOff: [0], ...more });
const within = (limit: number) => ({
    ...plan,
    undoable: plan.undoable.map((step) => ({ ...step, limit: seconds(limit) })),
});

/** Nothing that was acknowledged is missing, and each part is where it belongs. */
function assertBack(sites: Sites): void {
    assert.deepEqual([sites.epoch.epoch, sites.epoch.active, sites.fence.epoch, sites.fence.active], [3, "primary", 3, "primary"]);
    for (const store of stores) {
        assert.equal(sites.servers.primary[store]?.role, "writable");
        assert.equal(sites.servers.standby[store]?.role, "replica");
        assert.deepEqual(sites.servers.primary[store]?.log, sites.acknowledged[store]);
    }
}

describe("a fail-back", function () {
    this.timeout(30_000);

    it("saves what the old servers hold alone, copies them, hands over without losing a write, and protects what it left", async () => {
        const sites = new Sites();
        const state = await running(sites, await begin(sites));
        assert.equal(state.outcome, "active");
        assertBack(sites);
        const resultOf = (name: string) => state.steps.find((step) => step.name === name)?.result;
        for (const store of stores) {
            assert.deepEqual(resultOf(`aside:${store}`)?.["rows"], 1);
            assert.deepEqual(resultOf(`rejoin:${store}`)?.["way"], "copy");
            assert.deepEqual(resultOf(`protect:${store}`)?.["way"], "position");
        }
        assert.deepEqual(resultOf("fence")?.["stores"], Object.fromEntries(stores.map((store) => [store, "closed"])));
        const at = (what: string) => sites.done.indexOf(what);
        assert.ok(at("pulumi up -s prod") >= 0 && at("pulumi up -s prod") < at(`aside-${stores[0]}`));
        assert.ok(at("pulumi up -s prod aimed") > 0 && at("verify") < at("pulumi up -s dr aimed"));
    });

    it("stopped at any step, is resumed to the same end", async () => {
        const stoppedAt = async (step: string) => {
            const sites = new Sites();
            const journal = await begin(sites);
            const stop = new AbortController();
            const effects = effectsOf(sites, journal, (each) => each === step && stop.abort());
            await assert.rejects(running(sites, journal, { effects, signal: stop.signal }), /is not finished/);
            const resumed = await resumeActivation({ estate, plan, bucket: sites.bucket, note: () => undefined, signal: never });
            assert.ok("journal" in resumed, step);
            await running(sites, resumed.journal);
            assertBack(sites);
        };
        await Promise.all(ownSteps(plan).map(stoppedAt));
    });

    describe("whose stack is held", () => {
        const lock = (pid: number) => ({ pid, by: "anna", host: hostname(), since: "2026-11-21T15:40:10Z" });
        /** No process has this number: the kernel gives none above its limit. */
        const gone = 2 ** 30;
        /** A fail-back that is killed within its rebuilding, and resumed. */
        const resumed = async (held: number) => {
            const sites = new Sites();
            const journal = await begin(sites);
            const stop = new AbortController();
            const effects = effectsOf(sites, journal, (each) => each === "rebuild" && stop.abort());
            await assert.rejects(running(sites, journal, { effects, signal: stop.signal }), /is not finished/);
            sites.lock = lock(held);
            const found = await resumeActivation({ estate, plan, bucket: sites.bucket, note: () => undefined, signal: never });
            assert.ok("journal" in found);
            return { sites, run: running(sites, found.journal) };
        };

        it("by its own update that died with it, cancels that and goes on", async () => {
            const { sites, run } = await resumed(gone);
            await run;
            assertBack(sites);
            assert.ok(sites.done.includes("pulumi cancel prod --yes"));
        });
        it("by a process that lives, is refused and names it", async () => {
            const { sites, run } = await resumed(process.pid);
            await assert.rejects(
                run,
                new RegExp(`an update holds the stack prod: anna on .*, process ${process.pid}, since 2026-11-21T15:40:10Z`),
            );
            assert.ok(!sites.done.includes("pulumi cancel prod --yes"));
        });
        it("by somebody's update before it began, is refused though that may be dead: it is not its own", async () => {
            const sites = new Sites();
            sites.lock = lock(gone);
            await assert.rejects(running(sites, await begin(sites)), /an update holds the stack prod/);
            assert.ok(!sites.done.some((what) => what.startsWith("pulumi")));
        });
    });

    it("does not begin beside a writable server of the primary, and changes nothing then", async () => {
        const sites = new Sites();
        sites.servers.primary[stores[0]!]!.role = "half-open";
        await assert.rejects(running(sites, await begin(sites)), (error: Failure) => error.exit === "refused");
        assert.deepEqual(sites.done, []);
        assert.deepEqual([sites.epoch.epoch, sites.epoch.active], [2, "standby"]);
    });

    it("gives the writing back to the standby where a replica does not catch up: nothing of the primary was promoted", async () => {
        const sites = new Sites();
        const journal = await begin(sites);
        const effects = effectsOf(sites, journal, (step) => step === "claim" && sites.stuck.add(`primary ${stores[1]}`));
        await assert.rejects(
            running(sites, journal, { effects, plan: within(1.5) }),
            /given up before a database was promoted, and undone/,
        );
        assert.deepEqual([sites.epoch.epoch, sites.epoch.active, sites.fence.epoch, sites.fence.active], [4, "standby", 4, "standby"]);
        const { guard } = sites.side("standby");
        for (const store of stores) assert.equal((await guard.status(store, never)).role, "writable");
        assert.ok(!sites.done.some((what) => what.startsWith("promote")));
        assert.equal(journal.state().outcome, "undone");
    });

    it("waits the lease of a guard out that does not say that it is closed, and does not promote without its last position", async () => {
        const sites = new Sites();
        const journal = await begin(sites);
        const effects = effectsOf(sites, journal, (step) => step === "claim" && sites.silent.add(`standby ${stores[0]}`));
        const notes: string[] = [];
        const note = (line: string) => void notes.push(line);
        await assert.rejects(running(sites, journal, { effects, plan: within(2), note }), /given up before a database was promoted/);
        assert.ok(notes.some((line) => line.includes(`${stores[0]}: its guard did not say that it is closed; its lease has run out`)));
        assert.equal(sites.epoch.active, "standby");
    });

    it("is given up on a person's word, and begun again", async () => {
        const sites = new Sites();
        const journal = await begin(sites);
        const stop = new AbortController();
        const effects = effectsOf(sites, journal, (step) => step === "follow" && stop.abort());
        await assert.rejects(running(sites, journal, { effects, signal: stop.signal }));
        const taking = { estate, plan, bucket: sites.bucket, note: () => undefined, signal: never };
        const taken = await takeOverToAbort(taking);
        const state = await abortActivation(
            { plan, journal: taken, effects: effectsOf(sites, taken), signal: never, note: () => undefined },
            "not today",
        );
        assert.equal(state.outcome, "undone");
        assert.equal(sites.epoch.epoch, 2);
        await running(sites, await begin(sites));
        assertBack(sites);
    });

    it("and an activation do not take each other for their own: each names the other's command", async () => {
        const sites = new Sites();
        await begin(sites);
        const loss = { estate, plan: regionLossPlan(estate), bucket: sites.bucket, note: () => undefined, signal: never };
        const names = (command: RegExp) => (error: Failure) => error.exit === "refused" && command.test(error.next);
        await assert.rejects(resumeActivation(loss), names(/lifeboat failback --resume/));
        await assert.rejects(takeOverToAbort(loss), names(/lifeboat failback --resume/));
        await assert.rejects(begin(sites), names(/lifeboat failback --resume/));
    });
});
