/**
 * Pulumi's language host for Node programs and policy packs, for machines where the official one (`pulumi-language-nodejs`, part of the CLI's
 * release) cannot be had. The engine starts it, reads the port from the first line of its stdout and speaks `pulumi/language.proto` with it.
 * It installs nothing and generates nothing: calls for that are refused as unimplemented.
 * Source: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/language.proto and sdk/nodejs/cmd/pulumi-language-nodejs/main.go
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import grpc from "@grpc/grpc-js";
import service from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { loadPulumiEmpty } from "./empty.ts";
import { whenParentEnds } from "./parent.ts";

/** The SDK's runner exits with this after it has shown the person what is wrong (sdk/nodejs/cmd/run/index.ts). */
const saidWhy = 32;

const Empty = loadPulumiEmpty();
const children = new Set<ChildProcess>();
let engine = process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "";

/** Finds a runner of the SDK that the program itself depends on, so that program and runner are one version. */
function runner(name: string, from: string): string {
    for (let directory = from; ; directory = dirname(directory)) {
        const candidate = join(directory, "node_modules", "@pulumi", "pulumi", "cmd", name);
        if (existsSync(candidate)) return candidate;
        if (directory === dirname(directory)) throw new Error(`@pulumi/pulumi is not installed at or above ${from}; run \`npm ci\` there`);
    }
}

function start(argv: string[], options: { cwd: string; env: NodeJS.ProcessEnv; output: "inherit" | "pipe" }): ChildProcess {
    const child = spawn(process.execPath, argv, {
        cwd: options.cwd,
        env: options.env,
        stdio: ["ignore", options.output, options.output],
    });
    children.add(child);
    child.on("close", () => children.delete(child));
    return child;
}

function stopChildren(): void {
    for (const child of children) child.kill("SIGKILL");
}

/** Answers a call with what `answer` gives; what it throws becomes the engine's error message. */
const unary =
    <Request, Response>(answer: (request: Request) => Response | Promise<Response>): grpc.handleUnaryCall<Request, Response> =>
    (call, reply) => {
        Promise.resolve()
            .then(() => answer(call.request))
            .then(
                (response) => reply(null, response),
                (error: unknown) =>
                    reply({ code: grpc.status.INTERNAL, message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
            );
    };

async function run(request: InstanceType<typeof language.RunRequest>): Promise<InstanceType<typeof language.RunResponse>> {
    const info = request.getInfo();
    const directory = info?.getProgramDirectory() || request.getPwd();
    const config = Object.fromEntries(request.getConfigMap().toObject(false));
    const argv = [
        runner("run", directory),
        ...["--monitor", request.getMonitorAddress(), "--engine", engine],
        ...["--organization", request.getOrganization(), "--project", request.getProject(), "--stack", request.getStack()],
        ...["--pwd", request.getPwd(), "--query-mode", "false", "--parallel", String(request.getParallel())],
        ...(request.getDryrun() ? ["--dry-run"] : []),
        info?.getEntryPoint() || request.getProgram() || ".",
        ...request.getArgsList(),
    ];
    const env = {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(config),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        // Node strips the types itself: no ts-node, no compiler.
        PULUMI_NODEJS_TYPESCRIPT: "false",
    };
    const child = start(argv, { cwd: request.getPwd() || directory, env, output: "inherit" });
    const response = new language.RunResponse();
    await new Promise<void>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code, signal) => {
            if (code === saidWhy) response.setBail(true);
            else if (code !== 0) response.setError(`the program ended with ${signal ? `signal ${signal}` : `exit code ${code}`}`);
            resolve();
        });
    });
    return response;
}

/** Runs a policy pack ("analyzer") or a provider that is written as a Node package ("resource"), and streams what it says. */
function runPlugin(
    call: grpc.ServerWritableStream<InstanceType<typeof language.RunPluginRequest>, InstanceType<typeof language.RunPluginResponse>>,
): void {
    const { request } = call;
    const directory = request.getInfo()?.getProgramDirectory() ?? request.getProgram();
    const analyzer = request.getKind() === "analyzer";
    const env = Object.fromEntries(
        request.getEnvList().map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
    );
    const script = runner(analyzer ? "run-policy-pack" : "run-plugin", directory);
    // A pack is run inside its own directory; ts-node stays out of the way of a pack whose main is JavaScript.
    const child = start([script, ...request.getArgsList(), directory], {
        cwd: analyzer ? directory : request.getPwd() || directory,
        env,
        output: "pipe",
    });
    const send = (fill: (response: InstanceType<typeof language.RunPluginResponse>) => void) => {
        const response = new language.RunPluginResponse();
        fill(response);
        call.write(response);
    };
    child.stdout?.on("data", (data: Buffer) => send((response) => response.setStdout(data)));
    child.stderr?.on("data", (data: Buffer) => send((response) => response.setStderr(data)));
    child.on("error", (error) => call.destroy(error));
    child.on("close", (code) => {
        // A signal has no code; the engine must not take that for success.
        send((response) => response.setExitcode(code ?? 1));
        call.end();
    });
    call.on("cancelled", () => child.kill("SIGKILL"));
}

function pluginInfo() {
    const info = new plugin.PluginInfo();
    const { version } = createRequire(import.meta.url)("@pulumi/pulumi/package.json") as { version: string };
    info.setVersion(version);
    return info;
}

function about() {
    const response = new language.AboutResponse();
    response.setExecutable(process.execPath);
    response.setVersion(process.version);
    return response;
}

const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
server.addService(service.LanguageRuntimeService as unknown as grpc.ServiceDefinition, {
    handshake: unary((request: InstanceType<typeof language.LanguageHandshakeRequest>) => {
        engine = request.getEngineAddress();
        return new language.LanguageHandshakeResponse();
    }),
    getPluginInfo: unary(pluginInfo),
    about: unary(about),
    // Which provider plugins there are is settled by PULUMI_HOME (home.ts); the program asks for no others.
    getRequiredPlugins: unary(() => new language.GetRequiredPluginsResponse()),
    getRequiredPackages: unary(() => new language.GetRequiredPackagesResponse()),
    getProgramDependencies: unary(() => new language.GetProgramDependenciesResponse()),
    runtimeOptionsPrompts: unary(() => new language.RuntimeOptionsResponse()),
    cancel: unary(() => {
        stopChildren();
        return new Empty();
    }),
    run: unary(run),
    runPlugin,
});

process.on("exit", stopChildren);
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
whenParentEnds(() => process.exit(1));
// The engine puts its plugins into process groups of their own, so a Ctrl-C is not seen here: this is the engine closing us (it waits 5 s for it).
process.on("SIGINT", () => process.exit(0));

server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
});
