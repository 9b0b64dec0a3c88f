import { existsSync, mkdirSync, realpathSync, statSync, symlinkSync } from "node:fs";
import { appendFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { toolDirectory, versions } from "../../sandbox/tools.ts";
import { goBuild, goKey, requireGo, type GoBuild } from "./go.ts";
import type { Piece } from "./piece.ts";
import { ask, which } from "./run.ts";

const source: GoBuild = {
    module: "engine",
    packages: ["github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
    tags: "osusergo,grpcnotrace",
    variables: [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${versions.pulumi}`],
};
const languageHost = "pulumi-language-nodejs";
/** Where the official releases are announced; asked first, so that a machine without it loses 3 s and not minutes. */
const releases = "https://get.pulumi.com/install.sh";

/** Whether a version is at least the one we build, and still 3.x: what the SDK of package.json works with. */
export function isUsable(version: string): boolean {
    const parts = (text: string) => /^v?(\d+)\.(\d+)\.(\d+)$/.exec(text.trim())?.slice(1).map(Number);
    const [found, wanted] = [parts(version), parts(versions.pulumi)];
    if (!found || !wanted || found[0] !== wanted[0]) return false;
    return found[1]! > wanted[1]! || (found[1] === wanted[1] && found[2]! >= wanted[2]!);
}

const versionOf = (program: string) => ask([program, "version"], { PULUMI_SKIP_UPDATE_CHECK: "true" });

/** The CLI on PATH, if it is a release (its language host beside it, a program and not our launcher) that is new enough. */
async function installed(): Promise<string | undefined> {
    const found = which("pulumi");
    if (found === undefined) return undefined;
    const program = realpathSync(found);
    const host = join(dirname(program), languageHost);
    if (!existsSync(host) || statSync(host).size < 1_000_000) return undefined;
    return isUsable(await versionOf(program)) ? program : undefined;
}

async function releasesAreReachable(): Promise<boolean> {
    try {
        return (await fetch(releases, { method: "HEAD", signal: AbortSignal.timeout(3000) })).ok;
    } catch {
        return false; // that is the answer: not reachable
    }
}

/** Pulumi's CLI: the one on PATH, else the official release, else built from its module (3.7 min). */
export const engine: Piece = {
    name: "engine",
    directory: toolDirectory("pulumi"),
    key: goKey(versions.pulumi, source),
    files: ["bin/pulumi"],
    // Go is needed only where there is neither; asked again below, when that is known.
    requires: async () => {
        if (!(await installed()) && !(await releasesAreReachable())) await requireGo();
    },
    build: async (directory, log) => {
        const ready = await installed();
        if (ready) {
            mkdirSync(join(directory, "bin"));
            for (const name of ["pulumi", languageHost]) symlinkSync(join(dirname(ready), name), join(directory, "bin", name));
            return;
        }
        if (await releasesAreReachable())
            try {
                // Loading it takes most of a second: only here, where it is needed.
                const { PulumiCommand } = await import("@pulumi/pulumi/automation/index.js");
                await PulumiCommand.install({ root: directory });
                return;
            } catch (error) {
                await appendFile(log, `the official release could not be installed, building it instead: ${String(error)}\n`);
                await rm(join(directory, "bin"), { recursive: true, force: true });
            }
        await requireGo();
        await goBuild(source, directory, log);
    },
    probe: async (directory) => {
        const version = await versionOf(join(directory, "bin/pulumi"));
        if (!isUsable(version)) throw new Error(`it is ${version}, and v${versions.pulumi} or a later v3 is needed`);
    },
};
