import { Command, Option } from "commander";
import { switchBound } from "../../model/failback.ts";
import { Failure } from "../../model/failure.ts";
import { plans } from "../../model/plans.ts";
import { tellFailback } from "../../model/tell.ts";
import { formatDuration } from "../../model/units.ts";
import { accountNumber } from "../../recovery/account.ts";
import { resumeActivation, startActivation, takeOverToAbort } from "../../recovery/activate.ts";
import { abortActivation, runActivation } from "../../recovery/activation.ts";
import { failbackEffects, failbackToolsIn } from "../../recovery/failback.ts";
import type { Journal } from "../../recovery/journal/journal.ts";
import type { ActivationState } from "../../recovery/journal/state.ts";
import { estate } from "../../stacks/estate.ts";
import { attended, type Run } from "../attended.ts";
import { confirmSite } from "../confirm.ts";
import { interruption } from "../interruption.ts";
import { note, paint, print, show } from "../output.ts";
import { report, summary } from "../screens/activation.ts";

interface Options {
    plan?: boolean;
    yes?: boolean;
    resume?: boolean;
    abort?: boolean;
    json?: boolean;
    reason: string;
}

const plan = plans.failback(estate);

export const command = new Command("failback")
    .description(
        "Goes back to the primary once its region answers again: stands it up passive, saves what its old databases hold alone, makes them replicas of\n" +
            "the standby's, then hands over: the standby closes, the replicas catch up to its last write, the primary is promoted, scaled and\n" +
            "answers users, and the standby becomes its replica again. No acknowledged write is lost; users wait from the claim to the answer.\n" +
            "Every step is journaled like an activation's. Run it in the checkout, with kubeconfig contexts named `primary` and `standby`.",
    )
    .addOption(new Option("--plan", "show the plan and do nothing").conflicts(["yes", "resume", "abort"]))
    .addOption(new Option("--resume", "go on with an unfinished fail-back, also of a dead runner").conflicts("abort"))
    .option("--abort", "give up an unfinished fail-back and undo it: the standby goes on serving; refused once a database was promoted")
    .option("--yes", "do not ask to have the site's name typed")
    .option("--reason <text>", "why, for the record", "not given")
    .option("--json", "print what came of it as JSON")
    .action(async (options: Options) => {
        if (options.plan === true)
            return options.json === true ? print({ plan, switchSeconds: switchBound(plan).seconds }) : show(tellFailback(estate, plan));
        const asks = options.resume !== true && options.abort !== true && options.yes !== true;
        if (asks && !process.stdin.isTTY)
            throw new Failure("usage", "nobody is there to confirm the fail-back", "add --yes, and --reason for the record");
        const account = await accountNumber(estate.sites.standby.region);
        const tools = failbackToolsIn(process.cwd(), estate, account);
        const attend = (journal: Journal, run: Run) =>
            attended(
                {
                    plan,
                    journal,
                    effects: failbackEffects(tools, journal),
                    header: `fail-back ${journal.activation}; users are expected to wait for ${formatDuration(switchBound(plan).seconds)} at most, from the claim on`,
                    clock: (elapsed) => `+${elapsed.toFixed(1)} s`.padStart(9),
                },
                run,
            );
        const takeOver = { estate, bucket: tools.bucket, plan, note, signal: interruption };
        if (options.abort === true) {
            const journal = await takeOverToAbort(takeOver);
            return tell(await attend(journal, (run) => abortActivation(run, options.reason)), options);
        }
        if (options.resume === true) {
            const resumed = await resumeActivation(takeOver);
            if ("journal" in resumed) return tell(await attend(resumed.journal, runActivation), options);
            note("nothing is left to do");
            return tell(resumed.ended, options);
        }
        if (asks) {
            const { region } = estate.sites[plan.active];
            note(tellFailback(estate, plan));
            await confirmSite(`This hands over to the ${plan.active} (${region}).`, plan, region);
        }
        const journal = await startActivation({ estate, account, bucket: tools.bucket, plan, reason: options.reason });
        tell(await attend(journal, runActivation), options);
    });

function tell(state: ActivationState, { json }: Options): void {
    if (json === true) print(report(state, plan));
    else show(summary(state, plan, paint));
}
