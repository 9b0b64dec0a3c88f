import { setTimeout as sleep } from "node:timers/promises";
import { assemble } from "../assemble.ts";
import { comeBack } from "../aftermath.ts";
import { checkOwnData } from "../own-data/own-data.ts";
import { open } from "../opening.ts";
import { catalog } from "../protect.ts";
import type { Scenario } from "../stage.ts";
import { collect, takeOver } from "../takeover.ts";
import type { Tenure } from "../writers.ts";

/** So long both crowds go on after the takeover, each on its side of the cut, milliseconds. */
const togetherMs = 5000;

/**
 * The primary is cut off from everything outside it, and lives: its own customers still reach it. The standby takes over; then the cut heals.
 *
 * What the primary acknowledged before the cut is judged as after a loss. What it acknowledged after it, until its lease ended, is in its own databases alone: it is
 * counted and listed apart, and no objective promises it.
 */
export const partition: Scenario = async (stage) => {
    const { sandbox, phases } = stage;
    const { crowds, loaded, ...before } = await open(stage, ["customers", "neighbours"]);
    const [customers] = crowds;
    const cut = await phases.run(
        "lose",
        sandbox,
        () => sandbox.cut("primary"),
        ({ at }) => `the primary is cut off, alive, at ${at}`,
    );
    const lossAt = Date.parse(cut.at);
    const takeover = await takeOver(stage, customers!, lossAt);
    await phases.run("together", sandbox, () => sleep(togetherMs), "customers go on, on either side");
    const healed = await phases.run(
        "heal",
        sandbox,
        () => sandbox.heal("primary"),
        ({ at }) => `the cut is healed at ${at}`,
    );
    const checks = await phases.run(
        "return",
        sandbox,
        () => comeBack(stage, customers!, Date.parse(healed.at)),
        (found) => `${found.filter(({ holds }) => holds).length} of ${found.length} demands on the old primary hold`,
    );
    // The claim of the activation, by the step that says when the old site's lease had run out.
    const fenced = takeover.recovery.timeline.activation?.steps.find(({ name }) => name === "fence");
    const tenures: Tenure[] = [
        { site: "primary", epoch: 1, from: -Infinity },
        ...(fenced ? [{ site: "standby", epoch: 2, from: fenced.finishedAt } as const] : []),
    ];
    const collected = await collect(stage, crowds);
    return assemble(stage, {
        ...before,
        lost: "primary",
        lossAt,
        ...takeover,
        ...collected,
        pointsNow: await catalog(sandbox),
        tenures,
        checks,
        ...(loaded ? { ownData: await checkOwnData(sandbox, loaded, takeover.restored) } : {}),
    });
};
