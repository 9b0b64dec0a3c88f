import { Command } from "commander";
import { tellTrend, trendOf } from "../../sandbox/rehearsal/trend.ts";
import { countable, evidenceDirectory, readArchive } from "../evidence/archive.ts";
import { note, paint, print, show } from "../output.ts";
import { trustedFingerprints, trustedOption } from "../trusted.ts";

export const command = new Command("history")
    .description(
        "Draws RTO and RPO of this clone's rehearsals against their objectives, and the rates of backup and restore, oldest first. Evidence that is\n" +
            "damaged, not signed or signed by somebody who is not trusted is named with the reason, and not drawn.",
    )
    .addOption(trustedOption())
    .option("--json", "print the trend as JSON")
    .action(({ trusted, json = false }: { trusted?: string[]; json?: boolean }) => {
        const { past, leftOut } = countable(readArchive(evidenceDirectory, trustedFingerprints(trusted)));
        const scenarios = [...new Set(past.map(({ scenario }) => scenario))].sort();
        const trends = Object.fromEntries(scenarios.map((scenario) => [scenario, trendOf(past, scenario)]));
        if (json) print({ trends, leftOut });
        else for (const [scenario, trend] of Object.entries(trends)) show([scenario, "", ...tellTrend(trend), ""].join("\n"));
        if (past.length === 0) note("no rehearsal to draw: ./lifeboat rehearse region-loss");
        for (const line of leftOut) note(`${paint("yellow", "not counted", process.stderr)} ${line}`);
    });
