/**
 * Loaded with NODE_OPTIONS=--import: has TypeScript's language service check and emit each module of the program when it is loaded, one after the other, as ts-node does when Pulumi
 * runs a program with `typescript: true` (ts-node, src/index.ts: `getOutput` of a compiler that type-checks). ts-node itself cannot: it refuses imports that end in `.ts`.
 * What was emitted is left, and Node strips the types as ever.
 */
import { registerHooks } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

// Language host, providers and policy packs are not the program.
if (/[/\\]@pulumi[/\\]pulumi[/\\]cmd[/\\]run$/.test(process.argv[1] ?? "")) {
    const { default: ts } = await import("typescript");
    const configFile = ts.findConfigFile(process.cwd(), (path) => ts.sys.fileExists(path));
    if (configFile === undefined) throw new Error("there is no tsconfig.json here");
    const project = dirname(configFile);
    const { config } = ts.readConfigFile(configFile, (path) => ts.sys.readFile(path)) as { config: unknown };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, project);
    const compilerOptions = { ...options, noEmit: false, incremental: false, rewriteRelativeImportExtensions: true };
    delete compilerOptions.tsBuildInfoFile;
    const roots: string[] = [];
    /** As ts-node does: nothing changes on the disk while the program is loaded. */
    const once = <Found>(look: (path: string) => Found) => {
        const known = new Map<string, Found>();
        return (path: string): Found => {
            if (!known.has(path)) known.set(path, look(path));
            return known.get(path)!;
        };
    };
    const snapshot = once((path) => {
        const text = ts.sys.readFile(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    });
    const service = ts.createLanguageService(
        {
            getScriptFileNames: () => roots,
            getScriptVersion: () => "1",
            // A new root is a new program.
            getProjectVersion: () => String(roots.length),
            getScriptSnapshot: snapshot,
            getCurrentDirectory: () => project,
            getCompilationSettings: () => compilerOptions,
            getDefaultLibFileName: (wanted) => ts.getDefaultLibFilePath(wanted),
            fileExists: once((path) => ts.sys.fileExists(path)),
            readFile: (path) => ts.sys.readFile(path),
            readDirectory: (...given) => ts.sys.readDirectory(...given),
            directoryExists: once((path) => ts.sys.directoryExists(path)),
            getDirectories: once((path) => ts.sys.getDirectories(path)),
            ...(ts.sys.realpath ? { realpath: once(ts.sys.realpath) } : {}),
        },
        ts.createDocumentRegistry(),
    );
    registerHooks({
        load(url, context, next) {
            if (url.startsWith("file:") && url.endsWith(".ts") && !url.includes("/node_modules/")) {
                const path = fileURLToPath(url);
                roots.push(path);
                const found = [...service.getSemanticDiagnostics(path), ...service.getSyntacticDiagnostics(path)];
                if (found.length > 0)
                    throw new Error(
                        ts.formatDiagnostics(found, {
                            getCanonicalFileName: (name) => name,
                            getCurrentDirectory: ts.sys.getCurrentDirectory,
                            getNewLine: () => "\n",
                        }),
                    );
                if (service.getEmitOutput(path).emitSkipped) throw new Error(`${path} could not be emitted`);
            }
            return next(url, context);
        },
    });
}
