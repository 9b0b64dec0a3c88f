import { Command } from "commander";
import { accountNumber } from "../../recovery/account.ts";
import { coordinationOf } from "../../recovery/coordination.ts";
import { publishLatch, readLatch } from "../../recovery/latch.ts";
import { estate } from "../../stacks/estate.ts";
import { print, show } from "../output.ts";

const read = async () => {
    const account = await accountNumber(estate.sites.standby.region);
    return (await readLatch(coordinationOf(estate, account))).record;
};

const publish = new Command("publish")
    .description(
        "Puts the record's state into the metric that the health checks read, in the standby region. A datum ages out: a job repeats this every minute.",
    )
    .option("--json", "print the record as JSON")
    // The parent's `--json` takes the flag wherever it stands.
    .action(async (_options: object, self: Command) => {
        const { json } = self.optsWithGlobals<{ json?: boolean }>();
        const record = await read();
        await publishLatch(estate, record);
        if (json === true) return print({ ...record, published: record.thrown ? 1 : 0 });
        show(`published ${record.thrown ? 1 : 0}: the latch is ${record.thrown ? "thrown" : "not thrown"}`);
    });

export const command = new Command("latch")
    .description(
        "Shows the latch: whether Route 53 may answer users with the standby. An activation throws it, when the standby can write.",
    )
    .option("--json", "print the record as JSON")
    .addCommand(publish)
    .action(async ({ json }: { json?: boolean }) => {
        const record = await read();
        if (json === true) return print(record);
        show(`the latch is ${record.thrown ? "thrown" : "not thrown"}, by epoch ${record.epoch} at ${record.at}`);
    });
