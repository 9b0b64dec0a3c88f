import { Command } from "commander";
import { cacheDirectory, tools, versions } from "../../sandbox/tools.ts";
import { note, print, show } from "../output.ts";
import { ensureSetup } from "../setup/setup.ts";

export const command = new Command("setup")
    .description(
        "Install and build what this machine lacks: database servers and network tools (packages), the Pulumi CLI, a Kubernetes control plane, etcd, moto.\n" +
            "Every other command that needs it does this by itself. Runs each program once, so it also finds a damaged one.",
    )
    .option("--json", "print where everything lies, as a JSON document on stdout")
    .action(async ({ json }: { json?: boolean }) => {
        const started = performance.now();
        await ensureSetup(note, { thorough: true });
        const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
        if (json) print({ cache: cacheDirectory(), seconds, versions, tools: { ...tools } });
        else show(`everything is ready (${seconds} s): ${cacheDirectory()}`);
    });
