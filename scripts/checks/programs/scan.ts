import { readFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { programsOf, type Found } from "./command-line.ts";
import { shellCommands } from "./shell.ts";
import { filesOf, isCode, isShell, readSource } from "./source.ts";
import { startsOf } from "./starts.ts";

/**
 * Every program that a tree's code, scripts, tests and README start, with its place; and each place that starts something which the text does not tell.
 * Not seen are: what a text in another language starts (`node -e "…"`, SQL), what those programs start in turn, scripts that a test writes into a file, the
 * workflows of a CI and the Dockerfiles, and what reaches a property of an interface only through an object that was never written with that type.
 */
export function scan(root: string): Found[] {
    const paths = filesOf(root);
    const inShell = paths.filter(isShell).flatMap((path) => fromShell(readFileSync(path, "utf8"), relative(root, path)));
    const walked = paths
        .filter((path) => path === join(root, "README.md"))
        .flatMap((path) => fromShell(walkOf(readFileSync(path, "utf8")), "README.md"));
    // Python of ours is handed to moto's server, and starts nothing.
    const inPython = paths
        .filter((path) => extname(path) === ".py")
        .flatMap((path) => fromPython(readFileSync(path, "utf8"), relative(root, path)));
    return [...startsOf(readSource(root, paths.filter(isCode))), ...inShell, ...walked, ...inPython];
}

function fromShell(text: string, file: string): Found[] {
    return shellCommands(text).flatMap((command) =>
        programsOf(command.map(({ text: word, written, line }) => ({ text: word, written, where: { file, line } }))),
    );
}

/** A README's indented lines, each where it stands: what a reader types. */
export function walkOf(markdown: string): string {
    let fenced = false;
    return markdown
        .split("\n")
        .map((line) => {
            if (line.startsWith("```")) fenced = !fenced;
            return !fenced && line.startsWith("    ") ? line.trim() : "";
        })
        .join("\n");
}

function fromPython(text: string, file: string): Found[] {
    return text.split("\n").flatMap((line, index) => {
        const [starts] = /\b(subprocess|pty|os\.(system|popen|exec\w*|spawn\w*|posix_spawn\w*))\b/.exec(line) ?? [];
        return starts ? [{ unknown: starts, where: { file, line: index + 1 } }] : [];
    });
}
