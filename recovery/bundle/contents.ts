import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { z } from "zod";
import { isReadAtRunTime, packageLock, productionPackages } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import type { Runbook } from "../runbook/page.ts";
import type { Entry, LayerContents } from "./layer.ts";

/** What of a checkout a recovery runs: the rooms of production, the project and its stacks, the launcher. */
const production = ["model", "stores", "backup", "recovery", "components", "stacks", "scripts"];
const project = ["lifeboat", "package.json", "Pulumi.yaml", "LICENSE", "README.md"];
/** What is about the machine that Lifeboat is developed on (eslint.config.js holds the same list): it needs the sandbox, which no recovery does. */
const machineOnly = [
    /^scripts\/(?:setup|checks|testing|evidence)\//,
    /^scripts\/commands\/(?:bench|sandbox|rehearse|evidence|history|setup|check|test)\.ts$/,
];

/** Where things lie in an unpacked bundle; the launcher knows these places too. */
export const places = {
    manifest: "bundle.json",
    bin: "runtime/bin",
    plugins: "runtime/pulumi-home/plugins",
    runbooks: "runbooks",
} as const;

/** Every file below a directory, as paths from `root`. Links stay links. */
function* filesBelow(root: string, directory: string): Generator<Entry> {
    for (const item of readdirSync(join(root, directory), { withFileTypes: true })) {
        const path = join(directory, item.name);
        if (item.isDirectory()) yield* filesBelow(root, path);
        else if (item.isSymbolicLink()) yield { path, content: { link: readlinkSync(join(root, path)) } };
        else if (item.isFile()) yield fileEntry(path, join(root, path));
    }
}

const fileEntry = (path: string, file: string): Entry => ({
    path,
    content: { file },
    executable: (statSync(file).mode & 0o100) !== 0,
});

/**
 * The program: production's rooms, the project, the stacks' files and the runbooks.
 * @param include further files or directories of the checkout, that the stacks or plugins need
 * @throws Failure "usage" where something of it is not there
 */
export function programLayer(checkout: string, include: readonly string[], runbooks: readonly Runbook[]): LayerContents {
    const stackFiles = readdirSync(checkout).filter((name) => /^Pulumi\.[^.]+\.yaml$/.test(name));
    const wanted = [...production, ...project, ...stackFiles, ...include.map((path) => path.replace(/\/+$/, ""))];
    const entries = wanted.flatMap((path): Entry[] => {
        const there = lstatSync(join(checkout, path), { throwIfNoEntry: false });
        if (there === undefined || path.split("/").includes(".."))
            throw new Failure("usage", `${path} is not in the checkout ${checkout}`, "run this in the checkout, where Pulumi.yaml lies");
        return there.isDirectory() ? [...filesBelow(checkout, path)] : [fileEntry(path, join(checkout, path))];
    });
    const kept = entries.filter(({ path }) => !machineOnly.some((pattern) => pattern.test(path)));
    const pages = runbooks.flatMap(({ scenario, markdown, html }): Entry[] => [
        { path: `${places.runbooks}/${scenario}.md`, content: { text: markdown } },
        { path: `${places.runbooks}/${scenario}.html`, content: { text: html } },
    ]);
    return { name: "program", entries: [...kept, ...pages] };
}

/**
 * The packages that production needs, as the lock file names them, without types and source maps.
 * @throws Failure "prerequisite" where one is not installed
 */
export function dependenciesLayer(checkout: string): LayerContents {
    const lock = packageLock.parse(JSON.parse(readFileSync(join(checkout, "package-lock.json"), "utf8")));
    const entries = productionPackages(lock).flatMap(({ path, optional }) => {
        if (existsSync(join(checkout, path))) return [...packageFiles(checkout, path)];
        if (optional) return [];
        throw new Failure("prerequisite", `${path} is not installed`, "run `npm ci --ignore-scripts`, then this again");
    });
    return { name: "dependencies", entries };
}

/** A package's own files: what is nested below it is a package of its own in the lock file. */
function* packageFiles(checkout: string, path: string): Generator<Entry> {
    for (const item of readdirSync(join(checkout, path), { withFileTypes: true })) {
        if (item.name === "node_modules") continue;
        const below = join(path, item.name);
        if (item.isDirectory()) yield* packageFiles(checkout, below);
        else if (item.isFile() && isReadAtRunTime(below)) yield fileEntry(below, join(checkout, below));
    }
}

/** The Node that runs us. */
export const nodeLayer = (): LayerContents => ({
    name: "node",
    entries: [{ path: `${places.bin}/node`, content: { file: realpathSync(process.execPath) }, executable: true }],
});

/**
 * The Pulumi CLI on PATH and its language host for Node.
 * @throws Failure "prerequisite" where one of them is missing
 */
export function engineLayer(): LayerContents {
    const pulumi = onPath("pulumi");
    if (pulumi === undefined) throw new Failure("prerequisite", "pulumi is not on PATH", "install the Pulumi CLI, or run `lifeboat setup`");
    const name = "pulumi-language-nodejs";
    const host = [join(dirname(realpathSync(pulumi)), name), join(dirname(pulumi), name)].find(existsSync) ?? onPath(name);
    if (host === undefined)
        throw new Failure(
            "prerequisite",
            `${name} lies neither beside pulumi nor on PATH`,
            "install the Pulumi CLI with its language hosts",
        );
    const entries = [
        ["pulumi", pulumi],
        [name, host],
    ].map(([own, file]): Entry => ({ path: `${places.bin}/${own}`, content: { file: realpathSync(file!) }, executable: true }));
    return { name: "engine", entries };
}

const onPath = (name: string): string | undefined =>
    (process.env["PATH"] ?? "")
        .split(delimiter)
        .map((directory) => join(directory, name))
        .find((path) => existsSync(path));

const installedPackage = z.object({
    version: z.string(),
    pulumi: z.object({ resource: z.boolean().optional(), name: z.string().optional() }).optional(),
});

export interface Plugin {
    name: string;
    version: string;
    layer: LayerContents;
}

/**
 * The provider plugins that the program's own packages ask for, from PULUMI_HOME.
 * @throws Failure "prerequisite" where one is not installed
 */
export function pluginLayers(checkout: string): Plugin[] {
    const { dependencies } = z
        .object({ dependencies: z.record(z.string(), z.string()) })
        .parse(JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")));
    const home = process.env["PULUMI_HOME"] || join(homedir(), ".pulumi");
    return Object.keys(dependencies).flatMap((dependency): Plugin[] => {
        const manifest = join(checkout, "node_modules", dependency, "package.json");
        if (!existsSync(manifest)) return [];
        const { version, pulumi } = installedPackage.parse(JSON.parse(readFileSync(manifest, "utf8")));
        if (pulumi?.resource !== true) return [];
        const name = pulumi.name ?? dependency.replace(/^@pulumi\//, "");
        const directory = `resource-${name}-v${version}`;
        const place = join(home, "plugins");
        if (!existsSync(join(place, directory, `pulumi-resource-${name}`)))
            throw new Failure(
                "prerequisite",
                `the plugin ${name} ${version} is not installed in ${place}`,
                `pulumi plugin install resource ${name} ${version}`,
            );
        const entries = [...filesBelow(place, directory)].map((entry) => ({ ...entry, path: `${places.plugins}/${entry.path}` }));
        return [{ name, version, layer: { name: `plugin-${name}`, entries } }];
    });
}
