import { Argument, Command, Option } from "commander";
import type { RecoveryPlan } from "../../model/plan.ts";
import { scenarios } from "../../model/plans.ts";
import { accountNumber } from "../../recovery/account.ts";
import { makeRunbook, type Runbook } from "../../recovery/runbook/page.ts";
import { exportRunbooks, publishRunbooks } from "../../recovery/runbook/shelf.ts";
import { estate } from "../../stacks/estate.ts";
import { print, show } from "../output.ts";

interface Options {
    format: "markdown" | "html";
    publish?: boolean;
    export?: string;
    json?: boolean;
}

export const command = new Command("runbook")
    .addArgument(
        new Argument("[scenario]", "what is lost (default: region-loss; with --publish or --export: every scenario)").choices(scenarios),
    )
    .description(
        "Writes the runbook of a scenario from the estate and the plan that `lifeboat activate` executes: detection, first actions, each step with\n" +
            "its command and its undo, verification, escalation, messages, what comes after. On stdout; --publish puts it, as Markdown and as one\n" +
            "printable page, into the standby's coordination bucket (runbooks/), --export onto a stick; both read back what they wrote.",
    )
    .addOption(new Option("--format <format>", "form of what is printed").choices(["markdown", "html"]).default("markdown"))
    .option("--publish", "put both forms into the standby's coordination bucket")
    .option("--export <directory>", "write both forms into a directory that is there")
    .option("--json", "print scenario, fingerprint and text, or what was written where, as JSON")
    .action(async (asked: RecoveryPlan["scenario"] | undefined, options: Options) => {
        const writes = options.publish === true || options.export !== undefined;
        const account =
            options.publish === true ? await accountNumber(estate.sites.standby.region) : process.env["LIFEBOAT_ACCOUNT"] || undefined;
        const wanted = asked === undefined && writes ? scenarios : [asked ?? "region-loss"];
        const runbooks = wanted.map((scenario) => makeRunbook(estate, scenario, account));
        if (!writes) return tell(runbooks[0]!, options);
        const written = [
            ...(options.export === undefined ? [] : exportRunbooks(options.export, runbooks)),
            ...(options.publish === true && account !== undefined ? await publishRunbooks(estate, account, runbooks) : []),
        ];
        if (options.json === true) print({ runbooks: runbooks.map(({ scenario, fingerprint }) => ({ scenario, fingerprint })), written });
        else show(written.join("\n"));
    });

function tell(runbook: Runbook, { format, json }: Options): void {
    const { scenario, fingerprint } = runbook;
    const text = runbook[format];
    if (json === true) print({ scenario, fingerprint, format, text });
    else show(text.trimEnd());
}
