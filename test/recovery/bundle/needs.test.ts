import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../../model/failure.ts";
import { requireIncluded } from "../../../recovery/bundle/needs.ts";
import { prepareEngine } from "../../../sandbox/engine/home.ts";
import { repository } from "../../support/cli.ts";

describe("a program of the bundle that runs modules of the checkout", () => {
    let folder: string;
    before(() => void (folder = mkdtempSync(join(tmpdir(), "lifeboat-needs-"))));
    after(() => rmSync(folder, { recursive: true }));
    const layerOf = (file: string) => ({ name: "plugin", entries: [{ path: "plugins/pulumi-resource-aws", content: { file } }] });
    const refusal = (error: unknown) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.exit, "usage");
        assert.match(error.message, /^pulumi-resource-aws runs sandbox\/ of this checkout, and the bundle would not hold it/);
        return true;
    };

    it("is refused without them, as a sandbox's plugins are, with the command that takes them in", () => {
        const { pulumiHome } = prepareEngine({ directory: folder, checkout: repository });
        const layer = layerOf(join(pulumiHome, "plugins/resource-aws-v7.48.0/pulumi-resource-aws"));
        assert.throws(
            () => requireIncluded([layer], []),
            (error: unknown) => refusal(error) && (error as Failure).next === "lifeboat bundle --include sandbox",
        );
        assert.throws(
            () => requireIncluded([layer], ["examples/"]),
            (error: unknown) => refusal(error) && (error as Failure).next === "lifeboat bundle --include examples --include sandbox",
        );
        requireIncluded([layer], ["sandbox/"]);
    });
    it("is told from one that is whole: a binary, another script, a link, a text", () => {
        const binary = join(folder, "binary");
        writeFileSync(binary, Buffer.from([0x7f, 0x45, 0x4c, 0x46, ...Buffer.from("\n# in a bundle: --include sandbox\n")]));
        const script = join(folder, "script");
        writeFileSync(script, "#!/bin/sh\nexec true\n");
        requireIncluded([layerOf(binary), layerOf(script)], []);
        requireIncluded(
            [
                {
                    name: "l",
                    entries: [
                        { path: "a", content: { link: "b" } },
                        { path: "b", content: { text: "c" } },
                    ],
                },
            ],
            [],
        );
    });
});
