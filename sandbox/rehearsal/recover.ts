import { setTimeout as sleep } from "node:timers/promises";
import { modelledIn, regionLossPlan } from "../../model/plan.ts";
import { tellSource } from "../../model/bounds.ts";
import { names } from "../../model/names.ts";
import type { Estate } from "../../model/estate.ts";
import { sandboxAccount } from "../addresses.ts";
import { lastLines } from "../last-lines.ts";
import type { Sandbox } from "../sandbox.ts";
import { recoveryClock, sums, total, type Clock, type ModelledSpan, type Timeline } from "./clock.ts";
import { crowdSize, servedAgain, type Crowd, type Served } from "./crowd.ts";
import { inside } from "./harness.ts";
import { endpointsLostAt, healthChecks, latchSeenAt } from "./health.ts";
import { stepsOfNewest } from "./journal.ts";

export interface Activation {
    /** Null when a signal ended it. */
    exitCode: number | null;
    startedAt: number;
    finishedAt: number;
    /** The end of what it said on stderr. */
    said: string;
}
/**
 * Runs the activation; a test that kills and resumes it brings its own.
 * @param limitMs when the recovery time is spent whatever comes now
 */
export type Activate = (sandbox: Sandbox, note: (line: string) => void, limitMs: number) => Promise<Activation>;

/**
 * `lifeboat activate`, from an address of its own, so that each of its calls can be told from all others. One that is still at it when the recovery time is
 * spent is stopped: the verdict stands by then.
 */
export const activate: Activate = async (sandbox, note, limitMs) => {
    const startedAt = Date.now();
    const child = sandbox.exec(["lifeboat", "activate", "--yes", "--json", "--reason", "rehearsal of a region's loss"], {
        actor: "activation",
        execa: { reject: false, stdin: "ignore" },
    });
    child.stderr?.on("data", (chunk: Buffer) => {
        for (const line of chunk.toString().split("\n")) if (line.trim() !== "") note(`  ${line}`);
    });
    let spent = "";
    const limit = setTimeout(() => {
        spent = `stopped after ${(limitMs / 1000).toFixed(0)} s, when the recovery time was spent; `;
        child.kill("SIGINT");
    }, limitMs);
    const { exitCode, stderr } = await child;
    clearTimeout(limit);
    const said = spent + lastLines(String(stderr), 5);
    return { exitCode: exitCode ?? null, startedAt, finishedAt: Date.now(), said };
};

/** Waits until the health checkers call the endpoint lost; undefined when they do not within `limitMs`. */
export async function untilDetected(sandbox: Sandbox, lossAt: number, limitMs: number): Promise<number | undefined> {
    for (const end = performance.now() + limitMs; performance.now() < end; await sleep(100)) {
        const at = endpointsLostAt(await healthChecks(sandbox), lossAt);
        if (at !== undefined) return at;
    }
    return undefined;
}

/** The journal's steps of the newest activation. */
export async function journaledSteps(sandbox: Sandbox) {
    return stepsOfNewest(
        await inside(sandbox, "objects", {
            region: sandbox.estate.sites.standby.region,
            bucket: names(sandbox.estate, sandboxAccount).coordinationBucket,
            prefix: "journal/",
        }),
    );
}

/** What only a cloud can show of the plan, with sources in words. */
export const modelledSpans = (estate: Estate): ModelledSpan[] =>
    modelledIn(regionLossPlan(estate)).map(({ step, seconds, source }) => ({ step, seconds, source: tellSource(source) }));

/** Milliseconds that are left to an activation before the recovery time is spent: detected, decided, and with what is modelled still to come. */
export function leftToActivate(estate: Estate, objectiveSeconds: number, timeline: Timeline, fast: number): number {
    const spent = total(sums(recoveryClock(timeline, fast, estate.decision, [])));
    const modelled = modelledSpans(estate).reduce((sum, { seconds }) => sum + seconds, 0);
    return Math.max(0, objectiveSeconds - spent - modelled) * 1000;
}

export interface Recovery {
    timeline: Timeline;
    clock: Clock;
    /** Every customer who was served again. */
    served: Served[];
    allServed: boolean;
}

/**
 * Waits until every customer was served again, or until that would come too late for the objective anyway: what has passed on the sandbox's clocks is
 * multiplied back while it waits.
 */
export async function untilServed(
    sandbox: Sandbox,
    crowd: Crowd,
    before: Timeline,
    options: { fast: number; decisionSeconds: number; objectiveSeconds: number; modelled: readonly ModelledSpan[]; activated: boolean },
): Promise<Recovery> {
    const { fast, decisionSeconds, objectiveSeconds, modelled, activated } = options;
    const clockOf = (timeline: Timeline) => recoveryClock(timeline, fast, decisionSeconds, modelled);
    // A failed activation has thrown no latch; a moment is enough to see that nobody is served.
    const patience = performance.now() + 5000;
    for (;;) {
        const now = Date.now();
        const seen = latchSeenAt(await healthChecks(sandbox), before.activation?.startedAt ?? before.lossAt);
        const served = servedAgain(crowd.read(), before.lossAt);
        const timeline: Timeline = { ...before, ...(seen === undefined ? {} : { latchSeenAt: seen }) };
        if (served.length === crowdSize.clients) {
            const last = served.reduce((a, b) => (a.servedAt > b.servedAt ? a : b));
            const whole = { ...timeline, latchSeenAt: seen ?? last.lookedUpAt, lookedUpAt: last.lookedUpAt, servedAt: last.servedAt };
            return { timeline: whole, clock: clockOf(whole), served, allServed: true };
        }
        const waited = { ...timeline, latchSeenAt: seen ?? now, lookedUpAt: now, servedAt: now };
        const soFar = clockOf(waited);
        const late = activated ? total(sums(soFar)) > objectiveSeconds + 30 : performance.now() > patience;
        if (late) return { timeline: waited, clock: soFar, served, allServed: false };
        await sleep(250);
    }
}
