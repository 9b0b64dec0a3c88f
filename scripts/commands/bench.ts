import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { exitCodes, Failure } from "../../model/failure.ts";
import { benchActivate } from "../../sandbox/bench/activate.ts";
import { table, type Figure } from "../../sandbox/bench/figure.ts";
import { benchStart, type BenchOptions } from "../../sandbox/bench/start.ts";
import { estate } from "../../stacks/estate.ts";
import { attach } from "../../sandbox/sandbox.ts";
import { evidenceDirectory } from "../evidence/archive.ts";
import { interruption, onInterruption } from "../interruption.ts";
import { note, print, show } from "../output.ts";
import { ensureSetup } from "../setup/setup.ts";

const source = fileURLToPath(new URL("../..", import.meta.url));

const benches: Record<string, (options: BenchOptions) => Promise<Figure[]>> = {
    start: benchStart,
    activate: (options) => benchActivate(options, evidenceDirectory),
};

export const command = new Command("bench")
    .description(
        "Measures in a sandbox of its own and prints ratios, each beside its goal.\n" +
            "  start     preview of the whole estate, against an empty program with the same providers and against itself with the types checked first\n" +
            "  activate  our time in an activation, against the lease, the promotions and one `pulumi up` that changes nothing",
    )
    .argument("<name>", Object.keys(benches).join(", "))
    .option("--json", "print an array of { figure, value, unit, goal, holds }")
    .action(async (name: string, { json = false }: { json?: boolean }) => {
        const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
        if (!bench) throw new Failure("usage", `there is no benchmark "${name}"`, `choose one of: ${Object.keys(benches).join(", ")}`);
        await ensureSetup(note);
        using _ = onInterruption(() => attach("bench").stop());
        const figures = await bench({ estate, source, note, signal: interruption });
        if (json) print(figures);
        else show(table(figures));
        process.exitCode = figures.every(({ holds }) => holds !== false) ? exitCodes.ok : exitCodes.no;
    });
