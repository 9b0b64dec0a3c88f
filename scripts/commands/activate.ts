import { Command, Option } from "commander";
import { allBounds } from "../../model/bounds.ts";
import { Failure } from "../../model/failure.ts";
import type { RecoveryPlan } from "../../model/plan.ts";
import { plans } from "../../model/plans.ts";
import { judgeReadiness } from "../../model/readiness.ts";
import { tellPlan } from "../../model/tell.ts";
import { accountNumber } from "../../recovery/account.ts";
import { resumeActivation, startActivation, takeOverToAbort } from "../../recovery/activate.ts";
import { abortActivation, runActivation } from "../../recovery/activation.ts";
import { realEffects, toolsIn } from "../../recovery/effects.ts";
import { gatherFacts, sourcesIn } from "../../recovery/facts.ts";
import type { Journal } from "../../recovery/journal/journal.ts";
import type { ActivationState } from "../../recovery/journal/state.ts";
import { estate } from "../../stacks/estate.ts";
import { attended, type Run } from "../attended.ts";
import { confirmSite } from "../confirm.ts";
import { interruption } from "../interruption.ts";
import { note, paint, print, show } from "../output.ts";
import { budget, clock, header, price, report, summary } from "../screens/activation.ts";

interface Options {
    plan?: boolean;
    yes?: boolean;
    resume?: boolean;
    abort?: boolean;
    json?: boolean;
    withoutWitness?: boolean;
    reason?: string;
}

const noReason = "not given";

/** In ms: so long a person is kept waiting for the lag before the question. */
const lagLimit = 5_000;

export const command = new Command("activate")
    .description(
        "Makes the standby the active site: claims the epoch, fences the primary, promotes the databases, scales, verifies, and throws the latch. It shows\n" +
            "the plan, what it would cost and what would be lost now, and asks for the site's name to be typed. Every step is journaled in the\n" +
            "standby's coordination bucket before and after its effect, so a run that dies at any point can be resumed from another machine.\n" +
            "It calls the standby and the witness's region, and nothing else. Run it in the checkout, with a kubeconfig context named `standby`.",
    )
    .addOption(new Option("--plan", "show the plan and do nothing").conflicts(["yes", "resume", "abort"]))
    .addOption(new Option("--resume", "go on with the newest unfinished activation, also of a dead runner").conflicts("abort"))
    .option("--abort", "give up an unfinished activation and undo it; refused once a database was promoted")
    .option("--yes", "do not ask to have the site's name typed, and do not wait for the present lag")
    .option("--reason <text>", "why, for the record")
    .option(
        "--without-witness",
        "do not ask the witness, which does not answer: you say, with --reason, that the primary is dead. One that lives goes on writing",
    )
    .option("--json", "print what came of it as JSON")
    .action(async (options: Options) => {
        const plan = plans["region-loss"](estate);
        if (options.plan === true) return showPlan(plan, options);
        if (options.withoutWitness === true && options.reason === undefined)
            throw new Failure("usage", "--without-witness is for a primary that is known to be dead", "say how it is known, with --reason");
        const begins = options.resume !== true && options.abort !== true;
        const asks = begins && options.yes !== true;
        if (asks && !process.stdin.isTTY)
            throw new Failure("usage", "nobody is there to confirm the activation", "add --yes, and --reason for the record");
        const account = await accountNumber(estate.sites[plan.active].region);
        const tools = toolsIn(process.cwd(), estate, account);
        const { left } = budget(estate, plan);
        const attend = (journal: Journal, run: Run) =>
            attended(
                {
                    plan,
                    journal,
                    effects: realEffects(tools, journal, options.withoutWitness === true),
                    header: header(estate, plan, journal.activation),
                    clock: (elapsed) => clock(left, elapsed),
                },
                run,
            );
        if (asks) await confirm(plan, account);
        const takeOver = { estate, bucket: tools.bucket, plan, note, signal: interruption };
        if (options.abort === true) {
            const journal = await takeOverToAbort(takeOver);
            return tell(await attend(journal, (run) => abortActivation(run, options.reason ?? noReason)), plan, options);
        }
        const resumed = options.resume === true ? await resumeActivation(takeOver) : undefined;
        if (resumed !== undefined && "ended" in resumed) {
            note("nothing is left to do");
            return tell(resumed.ended, plan, options);
        }
        const journal =
            resumed?.journal ??
            (await startActivation({ estate, account, bucket: tools.bucket, plan, reason: options.reason ?? noReason }));
        tell(await attend(journal, runActivation), plan, options);
    });

function tell(state: ActivationState, plan: RecoveryPlan, { json }: Options): void {
    if (json === true) print(report(state, plan));
    else show(summary(state, plan, paint));
}

async function confirm(plan: RecoveryPlan, account: string): Promise<void> {
    const { region } = estate.sites[plan.active];
    note(tellPlan(estate, plan));
    const facts = await gatherFacts(sourcesIn(estate, account), { sites: [plan.active], limit: lagLimit });
    note(`\n${price(judgeReadiness(estate, facts))}`);
    await confirmSite(
        `This makes the ${plan.active} (${region}) the active site. The databases of the ${plan.lost} are closed first, if it lives.`,
        plan,
        region,
    );
}

function showPlan(plan: RecoveryPlan, { json }: Options): void {
    if (json === true) return print({ plan, bounds: allBounds(estate) });
    show(tellPlan(estate, plan));
}
