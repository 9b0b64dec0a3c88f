import { Command } from "commander";
import { siteNames } from "../../model/estate.ts";
import { exitCodes } from "../../model/failure.ts";
import { judgeReadiness } from "../../model/readiness.ts";
import { accountNumberFromAny } from "../../recovery/account.ts";
import { answerLimit, gatherFacts, sourcesIn } from "../../recovery/facts.ts";
import { estate } from "../../stacks/estate.ts";
import { paint, print, show } from "../output.ts";
import { statusScreen } from "../screens/status.ts";

/** In ms, before anything else can be asked. */
const accountLimit = 3_000;

export const command = new Command("status")
    .description(
        "Shows in one screen who is active, the lag of each replica, the age of each newest verified recovery point, what is unprotected, and\n" +
            "whether we could fail over now and what would be lost. Run it anywhere that has AWS credentials and a kubeconfig with the contexts\n" +
            "`primary` and `standby`. It changes nothing. Everything is asked side by side; what has not answered " +
            `${(accountLimit + answerLimit) / 1000} s after the start is shown\n` +
            "as no answer. Ends with 0 where the answer is yes, with 1 where it is no, or yes at a loss over the promise.",
    )
    .option("--json", "print what was found and what it means as JSON")
    .action(async ({ json }: { json?: boolean }) => {
        const regions = siteNames.map((site) => estate.sites[site].region);
        const account = await accountNumberFromAny(regions, accountLimit);
        const facts = await gatherFacts(sourcesIn(estate, account));
        const readiness = judgeReadiness(estate, facts);
        if (json === true) print({ estate: estate.name, readiness, facts });
        else show(statusScreen(estate, facts, readiness, paint));
        if (readiness.failover !== "yes") process.exitCode = exitCodes.no;
    });
