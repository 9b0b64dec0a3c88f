import { assemble } from "../assemble.ts";
import { checkOwnData } from "../own-data/own-data.ts";
import { goBack } from "../failback.ts";
import { open } from "../opening.ts";
import { collect, takeOver } from "../takeover.ts";
import { catalog } from "../protect.ts";
import type { Scenario } from "../stage.ts";

/** The primary region is gone, at once; the standby takes over. With `--failback` the region comes back afterwards, and is gone back to. */
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
    const pointsNow = await catalog(sandbox);
    const back = stage.failback ? await goBack(stage, crowds[0]!) : undefined;
    return assemble(stage, {
        ...before,
        lost: "primary",
        lossAt,
        ...takeover,
        ...(await collect(stage, crowds, back ? ["primary", "standby"] : ["standby"])),
        pointsNow,
        ...back,
        ...(loaded ? { ownData: await checkOwnData(sandbox, loaded, takeover.restored) } : {}),
    });
};
