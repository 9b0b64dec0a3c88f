import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import { allBounds, rtoBounds } from "../../model/bounds.ts";
import type { Estate } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { estimateOf, regionLossPlan, stepsOf, type RecoveryPlan } from "../../model/plan.ts";
import { tellPlan } from "../../model/tell.ts";
import { formatDuration, seconds } from "../../model/units.ts";
import { accountNumber } from "../../recovery/account.ts";
import { resumeActivation, startActivation } from "../../recovery/activate.ts";
import { runActivation } from "../../recovery/activation.ts";
import { realEffects, toolsIn } from "../../recovery/effects.ts";
import type { ActivationState } from "../../recovery/journal/state.ts";
import { estate } from "../../stacks/estate.ts";
import { interruption, onInterruption } from "../interruption.ts";
import { note, paint, print, show } from "../output.ts";

interface Options {
    plan?: boolean;
    yes?: boolean;
    resume?: boolean;
    json?: boolean;
    reason: string;
}

export const command = new Command("activate")
    .description(
        "Makes the standby the active site: claims the epoch, promotes the databases, scales, verifies, and throws the latch. Every step is\n" +
            "journaled in the standby's coordination bucket before and after its effect, so a run that dies at any point can be resumed from\n" +
            "another machine. It calls the standby region and nothing else. Run it in the checkout, with a kubeconfig context named `standby`.",
    )
    .option("--plan", "show the plan and do nothing")
    .option("--resume", "go on with the newest unfinished activation")
    .option("--yes", "do not ask to have the region's name typed")
    .option("--reason <text>", "why, for the record", "not given")
    .option("--json", "print what came of it as JSON")
    .action(async (options: Options) => {
        const plan = regionLossPlan(estate);
        if (options.plan === true) return showPlan(plan, options);
        const region = estate.sites[plan.active].region;
        const account = await accountNumber(region);
        const tools = toolsIn(process.cwd(), estate, account);
        if (options.resume !== true && options.yes !== true) await confirm(plan);
        const resumed =
            options.resume === true ? await resumeActivation({ estate, bucket: tools.bucket, note, signal: interruption }) : undefined;
        if (resumed !== undefined && "ended" in resumed) {
            note("nothing is left to do");
            return tell(resumed.ended, plan, options);
        }
        const journal =
            resumed?.journal ?? (await startActivation({ estate, account, bucket: tools.bucket, plan, reason: options.reason }));
        note(header(estate, plan, journal.activation));
        const since = Date.parse(journal.state().openedAt);
        const running = runActivation({
            plan,
            journal,
            effects: realEffects(tools, journal),
            signal: interruption,
            note: (line) => note(`${paint("dim", `+${((Date.now() - since) / 1000).toFixed(1)} s`.padStart(9), process.stderr)}  ${line}`),
        });
        // Ctrl-C: the run writes into the journal that it stops here, and says how to go on, before the process ends.
        using _ = onInterruption(async () => {
            const failure = await running.then(() => undefined).catch((error: unknown) => error);
            if (failure instanceof Failure) note(`${failure.message}\n  next: ${failure.next}`);
        });
        tell(await running, plan, options);
    });

function tell(state: ActivationState, plan: RecoveryPlan, { json }: Options): void {
    const outcome = report(state, plan);
    if (json === true) print(outcome);
    else show(summary(state, outcome.seconds));
}

/** The header of a run: its clock starts here, and this much of the RTO is left to it. */
function header(declared: Estate, plan: RecoveryPlan, activation: string): string {
    const spent = stepsOf(plan)
        .filter(({ by }) => by === "health checks" || by === "people")
        .reduce((sum, step) => sum + estimateOf(step), 0);
    const budgets = rtoBounds(declared, plan).map(
        ({ of, promised }) =>
            `${of}: ${formatDuration(seconds(Math.max(0, promised - spent)))} of its RTO of ${formatDuration(promised)} are left`,
    );
    return `activation ${activation}; after detection and decision (${formatDuration(seconds(spent))}) ${budgets.join(", ")}`;
}

async function confirm(plan: RecoveryPlan): Promise<void> {
    const region = estate.sites[plan.active].region;
    if (!process.stdin.isTTY)
        throw new Failure("usage", "nobody is there to confirm the activation", "add --yes, and --reason for the record");
    note(tellPlan(estate, plan));
    const dialogue = createInterface({ input: process.stdin, output: process.stderr });
    try {
        const typed = await dialogue.question(`\nThis makes ${region} the active site. Type its name to go on: `, { signal: interruption });
        if (typed.trim() !== region)
            throw new Failure("refused", `"${typed.trim()}" is not ${region}; nothing was done`, "repeat the command if you meant it");
    } finally {
        dialogue.close();
    }
}

function showPlan(plan: RecoveryPlan, { json }: Options): void {
    if (json === true) return print({ plan, bounds: allBounds(estate) });
    show(tellPlan(estate, plan));
}

function report(state: ActivationState, plan: RecoveryPlan) {
    const planned = new Map(stepsOf(plan).map((step) => [step.name as string, step]));
    return {
        activation: state.activation,
        outcome: state.outcome,
        epoch: state.opened.from.epoch + 1,
        active: plan.active,
        reason: state.opened.reason,
        openedAt: state.openedAt,
        finishedAt: state.lastAt,
        seconds: Math.max(0, (Date.parse(state.lastAt) - Date.parse(state.openedAt)) / 1000),
        steps: state.steps.map(({ name, state: stands, seconds: took, attempts, result }) => {
            const step = planned.get(name);
            return {
                name,
                state: stands,
                seconds: took,
                estimateSeconds: step && estimateOf(step),
                limitSeconds: step?.limit,
                attempts,
                result,
            };
        }),
    };
}

function summary(state: ActivationState, span: number): string {
    const rows = state.steps.map(
        ({ name, seconds: took }) => `  ${name.padEnd(28)} ${took === undefined ? "" : formatDuration(seconds(took))}`,
    );
    return [
        `${paint("green", "active")}: the standby serves, epoch ${state.opened.from.epoch + 1}, after ${formatDuration(seconds(span))}`,
        ...rows,
    ].join("\n");
}
