import { readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, relative, resolve } from "node:path";
import ts from "typescript";

/** What is nobody's source: made by npm, by git, by Go's toolchain or by a run of ours. */
const foreign = new Set(["node_modules", ".git", "coverage", ".lifeboat", "toolchain"]);

/** Every file of a tree that somebody wrote, as absolute paths. */
export function filesOf(root: string): string[] {
    return readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
        const path = join(root, entry.name);
        if (foreign.has(entry.name) || entry.name.startsWith("node_modules.")) return [];
        return entry.isDirectory() ? filesOf(path) : entry.isFile() ? [path] : [];
    });
}

/** Whether a file is a shell's: by its name, or by its first line. */
export function isShell(path: string): boolean {
    if (extname(path) === ".sh") return true;
    if (extname(path) !== "") return false;
    return /^#!.*\b(ba|da)?sh\b/.test(readFileSync(path, "utf8").split("\n", 1)[0]!);
}

export const isCode = (path: string): boolean => [".ts", ".js"].includes(extname(path)) && !path.endsWith(".d.ts");

export interface Source {
    readonly root: string;
    readonly files: readonly ts.SourceFile[];
    readonly checker: ts.TypeChecker;
    /** `path/from/root.ts:12` */
    where(node: ts.Node): { file: string; line: number };
}

/**
 * Reads a tree's TypeScript and JavaScript with the compiler. Only what the tree holds is resolved: the types of npm's packages would take
 * 20 s, and say nothing about which programs are started.
 */
export function readSource(root: string, paths: readonly string[]): Source {
    const options: ts.CompilerOptions = {
        target: ts.ScriptTarget.ESNext,
        module: ts.ModuleKind.ESNext,
        strict: true,
        noEmit: true,
        allowJs: true,
        allowImportingTsExtensions: true,
        types: [],
    };
    const host = ts.createCompilerHost(options, true);
    host.resolveModuleNameLiterals = (literals, from) =>
        literals.map(({ text }) => {
            const path = resolve(dirname(from), text);
            const found = text.startsWith(".") && ts.sys.fileExists(path);
            return {
                resolvedModule: found ? { resolvedFileName: path, extension: extname(path), isExternalLibraryImport: false } : undefined,
            };
        });
    const program = ts.createProgram(paths, options, host);
    const wanted = new Set(paths);
    return {
        root,
        files: program.getSourceFiles().filter(({ fileName }) => wanted.has(fileName)),
        checker: program.getTypeChecker(),
        where: (node) => {
            const file = node.getSourceFile();
            return { file: relative(root, file.fileName), line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1 };
        },
    };
}

/** Visits a node and all below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
    visit(node);
    ts.forEachChild(node, (child) => walk(child, visit));
}
