import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { tools } from "../tools.ts";

/** Versions that the program's SDKs ask for (package.json): a plugin directory of that name is taken without a download. */
export const plugins = { aws: "7.48.0", kubernetes: "4.34.2", random: "4.21.2" } as const;

export interface Engine {
    /** Directory with `pulumi` and its language host. */
    bin: string;
    pulumiHome: string;
    /** What `pulumi` needs in its environment; PATH has `bin` in front of the PATH of this process. */
    env: Record<string, string>;
}

/** Puts one file at two places; a copy where the file systems differ. */
function place(source: string, target: string): void {
    rmSync(target, { force: true });
    try {
        linkSync(source, target);
    } catch (error) {
        if (!["EXDEV", "EPERM", "EMLINK"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
        copyFileSync(source, target);
        chmodSync(target, 0o755);
    }
}

/**
 * A file without an extension is not type-stripped by Node, so a plugin is a few lines of shell in front of a module of the checkout. In an unpacked bundle
 * (`lifeboat bundle --include sandbox`) the checkout is the bundle, and Node is its own; the second line says so to whoever makes one
 * (recovery/bundle/needs.ts).
 */
function launcher(path: string, checkout: string, module: string): void {
    const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
    const bundled = `[ -z "\${LIFEBOAT_BUNDLE:-}" ] || exec node "$LIFEBOAT_BUNDLE"/${quoted(module)} "$@"`;
    const needs = `# in a bundle: --include ${dirname(dirname(module))}`;
    writeFileSync(path, `#!/bin/sh\n${needs}\n${bundled}\nexec ${quoted(tools.node)} ${quoted(join(checkout, module))} "$@"\n`);
    chmodSync(path, 0o755);
}

/**
 * Makes a home for the real engine: the CLI, the language host beside it (the CLI's own where it came with one, else ours), and the stand-in
 * providers as plugins, run from `checkout`. Idempotent.
 * @param options.directory gets `bin/` and `pulumi-home/`
 * @param options.checkout copy of the repository whose `sandbox/` is run
 * @throws Failure("prerequisite") when the CLI is not in the cache yet
 */
export function prepareEngine({ directory, checkout }: { directory: string; checkout: string }): Engine {
    const bin = join(directory, "bin");
    const pulumiHome = join(directory, "pulumi-home");
    mkdirSync(bin, { recursive: true });

    const pulumi = realpathSync(tools.pulumi);
    place(pulumi, join(bin, "pulumi"));
    const official = existsSync(join(dirname(pulumi), "pulumi-language-nodejs"));
    // The release's helpers (language host, analyzers) look for each other beside the CLI.
    if (official)
        for (const name of readdirSync(dirname(pulumi)))
            if (name.startsWith("pulumi-")) place(realpathSync(join(dirname(pulumi), name)), join(bin, name));
    if (!official) launcher(join(bin, "pulumi-language-nodejs"), checkout, "sandbox/engine/language-host.ts");

    // The CLI keeps all that it could log, at the highest verbosity, in a folder of this name: a sixth of a preview's time and a megabyte each run, and no switch for it. It does
    // without where the folder cannot be made.
    mkdirSync(pulumiHome, { recursive: true });
    writeFileSync(join(pulumiHome, "logs"), "");

    for (const [name, version] of Object.entries(plugins)) {
        const plugin = join(pulumiHome, "plugins", `resource-${name}-v${version}`);
        mkdirSync(plugin, { recursive: true });
        launcher(join(plugin, `pulumi-resource-${name}`), checkout, `sandbox/providers/${name}.ts`);
    }

    return {
        bin,
        pulumiHome,
        env: {
            PATH: [bin, dirname(tools.node), process.env["PATH"] ?? "/usr/bin:/bin"].join(delimiter),
            PULUMI_HOME: pulumiHome,
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        },
    };
}
