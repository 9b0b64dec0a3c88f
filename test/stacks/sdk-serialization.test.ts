import { deepEqual, equal } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const late = new URL("../../stacks/sdk-serialization.ts", import.meta.url).href;
const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a program of Pulumi's says on stdout, in a process of its own: what is loaded stays loaded. */
const said = async (program: string) => (await execa(process.execPath, ["--input-type=module", "--eval", program], { cwd: root })).stdout;

describe("loading what the SDK serializes functions with", function () {
    this.timeout("30 s");

    it("waits until it is used: neither compiler nor Arborist is among the modules of a program that hands over no function", async () => {
        const program = `import { createRequire } from "node:module"; await import("@pulumi/pulumi");
            const read = Object.values(createRequire(import.meta.url).cache).map((module) => module.filename ?? "");
            console.log(JSON.stringify([/typescript\\.js$/, /arborist.lib.arborist/].map((name) => read.some((path) => name.test(path)))));`;
        deepEqual(JSON.parse(await said(`await import("${late}");` + program)), [false, false]);
        deepEqual(JSON.parse(await said(program)), [true, true], "the SDK loads them by itself: else this has become needless");
    });

    it("changes nothing for a program that does", async () => {
        const program = `const pulumi = (await import("@pulumi/pulumi")).default; const greeting = "hello";
            const { text } = await pulumi.runtime.serializeFunction(() => greeting + "!");
            const paths = await pulumi.runtime.computeCodePaths({ extraIncludePackages: ["zod"] });
            console.log(text, [...paths.keys()].sort().join());`;
        equal(await said(`await import("${late}");` + program), await said(program));
    });
});
