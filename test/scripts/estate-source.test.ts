import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { estateFailure } from "../../scripts/estate-source.ts";
import { repository } from "../support/cli.ts";

describe("an error is the user's", () => {
    let folder: string;
    before(() => void (folder = mkdtempSync(join(tmpdir(), "lifeboat-estate-source-"))));
    after(() => rmSync(folder, { recursive: true }));

    /** Imports a module of this text, and gives what that throws. */
    const thrownBy = async (name: string, text: string): Promise<unknown> => {
        const file = join(folder, name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
        return import(pathToFileURL(file).href).then(
            () => assert.fail("it was imported"),
            (error: unknown) => error,
        );
    };

    it("where a file of theirs, beside Lifeboat's rooms, cannot be parsed: it is the one that is named", async () => {
        const failure = estateFailure(await thrownBy("services.ts", "export const services = {\n    orders: (,\n};\n"));
        assert.ok(failure);
        assert.match(failure.message, /services\.ts:2:14: Expression expected$/);
        assert.match(failure.next, /^correct .*services\.ts$/);
    });
    it("where such a file throws while it is evaluated", async () => {
        const failure = estateFailure(await thrownBy("throws.ts", "export const a = undefined as any;\nexport const b = a.b;\n"));
        assert.match(failure?.message ?? "", /throws\.ts:2:20: Cannot read properties of undefined \(reading 'b'\)$/);
    });
    it("and is not where a package throws, wherever it is installed", async () => {
        assert.equal(estateFailure(await thrownBy("node_modules/some/index.js", "export const a = b;\n")), undefined);
    });
    it("and is a fault in Lifeboat where one of its own files throws, or has a syntax error", () => {
        assert.equal(estateFailure(new TypeError("ours")), undefined);
        const error = new SyntaxError("Expression expected");
        error.stack = `file://${repository}model/estate.ts:3\n  c: (,\n      ^\n\nSyntaxError: Expression expected\n    at parseTypeScript (node:internal/modules/typescript:72:36)`;
        assert.equal(estateFailure(error), undefined);
        assert.equal(estateFailure(new Error(`Cannot find module '/x.ts' imported from ${repository}scripts/main.ts`)), undefined);
        assert.equal(estateFailure("nothing that was thrown as an error"), undefined);
    });
});
