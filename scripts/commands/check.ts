import { Command } from "commander";
import { runChecks } from "../checks/checks.ts";
import { note, paint, print } from "../output.ts";

export const command = new Command("check")
    .description("Run the quick checks, in less than a minute: types, lint (which holds the arrows between the rooms), formatting.")
    .option("--json", "print the results as a JSON document on stdout")
    .action(async ({ json }: { json?: boolean }) => {
        const results = await runChecks(({ name, ok, seconds, output }) => {
            note(`${ok ? paint("green", "pass", process.stderr) : paint("red", "FAIL", process.stderr)} ${name} (${seconds} s)`);
            if (!ok) note(output);
        });
        const ok = results.every((result) => result.ok);
        if (json) print({ ok, checks: results });
        process.exitCode = ok ? 0 : 1;
    });
