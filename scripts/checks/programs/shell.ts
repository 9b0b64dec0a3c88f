import { execFileSync } from "node:child_process";
import { hole } from "./words.ts";

/** A word of a shell's text. */
export interface ShellWord {
    /** With a hole for what only a run knows. */
    readonly text: string;
    /** As it is written, for people. */
    readonly written: string;
    readonly line: number;
}
/** A command line in a shell's text: its name and its arguments. */
export type ShellCommand = readonly ShellWord[];

interface Node {
    readonly Type?: string;
    readonly Value?: string;
    readonly Pos?: { readonly Offset: number; readonly Line: number };
    readonly End?: { readonly Offset: number };
    readonly [member: string]: unknown;
}

/** What a shell does itself: POSIX 2.9.1 and 2.14, and what bash adds. https://www.gnu.org/software/bash/manual/html_node/Shell-Builtin-Commands.html */
const builtins = new Set(
    (
        ". : [ alias bg bind break caller cd compgen complete continue declare dirs disown echo enable exit export false fc fg getopts hash help history " +
        "jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt source suspend test times true type " +
        "typeset ulimit umask unalias unset wait"
    ).split(" "),
);

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

function textOf(parts: readonly Node[]): string {
    return parts
        .map((part) => {
            if (part.Type === "Lit") return (part.Value ?? "").replace(/\\(.)/gs, "$1");
            if (part.Type === "SglQuoted") return part.Value ?? "";
            return part.Type === "DblQuoted" ? textOf((part["Parts"] as Node[] | undefined) ?? []) : hole;
        })
        .join("");
}

function parse(text: string): Node {
    // A hole is some text that the shell gets: one word, as an expansion in quotes is.
    const input = text.replaceAll(hole, "${hole}");
    const argv = ["--to-json", "--language-dialect", "bash"];
    return JSON.parse(
        execFileSync("shfmt", argv, { input, encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["pipe", "pipe", "pipe"] }),
    ) as Node;
}

/**
 * The command lines of a shell's text, wherever they stand in it (substitutions, functions, here-documents, branches), without what the shell does itself and
 * without the text's own functions. Read by shfmt, a parser of POSIX and bash: https://github.com/mvdan/sh
 * @throws Error where it is no shell's text
 */
export function shellCommands(text: string): ShellCommand[] {
    const known = read.get(text) ?? readCommands(text);
    read.set(text, known);
    return known;
}
/** One script often has many callers. */
const read = new Map<string, ShellCommand[]>();

function readCommands(text: string): ShellCommand[] {
    const bytes = Buffer.from(text.replaceAll(hole, "${hole}"));
    const functions = new Set<string>();
    const commands: ShellCommand[] = [];
    const visit = (node: unknown): void => {
        if (Array.isArray(node)) return node.forEach(visit);
        if (!isNode(node)) return;
        if (node.Type === "FuncDecl") functions.add((node["Name"] as Node).Value!);
        if (node.Type === "CallExpr" && Array.isArray(node["Args"]))
            commands.push(
                (node["Args"] as Node[]).map((word) => ({
                    text: textOf((word["Parts"] as Node[] | undefined) ?? []),
                    written: bytes.subarray(word.Pos!.Offset, word.End!.Offset).toString(),
                    line: word.Pos!.Line,
                })),
            );
        Object.values(node).forEach(visit);
    };
    visit(parse(text));
    return commands.flatMap(unfold).filter(([name]) => !builtins.has(name!.text) && !functions.has(name!.text));
}

/** What the shell's own commands start: `exec X`, `command X`, `eval "X"`, `trap "X"`. */
function unfold(command: ShellCommand): ShellCommand[] {
    const [name, ...words] = command;
    switch (name?.text) {
        case "exec":
            return words.length > 0 ? unfold(words) : [];
        case "command":
            // `command -v X` only looks whether X is there.
            return words[0]?.text.startsWith("-") ? [] : unfold(words);
        case "eval":
        case "trap": {
            const [script] = words;
            if (script === undefined || script.text === "-") return [];
            return shellCommands(script.text).map((inner) => inner.map((word) => ({ ...word, line: script.line })));
        }
        default:
            return [command];
    }
}
