import { assemble } from "../assemble.ts";
import { checkOwnData } from "../own-data/own-data.ts";
import { open } from "../opening.ts";
import { collect, takeOver } from "../takeover.ts";
import { catalog } from "../protect.ts";
import type { Scenario } from "../stage.ts";

/** The primary region is gone, at once and for good; the standby takes over. */
export const regionLoss: Scenario = async (stage) => {
    const { sandbox, phases } = stage;
    const { crowds, loaded, ...before } = await open(stage, ["customers"]);
    const { at } = await phases.run(
        "lose",
        sandbox,
        () => sandbox.lose("primary"),
        ({ at }) => `the primary is gone at ${at}`,
    );
    const lossAt = Date.parse(at);
    const takeover = await takeOver(stage, crowds[0]!, lossAt);
    return assemble(stage, {
        ...before,
        lost: "primary",
        lossAt,
        ...takeover,
        ...(await collect(stage, crowds)),
        pointsNow: await catalog(sandbox),
        ...(loaded ? { ownData: await checkOwnData(sandbox, loaded, takeover.restored) } : {}),
    });
};
