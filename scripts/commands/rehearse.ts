import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { exitCodes, Failure } from "../../model/failure.ts";
import { keyVariable, signingKey } from "../../recovery/evidence/key.ts";
import { inspectDump } from "../../sandbox/rehearsal/own-data/dump.ts";
import { tryDump } from "../../sandbox/rehearsal/own-data/trial.ts";
import { rehearse, scenarios, type ScenarioName } from "../../sandbox/rehearsal/rehearsal.ts";
import { report } from "../../sandbox/rehearsal/report.ts";
import { estate } from "../../stacks/estate.ts";
import { attach } from "../../sandbox/sandbox.ts";
import { evidenceDirectory, fileEvidence } from "../evidence/archive.ts";
import { interruption, onInterruption } from "../interruption.ts";
import { note, paint, print, show } from "../output.ts";
import { ensureSetup } from "../setup/setup.ts";

const source = fileURLToPath(new URL("../..", import.meta.url));

interface Options {
    fast: number;
    seed?: number;
    name: string;
    keep?: boolean;
    load?: string;
    failback?: boolean;
    key?: string;
    json?: boolean;
}

const positive = (text: string): number => {
    const value = Number(text);
    if (!(value >= 1 && value <= 60)) throw new InvalidArgumentError("it is a number from 1 to 60");
    return value;
};
const whole = (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 31)
        throw new InvalidArgumentError("it is a whole number from 0 to 2147483647");
    return value;
};

function scenarioOf(name: string): ScenarioName {
    const known = scenarios.find((scenario) => scenario === name);
    if (known) return known;
    throw new Failure("usage", `there is no scenario "${name}"`, `choose one of: ${scenarios.join(", ")}`);
}

async function stopIfUp(name: string): Promise<void> {
    try {
        await attach(name).stop();
    } catch (error) {
        if (!(error instanceof Failure && error.exit === "unavailable")) throw error;
    }
}

export const command = new Command("rehearse")
    .description(
        "Provisions both sites in a sandbox on this machine with the real engine and real databases, sends customers, plays the scenario, and holds\n" +
            "what it measured against the objectives. It leaves the checkout as it was.\n" +
            "  region-loss   the primary is gone for good\n" +
            "  partition     the primary is cut off alive, and later healed\n" +
            "  standby-loss  the standby goes dark, and is rebuilt",
    )
    .argument("<scenario>", scenarios.join(", "))
    .option("--fast <factor>", "divide the clocks of the sandbox's health checkers and DNS; their spans are multiplied back", positive, 1)
    .option("--seed <number>", "repeat the draws of an earlier rehearsal", whole)
    .option("--name <name>", "name of the sandbox", "rehearsal")
    .option("--keep", "leave the sandbox up: `lifeboat sandbox shell --name rehearsal`")
    .option(
        "--load <file>",
        "put this dump (SQL of MariaDB, MySQL or PostgreSQL; also .gz, .zst) in first, and hold each of its tables to the same checks",
    )
    .option("--failback", "let the lost region come back afterwards, and go back to it (region-loss)")
    .option("--key <file>", `sign the evidence with this Ed25519 key (PEM), not with the machine's own; in CI set ${keyVariable}`)
    .option("--json", "print the evidence as JSON")
    .action(async (name: string, options: Options) => {
        const scenario = scenarioOf(name);
        if (options.failback === true && scenario !== "region-loss")
            throw new Failure("usage", `there is no way back from ${scenario}`, "rehearse region-loss --failback");
        const key = signingKey(options.key);
        const dump = options.load === undefined ? undefined : await inspectDump(resolve(options.load), estate);
        await ensureSetup(note);
        if (dump) await tryDump(dump, estate);
        // Also one that was to be kept: a rehearsal that was stopped leaves nothing behind.
        using _ = onInterruption(() => stopIfUp(options.name));
        const { evidence, path } = await rehearse({
            scenario,
            estate,
            source,
            name: options.name,
            fast: options.fast,
            ...(options.seed === undefined ? {} : { seed: options.seed }),
            keep: options.keep ?? false,
            failback: options.failback ?? false,
            ...(dump ? { dump } : {}),
            evidenceDirectory,
            note,
            signal: interruption,
        });
        const drawn = fileEvidence(path, key);
        if (options.json === true) {
            print(evidence);
            note(`evidence: ${path}`);
        } else show(report(evidence, path, (text, verdict) => paint(verdict === "PASS" ? "green" : "red", text)));
        note(`report page: ${drawn}`);
        if (options.keep)
            note(
                `the sandbox stands: \`./lifeboat sandbox shell --name ${options.name}\`; \`./lifeboat sandbox down --name ${options.name}\` ends it`,
            );
        process.exitCode = evidence.verdict === "PASS" ? exitCodes.ok : exitCodes.no;
    });
