import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { runbookText, scenarios, type RunbookScenario } from "../../model/runbook.ts";
import { scenarios as rehearsed } from "../../sandbox/rehearsal/rehearsal.ts";
import { commands } from "../../scripts/commands.ts";
import { estate } from "../../stacks/estate.ts";
import { repository } from "../support/cli.ts";

/** Words of a line as a shell makes them; quotes are taken off. */
const words = (line: string): string[] =>
    [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((found) => found[1] ?? found[2] ?? found[3] ?? "");

/** Everything that a reader could type: the lines of its blocks, and what stands in the text between backquotes. */
function typed(text: string): string[] {
    const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) => block.trim().split("\n"));
    const inline = [...text.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`]+)`/g)].map(([, line = ""]) => line);
    return [...blocks, ...inline];
}

/** The part of a line that is ours: also what runs in a pod behind `--`. */
const ours = (line: string): string | undefined => /(?:^|-- )(lifeboat .*)$/.exec(line)?.[1];

/** Parses a line with the real command, whose action is taken away first. @throws CommanderError as the command line would */
async function parse(line: string): Promise<void> {
    const [, name = "", ...rest] = words(line);
    assert.ok(Object.hasOwn(commands, name), `there is no command ${name}`);
    const { command } = (await import(new URL(`../../scripts/commands/${name}.ts`, import.meta.url).href)) as { command: Command };
    const parsed = Promise.withResolvers<void>();
    const disarm = (each: Command) => {
        each.exitOverride()
            .configureOutput({ writeErr: () => undefined })
            .action(() => parsed.resolve());
        each.commands.forEach(disarm);
    };
    disarm(command);
    await command.parseAsync(rest, { from: "user" });
    await parsed.promise;
}

describe("the commands that people are told to type", function () {
    this.timeout(20_000);
    /** Clusters that each page works on: what is lost is asked nothing, but where it has come back. */
    const clusters: Record<RunbookScenario, readonly string[]> = {
        "region-loss": ["standby"],
        partition: ["standby", "primary"],
        "standby-loss": ["primary", "standby"],
        failback: ["primary", "standby"],
    };
    for (const scenario of scenarios)
        it(`in the runbook for ${scenario} are commands of ours that parse, or other programs' with names that the estate has`, async () => {
            const lines = typed(runbookText(scenario, { estate }).text);
            const own = [...new Set(lines.map(ours).filter((line) => line !== undefined))];
            assert.ok(own.length >= 8, own.join("\n"));
            for (const line of own) await assert.doesNotReject(parse(line), line);
            const contexts = lines.flatMap((line) => [...line.matchAll(/--context (\S+)/g)].map(([, context]) => context));
            assert.deepEqual([...new Set(contexts)].sort(), [...clusters[scenario]].sort());
            for (const line of lines.filter((each) => / -n \S+ exec /.test(each)))
                assert.match(line, new RegExp(`-n ${estate.name} exec (${Object.keys(estate.stores).join("|")})-0 -c guard -- `));
        });

    it("ask nothing of a primary that is cut off before the chapter in which the cut heals", () => {
        const [before = "", after = ""] = runbookText("partition", { estate }).text.split("## When the cut heals");
        assert.doesNotMatch(before, /--context primary/);
        assert.match(after, /--context primary/);
    });

    it("are there for whatever is rehearsed", () => {
        assert.deepEqual(
            rehearsed.filter((scenario) => !scenarios.some((each) => each === scenario)),
            [],
        );
    });

    it("would be found out if they were wrong", async () => {
        await assert.rejects(parse("lifeboat activate --resum"), /unknown option/);
        await assert.rejects(parse("lifeboat journal one two"), /too many arguments/);
        await assert.rejects(parse("lifeboat failover"), /there is no command failover/);
        assert.deepEqual(typed("a `lifeboat x`\n```sh\nkubectl exec a -- lifeboat y\n```\n").map(ours), ["lifeboat y", "lifeboat x"]);
        assert.deepEqual(words(`a --reason "b c" 'd e'`), ["a", "--reason", "b c", "d e"]);
    });

    it("are in the README those that exist", () => {
        const readme = readFileSync(`${repository}/README.md`, "utf8");
        for (const [, name = ""] of readme.matchAll(/^ {4}(?:\.\/)?lifeboat ([a-z-]+)/gm)) assert.ok(Object.hasOwn(commands, name), name);
    });
});
