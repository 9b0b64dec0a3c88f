import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../model/failure.ts";
import { ask, run, which } from "./run.ts";

/** Programs built from a Go module of our own (sandbox/toolchain/MODULE) that pins them. */
export interface GoBuild {
    readonly module: string;
    readonly packages: readonly string[];
    /** Name of the program, where Go's own choice (the package's last part) would say nothing. */
    readonly program?: string;
    readonly tags?: string;
    /** Variables stamped into the program, `PACKAGE.NAME=VALUE`. */
    readonly variables?: readonly string[];
}

const moduleDirectory = (module: string) => fileURLToPath(new URL(`../../sandbox/toolchain/${module}`, import.meta.url));

function flags({ tags, variables = [] }: GoBuild): string[] {
    const ldflags = ["-s", "-w", ...variables.map((variable) => `-X ${variable}`)].join(" ");
    return ["-buildvcs=false", ...(tags ? ["-tags", tags] : []), "-ldflags", ldflags];
}

/** Names what a piece is made from: its version, and a hash of the inputs. */
export function keyOf(version: string, ...inputs: (string | Uint8Array)[]): string {
    const hash = createHash("sha256");
    for (const input of inputs) hash.update(input).update("\0");
    return `${version} ${hash.digest("hex").slice(0, 16)}`;
}

export function goKey(version: string, build: GoBuild): string {
    const pinned = ["go.mod", "go.sum"].map((name) => readFileSync(join(moduleDirectory(build.module), name)));
    return keyOf(version, ...pinned, ...build.packages, ...flags(build));
}

/** @throws Failure when Go is not there. From 1.21 on it fetches the very version that a go.mod asks for. */
export async function requireGo(): Promise<void> {
    const go = which("go");
    const version = go && /go1\.(\d+)/.exec(await ask([go, "version"]));
    if (version && Number(version[1]) >= 21) return;
    throw new Failure(
        "prerequisite",
        version ? `Go is too old (${version[0]})` : "Go is not on PATH; the engine and the control plane are built with it",
        "install a current Go (https://go.dev/dl) and put its bin directory on PATH",
    );
}

/** Builds into `directory/bin`. What was compiled before a kill is in Go's own cache: the next run goes on from there. */
export async function goBuild(build: GoBuild, directory: string, log: string): Promise<void> {
    const bin = join(directory, "bin");
    mkdirSync(bin, { recursive: true });
    await run([which("go") ?? "go", "build", ...flags(build), "-o", join(bin, build.program ?? "/"), ...build.packages], {
        cwd: moduleDirectory(build.module),
        env: { CGO_ENABLED: "0", GOWORK: "off" },
        log,
        purpose: `building ${build.module}`,
    });
}
