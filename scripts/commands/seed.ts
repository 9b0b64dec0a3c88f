import { Command } from "commander";
import { coordinationOf } from "../../recovery/coordination.ts";
import { readEpoch } from "../../recovery/epoch.ts";
import { seed } from "../../recovery/databases/seed.ts";
import { databasePlace } from "../database-place.ts";
import { interruption } from "../interruption.ts";
import { print } from "../output.ts";

export const command = new Command("seed")
    .argument("<store>", "store of the estate")
    .description(
        "Runs before a store's server. An empty volume in a passive site becomes a copy of the peer's data, a half copy is wiped and made anew,\n" +
            "and whole data is left alone; whatever it is, the server then starts read-only. Refuses when its own site is active and its copy\n" +
            "was never finished.",
    )
    .option("--json", "print what was decided as JSON")
    .action(async (store: string, { json }: { json?: boolean }) => {
        const place = await databasePlace(store);
        const bucket = coordinationOf(place.standpoint.estate, place.standpoint.account);
        const decision = await seed(place, async () => (await readEpoch(bucket)).record, interruption);
        if (json) print({ store, decision });
    });
