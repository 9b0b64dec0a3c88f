import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { brought } from "../../scripts/checks/programs/brought.ts";
import { faultsOf, type Listed } from "../../scripts/checks/programs/faults.ts";
import { scan, walkOf } from "../../scripts/checks/programs/scan.ts";
import { programs } from "../../scripts/setup/packages.ts";
import { repository } from "../support/cli.ts";
import { scanned } from "./scanned.ts";

describe("the programs that are started", function () {
    this.timeout(400_000);
    let tree: string;
    beforeEach(() => (tree = mkdtempSync(join(tmpdir(), "lifeboat-programs-"))));
    afterEach(() => rmSync(tree, { recursive: true }));

    const has = new Set(["sh", "node", "setpriv", "unshare", "echo", "git"]);
    const faults = (files: Record<string, string>, listed: Listed = { exceptions: [], staged: {} }) => {
        for (const [path, text] of Object.entries(files)) {
            mkdirSync(dirname(join(tree, path)), { recursive: true });
            writeFileSync(join(tree, path), text);
        }
        return faultsOf(scan(tree), has, listed);
    };
    /** The places and programs that are said to be missing. */
    const missing = (files: Record<string, string>) =>
        faults(files).map((fault) => /^(\S+) starts (\S+), which set-up does not bring/.exec(fault)?.slice(1).join(" ") ?? fault);
    const spawn = 'import { spawn, execFile, exec } from "node:child_process";\n';

    it("all come from set-up, Debian itself or what the README asks for", () => {
        assert.deepEqual(faultsOf(scanned(), brought(repository)), []);
    });

    it("come with the image, where pods start them: here they would be this machine's", () => {
        const dockerfile = readFileSync(join(repository, "images/lifeboat.Dockerfile"), "utf8");
        const installed = [...dockerfile.matchAll(/apt-get install [^&]*/g)].flatMap(([line]) => line.split(/\s+/));
        const packages = new Map(Object.entries(programs).map(([program, name]) => [basename(program), name]));
        const started = scanned().flatMap((found) =>
            "program" in found && /^(backup|stores|recovery\/(databases|archive))\//.test(found.where.file) ? [found.program] : [],
        );
        assert.ok(started.includes("pg_basebackup"), started.join());
        // What no package of the table brings is Debian's own, in every image: the first test sees to that.
        const missed = [...new Set(started)].filter((program) => packages.has(program) && !installed.includes(packages.get(program)!));
        assert.deepEqual(missed, [], "add the Debian package of each to images/lifeboat.Dockerfile");
    });

    it("are each missed by file and line, with what to do", () => {
        assert.deepEqual(faults({ "a.ts": `${spawn}\nspawn("frobnicate", ["-x"]);` }), [
            "a.ts:3 starts frobnicate, which set-up does not bring: add it, with its Debian package, to scripts/setup/packages.ts",
        ]);
    });

    const reached: Readonly<Record<string, [files: Record<string, string>, ...expected: string[]]>> = {
        "behind a function of ours, in another file": [
            {
                "run.ts": `${spawn}export function run(command: readonly string[]) { const [file = "", ...rest] = command; spawn(file, rest); }`,
                "b/use.ts": 'import { run as go } from "../run.ts";\ngo(["git"]);\ngo(["frob", "-x"]);',
            },
            "b/use.ts:3 frob",
        ],
        "behind an interface": [
            {
                "a.ts":
                    `${spawn}interface Daemon { command: readonly string[] }\n` +
                    "const start = ({ command }: Daemon) => spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command]);\n" +
                    "const daemon = (): Daemon => ({ command: ['frob', '-x'] });\nstart(daemon());",
            },
            "a.ts:4 frob",
        ],
        "behind a method": [{ "a.ts": `${spawn}class A { run(file: string) { spawn(file); } }\nnew A().run("frob");` }, "a.ts:3 frob"],
        "behind promisify": [
            { "a.ts": `${spawn}import { promisify } from "node:util";\nconst run = promisify(execFile);\nawait run("frob", []);` },
            "a.ts:4 frob",
        ],
        "by a path": [
            { "a.ts": `${spawn}import { join } from "node:path";\nspawn(join(process.env["X"]!, "bin", "frob"));` },
            "a.ts:3 frob",
        ],
        "as one of two": [{ "a.ts": `${spawn}spawn(process.pid > 1 ? "git" : "frob");` }, "a.ts:2 frob"],
        "behind another program": [{ "a.ts": `${spawn}spawn("unshare", ["--net", "setpriv", "--reuid", "1", "frob"]);` }, "a.ts:2 frob"],
        "in a shell's text": [
            { "a.ts": `${spawn}spawn("sh", ["-c", \`cd \${process.cwd()} && git status | frob "$(frobs)"\`]);\nexec("echo a; frobby");` },
            "a.ts:2 frob",
            "a.ts:2 frobs",
            "a.ts:3 frobby",
        ],
        "as the words of a shell's text": [
            { "a.ts": `${spawn}spawn("sh", ["-c", 'cd "$0" && exec "$@"', "/", "frob", "-x"]);` },
            "a.ts:2 frob",
        ],
        "in a container": [{ "a.ts": 'export const pod = { containers: [{ command: ["frob", "-x"] }] };' }, "a.ts:1 frob"],
        "by a script": [
            {
                "b/c.sh":
                    '#!/bin/sh\nown() { frob "$1"; }\nif ! git x; then own 1; fi\ncat <<E\n$(frobs)\nE\ntrap "frobby $$" EXIT\ncommand -v other\n',
            },
            "b/c.sh:2 frob",
            "b/c.sh:4 cat",
            "b/c.sh:5 frobs",
            "b/c.sh:7 frobby",
        ],
        "by a script without an ending": [{ tool: "#!/bin/bash\nexec frob\n" }, "tool:2 frob"],
        "by who follows the README": [
            { "README.md": "# A\n\n    ./sh x   # does\n    frob $X | git\n\n```\n    no command\n```\n" },
            "README.md:4 frob",
        ],
    };
    for (const [title, [files, ...expected]] of Object.entries(reached))
        it(`are missed when started ${title}`, () => assert.deepEqual(missing(files).sort(), expected));

    const hidden: Readonly<Record<string, Record<string, string>>> = {
        "by its environment": { "a.ts": `${spawn}spawn(process.env["PROGRAM"]!);` },
        "by nobody": { "a.ts": `${spawn}export const run = (file: string) => spawn(file);` },
        "by a function that is handed on": { "a.ts": `${spawn}export const start = spawn;` },
        "by all of child_process": { "a.ts": 'import * as all from "node:child_process";\nall.spawn("git");' },
        "by an import at run time": { "a.ts": 'const { spawn } = await import("node:child_process");\nspawn("git");' },
        "by a variable of the shell": { "a.sh": '"$X" 1\n' },
        "by Python": { "a.py": "import subprocess\n" },
    };
    for (const [title, files] of Object.entries(hidden))
        it(`are refused where the text does not tell which: told ${title}`, () => {
            const [fault = "", ...others] = faults(files);
            assert.match(
                fault,
                /^a\.\w+:\d+ starts a program that the text does not tell \(.+\): name it as a literal, or list it with a reason/,
            );
            assert.deepEqual(others, []);
        });

    it("may be listed with a reason, and what they may be is looked for all the same", () => {
        const files = { "a.sh": '"$X" 1\n' };
        const exception = { file: "a.sh", what: '"$X"', why: "its caller says" };
        assert.deepEqual(faults(files, { exceptions: [{ ...exception, programs: ["git"] }], staged: {} }), []);
        const [fault, ...others] = faults(files, { exceptions: [{ ...exception, programs: ["frob"] }], staged: {} });
        assert.match(fault!, /^a\.sh \("\$X"\) starts frob, which set-up does not bring/);
        assert.deepEqual(others, []);
    });

    it("are taken off the list when they are started no more", () => {
        const listed = { exceptions: [{ file: "a.sh", what: '"$X"', why: "its caller says", programs: [] }], staged: { "a.sh": ["frob"] } };
        assert.equal(faults({ "a.sh": "git\n" }, listed).filter((fault) => fault.includes("started no more")).length, 2);
    });

    it("are found in a README's indented lines, each on its own", () => {
        assert.equal(walkOf("a\n    b c\n```\n    d\n```\n        e # f\n"), "\nb c\n\n\n\ne # f\n");
    });
});
