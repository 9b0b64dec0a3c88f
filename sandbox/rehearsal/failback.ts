import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { siteAt } from "../addresses.ts";
import { lastLines } from "../last-lines.ts";
import { crowdSize, type Crowd } from "./crowd.ts";
import type { Check } from "./evidence.ts";
import { backUp } from "./opening.ts";
import { askReadiness, isProtected, tellReadiness } from "./readiness.ts";
import type { Sandbox } from "../sandbox.ts";
import type { Stage } from "./stage.ts";
import type { Failback, WayBack } from "./way-back.ts";

/** So long customers are given to be led back, and so long they are watched there, milliseconds. */
const backMs = 60_000;
const watchMs = 5_000;
/** So long `lifeboat status` is given to call everything protected, milliseconds. */
const protectedMs = 30_000;

const document = z.looseObject({
    steps: z.array(z.looseObject({ name: z.string(), seconds: z.number(), result: z.record(z.string(), z.unknown()) })),
});

/** The lost region comes back, and `lifeboat failback` goes back to it while customers shop on. */
export async function goBack(stage: Stage, crowd: Crowd): Promise<{ wayBack: WayBack; checks: Check[] }> {
    const { sandbox, problems, note } = stage;
    const { run } = stage.phases;
    await run("heal", sandbox, () => sandbox.restore("primary"), "the primary's region answers again, with the disks that it had");
    const ran = await run(
        "failback",
        sandbox,
        () => stage.runFailback(sandbox, note),
        ({ exitCode }) => (exitCode === 0 ? "the primary is active" : `FAILED with ${exitCode}`),
    );
    if (ran.exitCode !== 0) problems.push(`failback: ended with ${ran.exitCode}: ${ran.said}`);
    const served = await run(
        "settle",
        sandbox,
        () => servedByPrimary(crowd, ran.startedAt),
        (all) => (all ? "every customer is served by the primary" : "not every customer is served by the primary"),
    );
    // What the standby backed up while it was active has one copy.
    await backUp(stage);
    const said = await untilSaidProtected(sandbox);
    note(`  ${tellReadiness(said)}`);
    const checks: Check[] = [
        {
            what: "after the fail-back every customer is served by the primary",
            holds: served,
            saw: served ? "an order of each was acknowledged there" : `not within ${backMs / 1000} s`,
        },
        {
            what: "after the fail-back, and a backup, everything is protected again",
            holds: isProtected(said),
            saw: tellReadiness(said),
        },
    ];
    const { startedAt, finishedAt, steps } = ran;
    return { wayBack: { startedAt, finishedAt, steps, settledAt: Date.now() }, checks };
}

/** Replicas that have just been seeded may still be heard of for the first time. @returns the last answer of `lifeboat status` */
async function untilSaidProtected(sandbox: Sandbox) {
    for (const end = performance.now() + protectedMs; ; await sleep(1000)) {
        const said = await askReadiness(sandbox);
        if (isProtected(said) || performance.now() > end) return said;
    }
}

export const failback: Failback = async (sandbox, note) => {
    const startedAt = Date.now();
    const child = sandbox.exec(["lifeboat", "failback", "--yes", "--json", "--reason", "rehearsal of the way back"], {
        execa: { reject: false, stdin: "ignore" },
    });
    child.stderr?.on("data", (chunk: Buffer) => {
        for (const line of chunk.toString().split("\n")) if (line.trim() !== "") note(`  ${line}`);
    });
    const { exitCode, stdout, stderr } = await child;
    return {
        exitCode: exitCode ?? null,
        startedAt,
        finishedAt: Date.now(),
        steps: exitCode === 0 ? stepsIn(String(stdout)) : [],
        said: lastLines(String(stderr), 5),
    };
};

/** The steps in what `lifeboat failback --json` printed. */
export const stepsIn = (stdout: string): WayBack["steps"] =>
    document.parse(JSON.parse(stdout)).steps.map(({ name, seconds, result }) => ({ name, seconds, result }));

/** Waits until each customer had an order acknowledged by the primary, and watches them for a moment. */
async function servedByPrimary(crowd: Crowd, since: number): Promise<boolean> {
    for (const end = performance.now() + backMs; performance.now() < end; await sleep(250)) {
        const there = crowd
            .read()
            .flatMap((line) =>
                line.kind === "acknowledged" && line.at > since && siteAt(line.address) === "primary" ? [line.client] : [],
            );
        if (new Set(there).size < crowdSize.clients) continue;
        await sleep(watchMs);
        return true;
    }
    return false;
}
