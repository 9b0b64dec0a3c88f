import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { ofOurs } from "../../scripts/checks/programs/brought.ts";
import { stagedPrograms } from "../../scripts/checks/programs/exceptions.ts";
import { browserPackage, programs } from "../../scripts/setup/packages.ts";
import { repository } from "../support/cli.ts";
import { debianSources, inBareRoot, releaseOf } from "./bare-root.ts";
import { scanned } from "./scanned.ts";

describe("a bare Debian", () => {
    it("is made from Debian's own archives among a machine's, in both of apt's formats", () => {
        const old =
            "deb [arch=amd64] http://a/debian bookworm main contrib\n# deb http://b/debian bookworm main\ndeb http://c/ bookworm stable\n";
        const fresh =
            "Types: deb\nURIs: http://d/debian http://e/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\n" +
            "Types: deb\nURIs: http://f/debian-security\nSuites: bookworm-security\nComponents: main\n\n" +
            "Types: deb\nURIs: http://g\nSuites: nodistro\nComponents: main\n\nEnabled: no\nTypes: deb\nURIs: http://h\nSuites: bookworm\nComponents: main\n";
        assert.deepEqual(debianSources([old, fresh], "bookworm"), [
            "deb http://a/debian bookworm main",
            "deb http://d/debian bookworm main",
            "deb http://d/debian bookworm-updates main",
            "deb http://e/debian bookworm main",
            "deb http://e/debian bookworm-updates main",
            "deb http://f/debian-security bookworm-security main",
        ]);
        assert.equal(releaseOf("ID=debian\nVERSION_CODENAME=bookworm\n"), "bookworm");
    });

    it("has every program that is started, once set-up has installed its packages", async function () {
        // 35 s on 2 idle cores; the bare root, made once, 16 s.
        this.timeout(300_000);
        const { code, stdout, stderr } = await inBareRoot([
            "node",
            join(repository, "test/setup/bare-machine.ts"),
            JSON.stringify(wanted()),
        ]);
        assert.equal(code, 0, stderr);
        const { before, after, packages } = JSON.parse(stdout) as Record<"before" | "after" | "packages", string[]>;
        // It is bare, and what was there before was not put there by hand.
        for (const program of ["mariadbd", "dig", "nft", "curl"]) assert.ok(before.includes(program), `${program} is there before set-up`);
        for (const program of ["git", "node", "npm", "python3", "go", "awk", "mount"])
            assert.ok(!before.includes(program), `${program} is not there`);
        assert.deepEqual({ after, packages }, { after: [], packages: [] });
    });

    // 75 s: what the engine and the control plane are built with is not in there, so tests that need neither.
    if (process.env["LIFEBOAT_LONG"])
        it("passes tests that start databases, moto and dig", async function () {
            this.timeout(900_000);
            const files = ["test/sandbox/dns/server.test.ts", "test/sandbox/throwaway-servers.test.ts"];
            const { code, stdout, stderr } = await inBareRoot(["node", join(repository, "test/setup/bare-machine.ts"), "[]", ...files]);
            assert.equal(code, 0, stdout + stderr);
            assert.match(stdout, / passing /);
        });
});

/** All that is started and has to come from Debian or a person. */
function wanted(): string[] {
    const elsewhere = new Set([...ofOurs(repository), ...Object.values(stagedPrograms).flat(), browserPackage, "sudo"]);
    const table = new Map(Object.keys(programs).map((program) => [basename(program), program]));
    const started = scanned().flatMap((found) => ("program" in found ? [found.program] : []));
    // Those that Debian does not put on PATH, by their path.
    return [...new Set([...table.keys(), ...started])].filter((name) => !elsewhere.has(name)).map((name) => table.get(name) ?? name);
}
