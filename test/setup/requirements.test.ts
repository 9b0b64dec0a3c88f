import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Failure } from "../../model/failure.ts";
import { toolDirectory, tools } from "../../sandbox/tools.ts";
import { isUsable } from "../../scripts/setup/engine.ts";
import { goKey, requireGo } from "../../scripts/setup/go.ts";
import { missingPackages } from "../../scripts/setup/packages.ts";
import { moto } from "../../scripts/setup/moto.ts";

describe("what set-up asks of a machine", () => {
    const path = process.env["PATH"];
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-requirements-"));
        process.env["PATH"] = `${directory}${delimiter}${path}`;
    });
    afterEach(() => {
        process.env["PATH"] = path;
        rmSync(directory, { recursive: true, force: true });
    });
    const program = (name: string, says: string) => writeFileSync(join(directory, name), `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 });
    const lacking = (error: unknown) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.exit, "prerequisite");
        assert.match(error.next, /^install /);
        return true;
    };

    it("takes a Go from 1.21 on, which fetches the version that it needs, and refuses an older one", async () => {
        program("go", "go version go1.21.3 linux/amd64");
        await requireGo();
        program("go", "go version go1.19.8 linux/amd64");
        await assert.rejects(requireGo(), lacking);
    });

    it("takes a Python from 3.11 on, and refuses an older one", async () => {
        program("python3", "Python 3.11.2");
        await moto.requires();
        program("python3", "Python 3.9.2");
        await assert.rejects(moto.requires(), lacking);
    });

    it("takes a Pulumi CLI that is at least the one it would build, and below 4", () => {
        assert.deepEqual(
            ["v3.259.0", "v3.259.1", "v3.300.0", "3.259.0\n"].map((version) => isUsable(version)),
            [true, true, true, true],
        );
        assert.deepEqual(
            ["v3.258.9", "v3.9.0", "v4.0.0", "v2.300.0", "v3.259.0-dev", ""].map((version) => isUsable(version)),
            [false, false, false, false, false, false],
        );
    });

    it("names each missing package once", () => {
        process.env["PATH"] = directory;
        // What lies outside PATH (/usr/sbin, PostgreSQL's own directory) is found all the same, where it is there.
        const missing = missingPackages();
        assert.deepEqual(missing, [...new Set(missing)].sort());
        for (const name of ["mariadb-client", "zstd", "openssl", "util-linux"]) assert.ok(missing.includes(name), missing.join());
    });

    it("gives a piece another key when its module, packages or variables change", () => {
        const build = { module: "etcd", packages: ["a"], variables: ["x=1"] };
        const keys = [
            goKey("1", build),
            goKey("2", build),
            goKey("1", { ...build, module: "kubernetes" }),
            goKey("1", { ...build, packages: ["b"] }),
            goKey("1", { ...build, variables: ["x=2"] }),
            goKey("1", { ...build, tags: "t" }),
        ];
        assert.equal(new Set(keys).size, keys.length);
        assert.equal(goKey("1", build), keys[0]);
    });

    it("tells which tool is not there when it is asked for, and not before", () => {
        const cache = process.env["XDG_CACHE_HOME"];
        process.env["XDG_CACHE_HOME"] = directory;
        try {
            assert.equal(toolDirectory("etcd"), join(directory, "lifeboat/tools/etcd-3.6.8"));
            assert.throws(
                () => tools.etcd,
                (error) => error instanceof Failure && error.exit === "prerequisite" && /etcd is not there/.test(error.message),
            );
        } finally {
            if (cache === undefined) delete process.env["XDG_CACHE_HOME"];
            else process.env["XDG_CACHE_HOME"] = cache;
        }
    });
});
