import assert from "node:assert/strict";
import { join } from "node:path";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import { repository } from "../support/cli.ts";

describe("the lint rules", function () {
    this.timeout(60_000);
    // Rules that need types would have the whole project checked for each case.
    const eslint = new ESLint({ cwd: repository, overrideConfig: [tseslint.configs.disableTypeChecked] });
    /** What lint says of a text that stood in an existing file, rule by rule. */
    const rules = async (file: string, text: string) => {
        const [result] = await eslint.lintText(text, { filePath: join(repository, file) });
        return result!.messages.map(({ ruleId, message }) => ruleId ?? message);
    };
    const importing = (path: string) => `import * as it from "${path}";\nexport const that = it;\n`;

    const forbidden: [string, string][] = [
        ["model/units.ts", "../backup/clients.ts"],
        ["model/units.ts", "../sandbox/tools.ts"],
        ["backup/clients.ts", "../stacks/estate.ts"],
        ["backup/clients.ts", "../recovery/bootstrap.ts"],
        ["stacks/estate.ts", "../sandbox/addresses.ts"],
        ["sandbox/engine/home.ts", "../../recovery/bootstrap.ts"],
        ["examples/orders/store.ts", "../../model/units.ts"],
        ["scripts/main.ts", "../sandbox/tools.ts"],
        ["scripts/commands/activate.ts", "../../sandbox/tools.ts"],
        ["scripts/output.ts", "../test/support/cli.ts"],
    ];
    for (const [file, path] of forbidden)
        it(`forbids ${file} to import ${path}`, async () => {
            assert.deepEqual(await rules(file, importing(path)), ["no-restricted-imports"]);
        });

    it("forbids it as a dynamic import, too", async () => {
        assert.deepEqual(await rules("scripts/main.ts", 'export const it = await import("../sandbox/tools.ts");\n'), [
            "no-restricted-syntax",
        ]);
    });

    const allowed: [string, string][] = [
        ["backup/clients.ts", "../model/units.ts"],
        ["sandbox/engine/home.ts", "../tools.ts"],
        ["scripts/commands/setup.ts", "../../sandbox/tools.ts"],
        ["scripts/setup/etcd.ts", "../../sandbox/tools.ts"],
        ["test/support/servers.ts", "../../sandbox/tools.ts"],
    ];
    for (const [file, path] of allowed)
        it(`allows ${file} to import ${path}`, async () => {
            assert.deepEqual(await rules(file, importing(path)), []);
        });

    it("forbids AWS clients outside the factory, the sandbox and the tests", async () => {
        const client = 'import { S3Client } from "@aws-sdk/client-s3";\nexport const s3 = new S3Client({});\n';
        assert.deepEqual(await rules("recovery/bootstrap.ts", client), ["no-restricted-syntax"]);
        assert.deepEqual(await rules("scripts/main.ts", client), ["no-restricted-syntax"]);
        for (const file of ["backup/clients.ts", "sandbox/tools.ts", "test/support/servers.ts"])
            assert.deepEqual(await rules(file, client), [], file);
    });

    it("forbids the name of a kind of store outside stores/, the declaration, the sandbox and the tests", async () => {
        const named = 'export const engine = "mariadb";\nexport const url = (host: string) => `postgres://${host}`;\n';
        for (const file of ["model/units.ts", "backup/catalog.ts", "recovery/fence.ts", "components/latch.ts", "scripts/main.ts"])
            assert.deepEqual(await rules(file, named), ["no-restricted-syntax", "no-restricted-syntax"], file);
        for (const file of ["stores/registry.ts", "stacks/estate.ts", "sandbox/tools.ts", "test/support/servers.ts"])
            assert.deepEqual(await rules(file, named), [], file);
    });

    it("forbids any, a default export and an empty catch", async () => {
        assert.deepEqual(await rules("model/units.ts", "export const x = (y: any) => y;\n"), ["@typescript-eslint/no-explicit-any"]);
        assert.deepEqual(await rules("model/units.ts", "export default 1;\n"), ["no-restricted-syntax"]);
        assert.deepEqual(await rules("model/units.ts", "try {\n    Math.random();\n} catch {}\nexport {};\n"), ["no-empty"]);
    });
});
