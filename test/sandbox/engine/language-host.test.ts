import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { prepareEngine } from "../../../sandbox/engine/home.ts";
import { descendants } from "../../../scripts/interruption.ts";
import { repository, startCommand } from "../../support/cli.ts";

const program = `
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config("host");
const mood: string = config.get("mood") ?? "good";
if (mood === "throwing") throw new Error("the program is broken on purpose");
if (mood === "rejecting") void Promise.reject(new pulumi.RunError("the program gave up"));
if (mood === "exiting") process.exit(9);
if (mood === "waiting") { console.log("waiting"); setInterval(() => {}, 1000); await new Promise(() => {}); }
class Thing extends pulumi.ComponentResource {
    constructor(name: string) { super("host:index:Thing", name); this.registerOutputs({}); }
}
new Thing(\`\${mood}-thing\`);
export const where = \`\${pulumi.getProject()}/\${pulumi.getStack()}\`;
export const dry = pulumi.runtime.isDryRun();
export const secret = config.getSecret("password");
`;
const pack = `
import { PolicyPack } from "@pulumi/policy";
new PolicyPack("pack", { policies: [{
    name: "good-things-only", description: "things are good", enforcementLevel: "mandatory",
    validateStack: ({ resources }, report) => {
        for (const { name } of resources) if (name.startsWith("bad")) report(\`\${name} is bad\`);
    },
}] });
`;

describe("the engine and its language host", function () {
    this.timeout(120_000);
    let directory: string;
    let project: string;
    let env: Record<string, string>;

    const write = (path: string, text: string) => {
        mkdirSync(join(project, path, ".."), { recursive: true });
        writeFileSync(join(project, path), text);
    };
    const start = (...argv: string[]) => startCommand(["pulumi", ...argv, "--non-interactive"], { cwd: project, env });
    const pulumi = (...argv: string[]) => start(...argv).ended;

    before(async () => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-engine-"));
        project = join(directory, "project");
        mkdirSync(join(directory, "state"));
        write("Pulumi.yaml", "name: host\nmain: stacks/index.ts\nruntime:\n  name: nodejs\n  options: { typescript: false }\n");
        write("package.json", JSON.stringify({ name: "host", version: "1.0.0", type: "module" }));
        write("stacks/index.ts", program);
        write("pack/PulumiPolicy.yaml", "runtime: nodejs\nmain: index.js\nversion: 0.1.0\n");
        write("pack/package.json", JSON.stringify({ name: "pack", version: "1.0.0", type: "module" }));
        write("pack/index.js", 'import "./pack.ts";\n');
        write("pack/pack.ts", pack);
        symlinkSync(join(repository, "node_modules"), join(project, "node_modules"));
        env = {
            ...prepareEngine({ directory, checkout: repository }).env,
            PULUMI_BACKEND_URL: `file://${directory}/state`,
            PULUMI_CONFIG_PASSPHRASE: "passphrase",
        };
        assert.equal((await pulumi("stack", "init", "one")).code, 0);
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    const setMood = async (mood: string) => assert.equal((await pulumi("config", "set", "mood", mood)).code, 0);

    it("runs a TypeScript program with its configuration and secrets, dry and for real", async () => {
        await setMood("good");
        assert.equal((await pulumi("config", "set", "--secret", "password", "hush")).code, 0);
        const preview = await pulumi("preview", "--json");
        assert.equal(preview.code, 0, preview.stdout + preview.stderr);
        const { steps } = JSON.parse(preview.stdout) as { steps: { urn: string; op: string }[] };
        assert.deepEqual(
            steps.map(({ urn, op }) => [urn.split("::").at(-1), op]),
            [
                ["host-one", "create"],
                ["good-thing", "create"],
            ],
        );
        const up = await pulumi("up", "--yes", "--skip-preview");
        assert.equal(up.code, 0, up.stdout + up.stderr);
        const outputs = await pulumi("stack", "output", "--json", "--show-secrets");
        assert.deepEqual(JSON.parse(outputs.stdout), { where: "host/one", dry: false, secret: "hush" });
        assert.match((await pulumi("stack", "output", "--json")).stdout, /\[secret\]/);
        assert.doesNotMatch(readFileSync(join(directory, "state/.pulumi/stacks/host/one.json"), "utf8"), /hush/);
    });

    it("runs a policy pack in preview, which passes what is good and fails what is bad", async () => {
        await setMood("good");
        const good = await pulumi("preview", "--policy-pack", "pack");
        assert.equal(good.code, 0, good.stdout + good.stderr);
        assert.match(good.stdout, /pack@v0\.1\.0/);
        await setMood("bad");
        const bad = await pulumi("preview", "--policy-pack", "pack");
        assert.notEqual(bad.code, 0);
        assert.match(bad.stdout, /good-things-only[^]*bad-thing is bad/);
    });

    for (const [mood, message] of [
        ["throwing", /the program is broken on purpose[^]*index\.ts:5/],
        ["rejecting", /the program gave up/],
        ["exiting", /the program ended with exit code 9/],
    ] as const)
        it(`fails the preview of a program that ends by ${mood}, and says why`, async () => {
            await setMood(mood);
            const { code, stdout, stderr } = await pulumi("preview");
            assert.notEqual(code, 0);
            assert.match(stdout + stderr, message);
        });

    it("refuses a program whose SDK is not installed, and says what to do", async () => {
        await setMood("good");
        rmSync(join(project, "node_modules"));
        try {
            const { code, stdout, stderr } = await pulumi("preview");
            assert.notEqual(code, 0);
            assert.match(stdout + stderr, /@pulumi\/pulumi is not installed at or above .*run `npm ci` there/);
        } finally {
            symlinkSync(join(repository, "node_modules"), join(project, "node_modules"));
        }
    });

    it("leaves no process behind when the engine is killed while a program runs", async () => {
        await setMood("waiting");
        const { child, said, ended } = start("preview");
        while (!said().includes("waiting")) {
            assert.equal(child.exitCode, null, said());
            await sleep(50);
        }
        const below = descendants(child.pid!).map(({ pid }) => pid);
        assert.ok(below.length >= 2);
        child.kill("SIGKILL");
        await ended;
        const left = () => below.filter((pid) => descendants(1).some((each) => each.pid === pid));
        for (let waited = 0; left().length > 0 && waited < 100; waited += 1) await sleep(100);
        assert.deepEqual(left(), []);
    });
});
