import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDirectory } from "../../sandbox/tools.ts";
import { ofOurs } from "../../scripts/checks/programs/brought.ts";
import { stagedPrograms } from "../../scripts/checks/programs/exceptions.ts";
import { ensurePiece } from "../../scripts/setup/ensure.ts";
import { browserPackage, programs } from "../../scripts/setup/packages.ts";
import { which } from "../../scripts/setup/run.ts";
import { repository, startCommand } from "../support/cli.ts";
import { bareRoot, debianSources, machineSettings, releaseOf } from "./bare-root.ts";
import { scanned } from "./scanned.ts";

const script = fileURLToPath(new URL("bare-root.sh", import.meta.url));
const machine = fileURLToPath(new URL("bare-machine.ts", import.meta.url));

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
        // Made once: 16 s. With its packages: 35 s.
        this.timeout(300_000);
        const cache = cacheDirectory();
        await ensurePiece(bareRoot, cache, (line) => console.error(line));
        const debs = join(cache, "debs");
        mkdirSync(join(debs, "partial"), { recursive: true });
        const directory = mkdtempSync(join(tmpdir(), "lifeboat-bare-"));
        try {
            const settings = join(directory, "settings");
            // Packages are kept for the next time.
            writeFileSync(settings, `${await machineSettings()}\nAPT::Keep-Downloaded-Packages "true";\n`);
            const root = join(directory, "root");
            mkdirSync(root);
            const { code, stdout, stderr } = await startCommand(
                [
                    ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", script],
                    ...[root, join(bareRoot.directory, "root.tar"), debs, settings],
                    ...[
                        "env",
                        "-i",
                        "PATH=/opt/node/bin:/opt/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        "HOME=/root",
                    ],
                    ...Object.entries(process.env).flatMap(([name, value]) => (/_proxy$/i.test(name) ? [`${name}=${value}`] : [])),
                    ...["node", machine, JSON.stringify(wanted())],
                ],
                {
                    env: {
                        CHECKOUT: repository.replace(/\/$/, ""),
                        NODE: dirname(dirname(realpathSync(process.execPath))),
                        GO: dirname(dirname(realpathSync(which("go") ?? assert.fail("go is not on PATH")))),
                        NPM: dirname(dirname(realpathSync(which("npm") ?? assert.fail("npm is not on PATH")))),
                    },
                },
            ).ended;
            assert.equal(code, 0, stderr);
            const { before, after, packages } = JSON.parse(stdout) as Record<"before" | "after" | "packages", string[]>;
            // It is bare, and what was there before was not put there by hand.
            for (const program of ["mariadbd", "dig", "nft", "curl"])
                assert.ok(before.includes(program), `${program} is there before set-up`);
            for (const program of ["git", "node", "npm", "python3", "go", "awk", "mount"])
                assert.ok(!before.includes(program), `${program} is not there`);
            assert.deepEqual({ after, packages }, { after: [], packages: [] });
        } finally {
            rmSync(directory, { recursive: true, force: true });
        }
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
