import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDirectory } from "../../sandbox/tools.ts";
import { ensurePiece } from "../../scripts/setup/ensure.ts";
import { keyOf } from "../../scripts/setup/go.ts";
import type { Piece } from "../../scripts/setup/piece.ts";
import { ask, run, which } from "../../scripts/setup/run.ts";
import { repository, startCommand, type Ended } from "../support/cli.ts";

/** What the README asks for, as Debian has it; Node and Go, which Debian has only in older versions, are shown from this machine. */
const included = ["git", "python3", "python3-venv", "ca-certificates"];

function readIf(path: string): string {
    try {
        return readFileSync(path, "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
        throw error;
    }
}

/** This machine's release of Debian: "bookworm". */
export function releaseOf(osRelease: string): string {
    const name = /^VERSION_CODENAME=(\w+)$/m.exec(osRelease)?.[1];
    if (name === undefined) throw new Error("/etc/os-release names no release");
    return name;
}

/**
 * Debian's own archives among a machine's sources, one a line, in the old format. Others (a vendor's repository) have keys of their own, and are no part of a
 * bare machine.
 * @see sources.list(5)
 */
export function debianSources(texts: readonly string[], release: string): string[] {
    const suites = new Set([release, `${release}-updates`, `${release}-security`]);
    const found = texts.flatMap((text) =>
        /^Types:/m.test(text)
            ? text.split(/\n\s*\n/).flatMap((stanza) => {
                  const field = (name: string) => new RegExp(`^${name}:(.*)$`, "im").exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
                  if (!field("Types").includes("deb") || field("Enabled")[0] === "no") return [];
                  return field("URIs").flatMap((uri) => field("Suites").map((suite) => ({ uri, suite, components: field("Components") })));
              })
            : [...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/gm)].map(([, uri = "", suite = "", rest = ""]) => ({
                  uri,
                  suite,
                  components: rest.split(/\s+/),
              })),
    );
    const lines = found.filter(({ suite, components }) => suites.has(suite) && components.includes("main"));
    return [...new Set(lines.map(({ uri, suite }) => `deb ${uri} ${suite} main`))];
}

function machineSources(): string[] {
    const parts = readdirSync("/etc/apt/sources.list.d").filter((name) => /\.(list|sources)$/.test(name));
    const paths = ["/etc/apt/sources.list", ...parts.sort().map((name) => join("/etc/apt/sources.list.d", name))];
    return debianSources(paths.map(readIf), release);
}

/** How this machine reaches its archives (proxies, certificates, retries), as apt's configuration. */
const machineSettings = (): Promise<string> =>
    ask(["apt-config", "dump", "--no-empty", "--format", '%f "%v";%n', "Acquire::http", "Acquire::https", "Acquire::Retries"]);

const release = releaseOf(readFileSync("/etc/os-release", "utf8"));
const sources = machineSources();

/** A minimal Debian of this machine's release with the README's prerequisites, as a tarball: 16 s, made once. */
const bareRoot: Piece = {
    name: "bare-root",
    directory: join(cacheDirectory(), "tools", `bare-root-${release}`),
    key: keyOf(release, ...sources, ...included),
    files: ["root.tar"],
    requires: () => Promise.resolve(),
    build: async (directory, log) => {
        const settings = join(directory, "settings");
        writeFileSync(settings, await machineSettings());
        const options = ["--mode=root", "--variant=minbase", `--include=${included.join()}`, `--aptopt=${settings}`];
        // What is particular to this machine stays out of the tarball.
        const forget = ['--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"'];
        await run(["mmdebstrap", ...options, ...forget, release, join(directory, "root.tar"), ...sources], {
            log,
            purpose: "making a bare Debian",
        });
    },
    probe: async (directory) => {
        await ask(["tar", "-tf", join(directory, "root.tar"), "./etc/debian_version", "./usr/bin/git"]);
    },
};

const script = fileURLToPath(new URL("bare-root.sh", import.meta.url));
const prefixOf = (program: string, path = which(program)) =>
    dirname(dirname(realpathSync(path ?? assert.fail(`${program} is not on PATH`))));
/** How this machine's clients reach the network. */
const ofNetwork = /^(PIP_.*|SSL_CERT_FILE|SSL_CERT_DIR|\w+_proxy)$/i;

/** Runs a command in a new bare root, which is gone afterwards. Downloaded packages are kept in the cache. */
export async function inBareRoot(command: readonly string[]): Promise<Ended> {
    const cache = cacheDirectory();
    await ensurePiece(bareRoot, cache, (line) => console.error(line));
    const debs = join(cache, "debs");
    mkdirSync(join(debs, "partial"), { recursive: true });
    const directory = mkdtempSync(join(tmpdir(), "lifeboat-bare-"));
    try {
        const [root, settings] = [join(directory, "root"), join(directory, "settings")];
        mkdirSync(root);
        writeFileSync(settings, `${await machineSettings()}\nAPT::Keep-Downloaded-Packages "true";\n`);
        const network = Object.entries(process.env).flatMap(([name, value]) => (ofNetwork.test(name) ? [`${name}=${value}`] : []));
        const path = "PATH=/opt/node/bin:/opt/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        return await startCommand(
            [
                ...["setpriv", "--pdeathsig=KILL", "--", "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", script],
                ...[root, join(bareRoot.directory, "root.tar"), debs, settings],
                ...["env", "-i", path, "HOME=/root", ...network, ...command],
            ],
            {
                env: {
                    CHECKOUT: repository.replace(/\/$/, ""),
                    NODE: prefixOf("node", process.execPath),
                    GO: prefixOf("go"),
                    NPM: prefixOf("npm"),
                },
            },
        ).ended;
    } finally {
        rmSync(directory, { recursive: true, force: true });
    }
}
