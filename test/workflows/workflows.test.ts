import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { parse } from "yaml";
import { z } from "zod";
import { commands, type CommandName } from "../../scripts/commands.ts";
import { tools } from "../../sandbox/tools.ts";
import { estate } from "../../stacks/estate.ts";
import { repository, startCommand } from "../support/cli.ts";

const directory = join(repository, ".github/workflows");

/** The part of GitHub's workflow syntax that ours keep to: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax */
const step = z.strictObject({
    name: z.string().optional(),
    if: z.string().optional(),
    uses: z.string().optional(),
    with: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    run: z.string().optional(),
    env: z.record(z.string(), z.string()).optional(),
});
const job = z.strictObject({
    "runs-on": z.literal("ubuntu-24.04"),
    "timeout-minutes": z.int().max(360),
    permissions: z.partialRecord(z.enum(["contents", "id-token"]), z.enum(["read", "write"])),
    if: z.string().optional(),
    environment: z.string().optional(),
    strategy: z.strictObject({ "fail-fast": z.boolean(), matrix: z.record(z.string(), z.array(z.string())) }).optional(),
    container: z.strictObject({ image: z.string(), options: z.string() }).optional(),
    env: z.record(z.string(), z.string()).optional(),
    steps: z.array(step).min(1),
});
const schedule = z.strictObject({ schedule: z.array(z.strictObject({ cron: z.string() })).length(1), workflow_dispatch: z.null() });
const release = z.strictObject({ release: z.strictObject({ types: z.tuple([z.literal("published")]) }) });
const workflow = z.strictObject({
    name: z.string(),
    on: z.union([z.literal("pull_request"), schedule, release]),
    permissions: z.strictObject({}),
    concurrency: z.strictObject({ group: z.string(), "cancel-in-progress": z.boolean() }),
    jobs: z.record(z.string(), job),
});

const files = readdirSync(directory).sort();
const texts = Object.fromEntries(files.map((file) => [file, readFileSync(join(directory, file), "utf8")]));
const read = (file: string) => workflow.parse(parse(texts[file]!));
const stepsOf = (file: string) => Object.values(read(file).jobs).flatMap(({ steps }) => steps);

/** The words of a line of shell that call a program, with quotes taken off; variables stay words. */
const wordsOf = (line: string): string[] =>
    [...line.replace(/ (>|\|\||&&|\|) .*$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
const linesCalling = (file: string, program: string): string[][] =>
    stepsOf(file)
        .flatMap(({ run }) => (run ?? "").split("\n"))
        .map((line) => wordsOf(line.trim()))
        .filter(([first]) => first === program)
        .map(([, ...argv]) => argv);

/** @throws what commander says of a call that it would not take */
async function parsesAs(argv: readonly string[]): Promise<void> {
    const [name = "", ...rest] = argv;
    assert.ok(Object.hasOwn(commands, name), `lifeboat has no command ${name}`);
    const { command } = (await import(`../../scripts/commands/${name as CommandName}.ts`)) as { command: Command };
    command.exitOverride();
    const { operands, unknown } = command.parseOptions(rest);
    assert.deepEqual(unknown, [], `lifeboat ${name} has no such option`);
    const needed = command.registeredArguments.filter(({ required }) => required).length;
    const variadic = command.registeredArguments.some((argument) => argument.variadic);
    assert.ok(
        operands.length >= needed && (variadic || operands.length <= command.registeredArguments.length),
        `arguments of ${argv.join(" ")}`,
    );
}

describe("the workflows of a user's CI", function () {
    this.timeout(60_000);
    it("are a preview of each change, a bundle of each release, a monthly, a quarterly and a yearly one", () => {
        const crons = Object.fromEntries(
            files.map((file) => {
                const { on } = read(file);
                return [file, on === "pull_request" ? on : "release" in on ? "release" : on.schedule[0]!.cron];
            }),
        );
        assert.deepEqual(crons, {
            "activation.yml": "41 7 3 2 *",
            "preview.yml": "pull_request",
            "rehearsal.yml": "23 5 2 1,4,7,10 *",
            "release.yml": "release",
            "restore-drill.yml": "17 6 1 * *",
        });
    });
    for (const file of files) {
        it(`${file} keeps to the syntax, grants nothing to all jobs, and to each what it uses`, () => {
            for (const [name, { permissions, steps }] of Object.entries(read(file).jobs)) {
                const signsIn = steps.some(({ uses }) => uses?.startsWith("aws-actions/configure-aws-credentials@"));
                assert.deepEqual(permissions, { contents: "read", ...(signsIn ? { "id-token": "write" } : {}) }, name);
                const checkout = steps.find(({ uses }) => uses?.startsWith("actions/checkout@"));
                assert.equal(checkout?.with?.["persist-credentials"], false, name);
            }
        });
        it(`${file} pins every action to a commit, and names its version`, () => {
            const used = [...texts[file]!.matchAll(/uses: (.*)/g)].map(([, use]) => use!);
            assert.ok(used.length > 0);
            for (const use of used) assert.match(use, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
        });
        it(`${file} calls commands that exist, with options that they have`, async () => {
            const calls = linesCalling(file, "./lifeboat");
            assert.ok(calls.length > 0);
            for (const argv of calls) await parsesAs(argv);
        });
        it(`${file} runs shell that parses, and puts no expression into it`, async () => {
            for (const { run } of stepsOf(file)) {
                if (run === undefined) continue;
                assert.doesNotMatch(run, /\$\{\{/, "an expression in a script is an injection waiting: use env");
                const { code, stderr } = await startCommand(["bash", "-n", "-c", run]).ended;
                assert.equal(code, 0, stderr);
            }
        });
    }
    it("preview both stacks with the rules, and the promotion; with a role, and never for a fork", () => {
        const { preview } = read("preview.yml").jobs;
        assert.match(preview!.if!, /head\.repo\.full_name == github\.repository/);
        const stacks = linesCalling("preview.yml", "pulumi").map((argv) => argv.join(" "));
        assert.deepEqual(stacks, ["preview -s dr --diff --policy-pack policies", "preview -s prod --diff --policy-pack policies"]);
        assert.deepEqual(linesCalling("preview.yml", "./lifeboat").at(-1), ["promotion-diff"]);
    });
    it("call Pulumi with options that it has, and install the version of the dependencies", async () => {
        const { stdout } = await startCommand([tools.pulumi, "preview", "--help"], { env: { PULUMI_SKIP_UPDATE_CHECK: "true" } }).ended;
        const options = linesCalling("preview.yml", "pulumi").flatMap((argv) => argv.filter((word) => word.startsWith("-")));
        for (const option of options) assert.match(stdout, new RegExp(`(^|\\s)${option}\\b`, "m"));
        const { dependencies } = z
            .object({ dependencies: z.record(z.string(), z.string()) })
            .parse(JSON.parse(readFileSync(join(repository, "package.json"), "utf8")));
        for (const file of ["preview.yml", "activation.yml", "release.yml"])
            assert.ok(texts[file]!.includes(`get.pulumi.com | sh -s -- --version ${dependencies["@pulumi/pulumi"]}`), file);
    });
    it("put a release's bundle into the standby from an environment of its own, and start it from there", () => {
        assert.equal(read("release.yml").jobs["bundle"]!.environment, "release");
        assert.deepEqual(
            linesCalling("release.yml", "./lifeboat").map((argv) => argv.join(" ")),
            ["bundle", "bundle --verify"],
        );
    });
    it("drill every store of the estate", () => {
        assert.deepEqual(read("restore-drill.yml").jobs["drill"]!.strategy!.matrix["store"], Object.keys(estate.stores));
    });
    it("activate only in an environment that people approve, after the answer to whether it could", () => {
        assert.equal(read("activation.yml").jobs["activate"]!.environment, "activation");
        const calls = linesCalling("activation.yml", "./lifeboat").map(([name, first]) => `${name} ${first ?? ""}`.trim());
        assert.deepEqual(calls.slice(0, 4), ["activate --plan", "status", "promotion-diff", "activate --yes"]);
    });
    it("keep what was measured, signed by a key that only the signing step sees", () => {
        for (const file of ["activation.yml", "rehearsal.yml", "restore-drill.yml"]) {
            assert.ok(
                stepsOf(file).some(({ uses, if: when }) => uses?.startsWith("actions/upload-artifact@") && when === "always()"),
                file,
            );
            const keyed = stepsOf(file).filter(({ env }) => env?.["LIFEBOAT_EVIDENCE_KEY"] !== undefined);
            assert.equal(keyed.length, 1, file);
            assert.match(keyed[0]!.run!, /evidence --sign|rehearse/);
            assert.equal(texts[file]!.match(/secrets\./g)!.length, 1, file);
        }
    });
});
