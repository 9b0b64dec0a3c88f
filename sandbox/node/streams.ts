import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { controlPlaneFiles } from "../kubernetes/control-plane.ts";
import type { Cluster } from "./cluster.ts";
import type { Kubelet } from "./kubelet.ts";
import { quote } from "./root.ts";

/** Channels of `kubectl exec` over a WebSocket: the first byte of each message. */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/**
 * The kubelet's own server, which the API server asks for `kubectl logs` and `kubectl exec`: /containerLogs/… and /exec/NAMESPACE/POD/CONTAINER.
 * Anything else (attach, port-forward, metrics) is 404.
 */
export async function serveStreams(cluster: Cluster, kubelet: Kubelet): Promise<Server> {
    const files = controlPlaneFiles(cluster.directory);
    const server = createServer({ key: readFileSync(files.certificateKey), cert: readFileSync(files.certificate) }, (request, response) => {
        const url = new URL(request.url ?? "/", "https://node");
        if (url.pathname === "/healthz") response.end("ok");
        else if (url.pathname.startsWith("/containerLogs/")) logs(kubelet, url, response);
        else response.writeHead(404).end(`the sandbox's node has no ${url.pathname.split("/")[1]}\n`);
    });
    const sockets = new WebSocketServer({
        noServer: true,
        handleProtocols: (offered) => protocols.find((one) => offered.has(one)) ?? false,
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        const url = new URL(request.url ?? "/", "https://node");
        // The client may be gone before its answer.
        socket.on("error", () => socket.destroy());
        const line = url.pathname.startsWith("/exec/") ? execLine(kubelet, url) : undefined;
        if (!line) socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        else sockets.handleUpgrade(request, socket, head, (client) => run(client, line, url));
    });
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(10250, cluster.address, resolve));
    return server;
}

function target(kubelet: Kubelet, url: URL) {
    const [, , namespace = "", pod = "", container = ""] = url.pathname.split("/").map(decodeURIComponent);
    const runner = kubelet.runner(namespace, pod);
    return { runner, keeper: runner?.container(container), container };
}

function logs(kubelet: Kubelet, url: URL, response: ServerResponse): void {
    const { runner, keeper, container } = target(kubelet, url);
    const query = url.searchParams;
    const known = ["follow", "previous", "tailLines", "limitBytes"];
    const strange = [...query.entries()].find(([name, value]) => !known.includes(name) && value !== "false");
    if (strange) return void response.writeHead(400).end(`the sandbox's node does not know ${strange[0]} of logs\n`);
    const previous = query.get("previous") === "true";
    const number = (keeper?.state.restarts ?? 0) - (previous ? 1 : 0);
    const file = runner?.logOf(container, number);
    if (!file || number < 0 || !existsSync(file))
        return void response.writeHead(404).end(`no ${previous ? "previous " : ""}log of container ${container}\n`);
    const follow = query.get("follow") === "true" && keeper?.run && !keeper.run.over;
    const tail = spawn("tail", ["-n", query.get("tailLines") ?? "+1", ...(follow ? ["-f"] : []), file], {
        stdio: ["ignore", "pipe", "ignore"],
    });
    response.writeHead(200, { "content-type": "text/plain" });
    response.flushHeaders();
    tail.stdout.pipe(response);
    response.on("close", () => tail.kill());
    // What is followed ends with its container; a moment is left for the last lines.
    if (follow) void keeper?.run?.exited.then(() => setTimeout(() => tail.kill(), 300));
}

function execLine(kubelet: Kubelet, url: URL): { line: string[]; environment: NodeJS.ProcessEnv } | undefined {
    const { keeper } = target(kubelet, url);
    if (!keeper?.run?.begunAndAlive || !keeper.state.state.running) return undefined;
    const line = keeper.run.enter(url.searchParams.getAll("command"));
    const terminal = url.searchParams.get("tty") === "true" || url.searchParams.get("tty") === "1";
    return {
        // `script` gives the command a terminal of its own.
        line: terminal ? ["script", "--quiet", "--return", "--flush", "--command", line.map(quote).join(" "), "/dev/null"] : line,
        environment: { ...keeper.run.environment, ...(terminal && { TERM: "xterm" }) },
    };
}

function run(client: WebSocket, { line, environment }: { line: string[]; environment: NodeJS.ProcessEnv }, url: URL): void {
    const input = ["true", "1"].includes(url.searchParams.get("stdin") ?? url.searchParams.get("input") ?? "");
    const child = spawn(line[0]!, line.slice(1), { env: environment, stdio: [input ? "pipe" : "ignore", "pipe", "pipe"] });
    const send = (to: number) => (data: Buffer) => client.send(Buffer.concat([Buffer.from([to]), data]));
    child.stdout!.on("data", send(channel.stdout));
    child.stderr!.on("data", send(channel.stderr));
    child.stdin?.on("error", () => {
        // It ended without reading all of its input.
    });
    client.on("message", (data: Buffer) => {
        if (data[0] === channel.stdin) child.stdin?.write(data.subarray(1));
        // Version 5: the client has no more input.
        else if (data[0] === channel.close && data[1] === channel.stdin) child.stdin?.end();
    });
    client.on("close", () => child.kill("SIGKILL"));
    child.on("error", (error) => client.close(1011, error.message.slice(0, 100)));
    child.on("close", (code) => {
        const exit = code ?? 137;
        const failure = {
            status: "Failure",
            reason: "NonZeroExitCode",
            message: `command terminated with exit code ${exit}`,
            details: { causes: [{ reason: "ExitCode", message: String(exit) }] },
        };
        send(channel.error)(Buffer.from(JSON.stringify({ metadata: {}, ...(exit === 0 ? { status: "Success" } : failure) })));
        client.close(1000);
    });
}
