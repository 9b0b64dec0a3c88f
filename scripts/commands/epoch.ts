import { Command } from "commander";
import { accountNumber } from "../../recovery/account.ts";
import { coordinationOf } from "../../recovery/coordination.ts";
import { readEpoch } from "../../recovery/epoch.ts";
import { estate } from "../../stacks/estate.ts";
import { print, show } from "../output.ts";

export const command = new Command("epoch")
    .description("Shows the epoch record: which site is active, since when, and who made it so. Only an activation changes it.")
    .option("--json", "print the record as JSON")
    .action(async ({ json }: { json?: boolean }) => {
        const account = await accountNumber(estate.sites.standby.region);
        const { record } = await readEpoch(coordinationOf(estate, account));
        if (json === true) return print(record);
        show(`epoch ${record.epoch}: the ${record.active} (${estate.sites[record.active].region}) is active since ${record.at}`);
        const activation = record.activation === undefined ? "" : ` (activation ${record.activation})`;
        show(`  by ${record.by}${activation}: ${record.reason}`);
    });
