import ts from "typescript";
import type { Found, Said } from "./command-line.ts";
import { programsOf } from "./command-line.ts";
import { link } from "./links.ts";
import { walk, type Source } from "./source.ts";
import { Values } from "./values.ts";
import type { Item, Line, Word } from "./words.ts";

/** What the functions that start programs take: a program and its words, a shell's text, or a file for Node. */
const functions: Readonly<Record<string, "command" | "shell" | "node">> = {
    spawn: "command",
    spawnSync: "command",
    execFile: "command",
    execFileSync: "command",
    execa: "command",
    execaSync: "command",
    exec: "shell",
    execSync: "shell",
    execaCommand: "shell",
    execaCommandSync: "shell",
    fork: "node",
    execaNode: "node",
};
const modules = new Set(["child_process", "node:child_process", "execa"]);
/** Properties that hold what somebody else starts: a container, a daemon. */
const holders = new Set(["command", "entrypoint", "cmd"]);

const moduleOf = (declaration: ts.Declaration): string | undefined => {
    const from = ts.findAncestor(declaration, ts.isImportDeclaration)?.moduleSpecifier;
    return from && ts.isStringLiteral(from) ? from.text : undefined;
};

/** Which function that starts programs a name is; undefined of any other. */
function starterOf(checker: ts.TypeChecker, name: ts.Identifier): string | undefined {
    const [declaration] = checker.getSymbolAtLocation(name)?.declarations ?? [];
    if (!declaration || !ts.isImportSpecifier(declaration) || declaration.isTypeOnly || !modules.has(moduleOf(declaration) ?? ""))
        return undefined;
    const imported = (declaration.propertyName ?? declaration.name).text;
    return imported in functions ? imported : undefined;
}

/** Every program that a tree's TypeScript and JavaScript starts. */
export function startsOf(source: Source): Found[] {
    const links = link(source);
    const values = new Values(links);
    const said = (item: Item): Said => {
        const where = source.where(item.at);
        return "text" in item ? { text: item.text, where } : "rest" in item ? { rest: item.rest, where } : { unknown: item.unknown, where };
    };
    const found: Found[] = [];
    const add = (lines: readonly Line[], call: ts.Node) => {
        for (const line of lines)
            for (const one of programsOf(line.map(said))) found.push("unknown" in one ? { ...one, started: source.where(call) } : one);
    };
    const started = (starter: string, call: ts.CallExpression | ts.NewExpression) => {
        const [first, second] = call.arguments ?? [];
        if (first === undefined || functions[starter] === "node") return;
        const shell = (word: Word): Line => [{ text: "sh", at: call }, { text: "-c", at: call }, word];
        const list = second && !ts.isObjectLiteralExpression(second) ? second : undefined;
        add(functions[starter] === "shell" ? values.words(first).map(shell) : values.commands(first, list), call);
    };
    for (const file of source.files)
        walk(file, (node) => {
            if (ts.isPropertyAssignment(node) && holders.has(node.name.getText()) && ts.isArrayLiteralExpression(node.initializer)) {
                const [first] = node.initializer.elements;
                if (first && ts.isStringLiteralLike(first)) add(values.lines(node.initializer), node);
            }
            if (
                (ts.isStringLiteral(node) && modules.has(node.text) && ts.isCallExpression(node.parent)) ||
                (ts.isNamespaceImport(node) && modules.has(moduleOf(node) ?? ""))
            )
                found.push({ unknown: "the whole of child_process", where: source.where(node) });
            if (!ts.isIdentifier(node) || ts.isImportSpecifier(node.parent)) return;
            const starter = starterOf(source.checker, node);
            if (starter === undefined || ts.isTypeQueryNode(node.parent)) return;
            const call = node.parent;
            if (ts.isCallExpression(call) && call.expression === node) return started(starter, call);
            // `const run = promisify(execFile)` is that function by another name.
            const named = ts.isCallExpression(call) && call.expression.getText() === "promisify" && ts.isVariableDeclaration(call.parent);
            if (named) for (const other of links.calls(call.parent)) started(starter, other);
            else found.push({ unknown: `${starter}, handed on as a value`, where: source.where(node) });
        });
    return found;
}
