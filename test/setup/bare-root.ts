import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../../sandbox/tools.ts";
import { keyOf } from "../../scripts/setup/go.ts";
import type { Piece } from "../../scripts/setup/piece.ts";
import { ask, run } from "../../scripts/setup/run.ts";

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

export function machineSources(): string[] {
    const parts = readdirSync("/etc/apt/sources.list.d").filter((name) => /\.(list|sources)$/.test(name));
    const paths = ["/etc/apt/sources.list", ...parts.sort().map((name) => join("/etc/apt/sources.list.d", name))];
    return debianSources(paths.map(readIf), release);
}

/** How this machine reaches its archives (proxies, certificates, retries), as apt's configuration. */
export const machineSettings = (): Promise<string> =>
    ask(["apt-config", "dump", "--no-empty", "--format", '%f "%v";%n', "Acquire::http", "Acquire::https", "Acquire::Retries"]);

const release = releaseOf(readFileSync("/etc/os-release", "utf8"));
const sources = machineSources();

/** A minimal Debian of this machine's release with the README's prerequisites, as a tarball: 16 s, made once. */
export const bareRoot: Piece = {
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
