import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { Failure } from "../../../model/failure.ts";
import { dependenciesLayer, pluginLayers, programLayer } from "../../../recovery/bundle/contents.ts";
import { packLayer } from "../../../recovery/bundle/layer.ts";
import { scenarios } from "../../../model/runbook.ts";
import { makeRunbook } from "../../../recovery/runbook/page.ts";
import { repository } from "../../support/cli.ts";
import { estate } from "../doubles.ts";

describe("the contents of a bundle", function () {
    this.timeout(20_000);
    let folder: string;
    beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "lifeboat-contents-"))));
    afterEach(() => rmSync(folder, { recursive: true }));

    const checkout = repository.replace(/\/$/, "");
    const runbooks = scenarios.map((scenario) => makeRunbook(estate, scenario, "123456789012"));
    const paths = programLayer(checkout, [], runbooks).entries.map(({ path }) => path);

    it("are the program, the estate, the stacks' files and the runbooks; nothing of the sandbox, the tests or the policies", () => {
        for (const path of [
            "lifeboat",
            "Pulumi.yaml",
            "Pulumi.dr.yaml",
            "stacks/estate.ts",
            "scripts/main.ts",
            "scripts/commands/activate.ts",
            ...scenarios.flatMap((scenario) => [`runbooks/${scenario}.md`, `runbooks/${scenario}.html`]),
        ])
            assert.ok(paths.includes(path), path);
        assert.deepEqual(
            paths.filter((path) => /^(sandbox|test|policies|node_modules)\/|\/(setup|rehearse|sandbox)\.ts$/.test(path)),
            [],
        );
    });

    it("hold every module that one of them imports", () => {
        const there = new Set(paths);
        const lacking = paths
            .filter((path) => path.endsWith(".ts"))
            .flatMap((path) =>
                [...readFileSync(join(checkout, path), "utf8").matchAll(/(?:from|import\()\s*"(\.{1,2}\/[^"]+)"/g)]
                    .map(([, target]) => normalize(join(dirname(path), target!)))
                    .filter((target) => !there.has(target))
                    .map((target) => `${path} -> ${target}`),
            );
        assert.deepEqual(lacking, []);
        assert.ok(paths.length > 100);
    });

    it("hold every package that one of them imports, without types, maps and what only development needs", () => {
        const files = dependenciesLayer(checkout).entries.map(({ path }) => path);
        const packages = new Set(files.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
        const wanted = paths
            .filter((path) => path.endsWith(".ts"))
            .flatMap((path) =>
                [...readFileSync(join(checkout, path), "utf8").matchAll(/(?:from|import\()\s*"((?:@[\w-]+\/)?\w[\w:-]*)/g)].map(
                    ([, name]) => name!,
                ),
            )
            .filter((name) => !name.startsWith("node:"));
        assert.ok(wanted.includes("zod"));
        assert.deepEqual(
            [...new Set(wanted)].filter((name) => !packages.has(name)),
            [],
        );
        for (const name of ["mocha", "eslint", "prettier"]) assert.ok(!packages.has(name), name);
        assert.deepEqual(
            files.filter((path) => /\.d\.ts$|\.map$/.test(path)),
            [],
        );
    });

    it("take what is asked for besides, and refuse what is not there or outside", () => {
        assert.ok(programLayer(checkout, ["examples/"], []).entries.some(({ path }) => path === "examples/orders/server.ts"));
        for (const path of ["no-such-room", "../elsewhere"])
            assert.throws(
                () => programLayer(checkout, [path], []),
                (error: unknown) => error instanceof Failure && error.exit === "usage",
            );
    });

    it("lack a plugin that is not installed: it is named with the command that gets it", () => {
        const before = process.env["PULUMI_HOME"];
        process.env["PULUMI_HOME"] = folder;
        try {
            assert.throws(
                () => pluginLayers(checkout),
                (error: unknown) =>
                    error instanceof Failure && error.exit === "prerequisite" && /^pulumi plugin install resource aws 7\./.test(error.next),
            );
        } finally {
            if (before === undefined) delete process.env["PULUMI_HOME"];
            else process.env["PULUMI_HOME"] = before;
        }
    });

    it("are packed into the same bytes again, whatever the files' times and their order", async () => {
        const [one, two] = ["one", "two"].map((name) => join(folder, name)) as [string, string];
        for (const file of [one, two]) writeFileSync(file, file);
        const entries = [one, two].map((file) => ({ path: file.slice(folder.length + 1), content: { file } }));
        const first = await packLayer({ name: "l", entries }, join(folder, "a.tar.gz"));
        utimesSync(one, 1, 1);
        const second = await packLayer({ name: "l", entries: entries.toReversed() }, join(folder, "b.tar.gz"));
        assert.deepEqual(second, first);
        assert.deepEqual(readFileSync(join(folder, "a.tar.gz")), readFileSync(join(folder, "b.tar.gz")));
        assert.equal(first.bytes, readFileSync(join(folder, "a.tar.gz")).length);
    });

    it("fail with the file that cannot be read", async () => {
        const entries = [{ path: "gone", content: { file: join(folder, "gone") } }];
        await assert.rejects(packLayer({ name: "l", entries }, join(folder, "a.tar.gz")), { code: "ENOENT" });
    });
});
