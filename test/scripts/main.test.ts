import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { exitCodes } from "../../model/failure.ts";
import { commands } from "../../scripts/commands.ts";
import { lifeboat, repository } from "../support/cli.ts";

describe("the lifeboat command", function () {
    this.timeout(20_000);

    it("has a module for each command that it lists, and lists each module", () => {
        const modules = readdirSync(join(repository, "scripts/commands")).map((file) => file.replace(/\.ts$/, ""));
        assert.deepEqual(modules.sort(), Object.keys(commands).sort());
    });

    it("lists its commands and exit codes in its help, without loading any of them", async () => {
        const { code, stdout, stderr } = await lifeboat(["--help"]);
        assert.deepEqual([code, stderr], [0, ""]);
        for (const name of Object.keys(commands)) assert.match(stdout, new RegExp(`^ {2}${name} `, "m"));
        for (const number of Object.values(exitCodes)) assert.match(stdout, new RegExp(`^ {2}${number} `, "m"));
    });

    for (const name of Object.keys(commands))
        it(`explains ${name}: what it does, --json, and the exit codes`, async () => {
            const { code, stdout, stderr } = await lifeboat([name, "--help"]);
            assert.deepEqual([code, stderr], [0, ""]);
            assert.match(stdout, new RegExp(`Usage: lifeboat ${name}\\b`));
            assert.match(stdout, /^Exit codes:$/m);
            const below = [...stdout.matchAll(/^ {2}([a-z-]+)(?: \[| <| {2,})/gm)].map((match) => match[1]!);
            const subcommands = /^Commands:$/m.test(stdout) ? below.filter((each) => each !== "help") : [];
            if (subcommands.length === 0) assert.match(stdout, /--json/);
        });

    it("has no option that would take a command's own arguments for its values", async () => {
        const loaded = Object.keys(commands).map((name) => import(`../../scripts/commands/${name}.ts`) as Promise<{ command: Command }>);
        const withAll = (command: Command): Command[] => [command, ...command.commands.flatMap(withAll)];
        const greedy = (await Promise.all(loaded))
            .flatMap(({ command }) => withAll(command))
            .filter(({ registeredArguments }) => registeredArguments.length > 0)
            .flatMap((command) => command.options.filter(({ variadic }) => variadic).map(({ flags }) => `${command.name()} ${flags}`));
        assert.deepEqual(greedy, []);
    });

    it("refuses a command that it does not have, names the nearest one, and exits with 2", async () => {
        const { code, stdout, stderr } = await lifeboat(["rehears"]);
        assert.deepEqual([code, stdout], [2, ""]);
        assert.match(stderr, /unknown command 'rehears'\n\(Did you mean rehearse\?\)/);
    });

    it("refuses an option that a command does not have with 2; --json says so on stdout as well", async () => {
        const plain = await lifeboat(["check", "--jsn"]);
        assert.deepEqual([plain.code, plain.stdout], [2, ""]);
        assert.match(plain.stderr, /unknown option '--jsn'\n\(Did you mean --json\?\)/);
        const { code, stdout } = await lifeboat(["check", "--json", "--nonsense"]);
        assert.equal(code, 2);
        assert.deepEqual((JSON.parse(stdout) as { failure: { exit: string } }).failure.exit, "usage");
    });

    it("shows its help on stderr and exits with 2 when it is given nothing", async () => {
        const { code, stdout, stderr } = await lifeboat([]);
        assert.deepEqual([code, stdout], [2, ""]);
        assert.match(stderr, /Usage: lifeboat COMMAND/);
    });

    it("tells what is missing, what to do next, and exits with 3", async () => {
        // A cache that cannot be written, whose pieces so are not there.
        const { code, stdout, stderr } = await lifeboat(["setup", "--json"], { env: { XDG_CACHE_HOME: "/dev/null" } });
        assert.equal(code, 3, stderr);
        assert.match(stderr, /^lifeboat: cannot write to \/dev\/null\/lifeboat\n {2}because .*\n {2}next: make room there/m);
        const { failure } = JSON.parse(stdout) as { failure: { exit: string; message: string } };
        assert.deepEqual([failure.exit, failure.message], ["prerequisite", "cannot write to /dev/null/lifeboat"]);
    });

    it("colours nothing that is not a terminal's", async () => {
        const { stdout, stderr } = await lifeboat(["test", "no-such-file.test.ts"]);
        assert.doesNotMatch(stdout + stderr, /\u001b\[/);
        assert.match(stderr, /^lifeboat: no-such-file\.test\.ts is not one test file\n {2}next: name files under test\/\n$/);
    });
});
