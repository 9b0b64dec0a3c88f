/**
 * Loaded with NODE_OPTIONS=--import: has the TypeScript compiler check the program and all that it imports before it runs, as ts-node does when Pulumi
 * runs a program with `typescript: true`. ts-node itself cannot: it refuses imports that end in `.ts`.
 */
import { dirname, join } from "node:path";

// Language host, providers and policy packs are not the program.
if (/[/\\]@pulumi[/\\]pulumi[/\\]cmd[/\\]run$/.test(process.argv[1] ?? "")) {
    const { default: ts } = await import("typescript");
    const configFile = ts.findConfigFile(process.cwd(), (path) => ts.sys.fileExists(path));
    if (configFile === undefined) throw new Error("there is no tsconfig.json here");
    const project = dirname(configFile);
    const { config } = ts.readConfigFile(configFile, (path) => ts.sys.readFile(path)) as { config: unknown };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, project);
    const program = ts.createProgram([join(project, "stacks/index.ts")], { ...options, noEmit: true });
    const found = ts.getPreEmitDiagnostics(program);
    if (found.length > 0)
        throw new Error(
            ts.formatDiagnostics(found, {
                getCanonicalFileName: (name) => name,
                getCurrentDirectory: ts.sys.getCurrentDirectory,
                getNewLine: () => "\n",
            }),
        );
}
