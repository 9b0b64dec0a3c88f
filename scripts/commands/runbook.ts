import { Argument, Command, Option } from "commander";
import { Failure } from "../../model/failure.ts";
import { scenarios, type RunbookScenario } from "../../model/runbook.ts";
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
    .addArgument(new Argument("[scenario]", "what is lost, or `failback` (default: every one)").choices(scenarios))
    .description(
        "Writes the runbook of a scenario from the estate and the plan that `lifeboat activate` or `lifeboat failback` executes: detection, first\n" +
            "actions, each step with its command and its undo, verification, escalation, messages, what comes after. On stdout; --publish puts it, as\n" +
            "Markdown and as one printable page, into the standby's coordination bucket (runbooks/), --export onto a stick; both read back what they wrote.",
    )
    .addOption(new Option("--format <format>", "form of what is printed").choices(["markdown", "html"]).default("markdown"))
    .option("--publish", "put both forms into the standby's coordination bucket")
    .option("--export <directory>", "write both forms into a directory that is there")
    .option("--json", "print scenario, fingerprint and text, or what was written where, as JSON")
    .action(async (asked: RunbookScenario | undefined, options: Options) => {
        const writes = options.publish === true || options.export !== undefined;
        const account =
            options.publish === true ? await accountNumber(estate.sites.standby.region) : process.env["LIFEBOAT_ACCOUNT"] || undefined;
        const runbooks = (asked === undefined ? scenarios : [asked]).map((scenario) => makeRunbook(estate, scenario, account));
        if (!writes) return tell(runbooks, options);
        const written = [
            ...(options.export === undefined ? [] : exportRunbooks(options.export, runbooks)),
            ...(options.publish === true && account !== undefined ? await publishRunbooks(estate, account, runbooks) : []),
        ];
        if (options.json === true) print({ runbooks: runbooks.map(({ scenario, fingerprint }) => ({ scenario, fingerprint })), written });
        else show(written.join("\n"));
    });

function tell(runbooks: readonly Runbook[], { format, json }: Options): void {
    const told = runbooks.map((runbook) => ({
        scenario: runbook.scenario,
        fingerprint: runbook.fingerprint,
        format,
        text: runbook[format],
    }));
    const [first, ...more] = told;
    if (json === true) return print(more.length === 0 ? first : { runbooks: told });
    if (format === "html" && more.length > 0)
        throw new Failure(
            "usage",
            "an HTML page is of one scenario",
            `name one of ${scenarios.join(", ")}, or have all written with --export DIRECTORY`,
        );
    show(told.map(({ text }) => text.trimEnd()).join("\n\n---\n\n"));
}
