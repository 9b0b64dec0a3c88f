import { Command } from "commander";
import { guard, promote, status } from "../../recovery/databases/guard.ts";
import { guardedServer } from "../../recovery/databases/kinds.ts";
import { coordinationOf } from "../../recovery/coordination.ts";
import { readEpoch } from "../../recovery/epoch.ts";
import { Failure } from "../../model/failure.ts";
import { databasePlace } from "../database-place.ts";
import { interruption } from "../interruption.ts";
import { note, print } from "../output.ts";

interface Options {
    promote?: boolean;
    status?: boolean;
    json?: boolean;
}

export const command = new Command("guard")
    .argument("<store>", "store of the estate")
    .description(
        "Runs beside a store's server and holds it writable or read-only as the epoch record says, every 2 s. A replica is left to follow its\n" +
            "peer until an activation promotes it. Where the epoch cannot be read, nothing is changed.",
    )
    .option("--promote", "promote the server in place and end: refused unless this site is the active one; may be repeated")
    .option("--status", "print role, lag and position as JSON and end")
    .option("--json", "accepted for symmetry: --promote and --status print JSON anyway")
    .action(async (store: string, options: Options) => {
        if (options.promote && options.status) throw new Failure("usage", "--promote and --status are two questions", "ask one at a time");
        const place = await databasePlace(store);
        const bucket = coordinationOf(place.standpoint.estate, place.standpoint.account);
        const tools = {
            place,
            server: guardedServer(place),
            epoch: async () => (await readEpoch(bucket)).record,
            signal: interruption,
        };
        if (options.status) return print(await status(tools));
        if (options.promote) return print(await promote(tools));
        note(`guarding ${store} in the ${place.standpoint.site} site`);
        await guard(tools);
    });
