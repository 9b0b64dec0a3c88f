import { Writable } from "node:stream";
import { Exec, KubeConfig, type V1Status } from "@kubernetes/client-node";
import { Failure, exitCodes, type ExitName } from "../model/failure.ts";

/** What a command in a container said and how it ended. */
export interface Executed {
    code: number;
    stdout: string;
    stderr: string;
}

/** One site's cluster, as far as a recovery needs it. */
export interface Cluster {
    /** Its name in the kubeconfig: "standby". */
    readonly context: string;
    /** Runs a command in a container of a running pod. @throws Failure "unavailable" where cluster, pod or container does not answer. */
    execute(target: { namespace: string; pod: string; container: string }, command: string[], signal: AbortSignal): Promise<Executed>;
}

/** What a command may print at most: anything longer is not an answer to what is asked here. */
const outputLimit = 1 << 20;

function collector() {
    const chunks: Buffer[] = [];
    let size = 0;
    const stream = new Writable({
        write(chunk: Buffer, _encoding, done) {
            size += chunk.length;
            if (size <= outputLimit) chunks.push(chunk);
            done();
        },
    });
    return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}

/**
 * A context of the kubeconfig, found as kubectl finds it (KUBECONFIG, ~/.kube/config, in a pod its own cluster).
 * @param context "standby"
 * @throws Failure "prerequisite" where there is no such context, or no kubeconfig that can be read.
 */
export function contextOf(context: string): KubeConfig {
    const config = kubeconfig(context);
    if (!config.getContexts().some(({ name }) => name === context))
        throw new Failure(
            "prerequisite",
            `the kubeconfig has no context named ${context}`,
            `aws eks update-kubeconfig --region REGION --name CLUSTER --alias ${context}`,
        );
    config.setCurrentContext(context);
    return config;
}

/** The cluster of a context. @throws Failure "prerequisite" where there is no such context. */
export function clusterOf(context: string): Cluster {
    const config = contextOf(context);
    return {
        context,
        async execute({ namespace, pod, container }, command, signal) {
            signal.throwIfAborted();
            const [stdout, stderr] = [collector(), collector()];
            const ended = Promise.withResolvers<V1Status>();
            const where = `${pod}/${container} in the cluster ${context}`;
            const unreachable = (why: string, cause?: unknown) =>
                new Failure(
                    "unavailable",
                    `${where} does not answer: ${why}`,
                    `kubectl --context ${context} -n ${namespace} describe pod ${pod}`,
                    { cause },
                );
            const missing = (cause: unknown) =>
                new Failure(
                    "unavailable",
                    `there is no pod ${pod} in the cluster ${context}`,
                    "`pulumi up` of that site's stack starts it",
                    { cause },
                );
            // The client has no time limit of its own: a connection to a dead node hangs.
            const stopped = () => ended.reject(unreachable("no answer in time"));
            signal.addEventListener("abort", stopped, { once: true });
            const connecting = new Exec(config).exec(
                namespace,
                pod,
                container,
                command,
                stdout.stream,
                stderr.stream,
                null,
                false,
                (status) => ended.resolve(status),
            );
            connecting.then(
                (socket) => {
                    socket.on("error", (error: Error) => ended.reject(unreachable(error.message, error)));
                    socket.on("close", () => ended.reject(unreachable("the connection closed before the command ended")));
                    if (signal.aborted) socket.close();
                },
                (error: unknown) => ended.reject(isMissing(error) ? missing(error) : unreachable(connectionError(error), error)),
            );
            try {
                return { code: exitCodeOf(await ended.promise), stdout: stdout.text(), stderr: stderr.text() };
            } finally {
                signal.removeEventListener("abort", stopped);
                connecting.then((socket) => socket.close()).catch(() => undefined);
            }
        },
    };
}

function kubeconfig(context: string): KubeConfig {
    const config = new KubeConfig();
    try {
        config.loadFromDefault();
    } catch (error) {
        const file = process.env["KUBECONFIG"] ?? "~/.kube/config";
        throw new Failure(
            "prerequisite",
            `the kubeconfig (${file}) cannot be read`,
            `mend it, or make one: aws eks update-kubeconfig --region REGION --name CLUSTER --alias ${context}`,
            { cause: error },
        );
    }
    return config;
}

/** How the WebSocket library says that the API server answered 404. */
const isMissing = (error: unknown): boolean => connectionError(error).includes("Unexpected server response: 404");

const connectionError = (error: unknown): string => (error as { message?: string })?.message ?? String(error);

function exitCodeOf(status: V1Status): number {
    if (status.status === "Success") return 0;
    const cause = status.details?.causes?.find(({ reason }) => reason === "ExitCode");
    if (cause?.message === undefined)
        throw new Failure("unavailable", `the command did not run: ${status.message ?? "no reason given"}`, "repeat the command");
    return Number(cause.message);
}

/** The documented exit code of a `lifeboat` command that ran elsewhere, as its name. */
export function exitName(code: number): ExitName {
    const known = Object.entries(exitCodes).find(([, number]) => number === code);
    return (known?.[0] ?? "unavailable") as ExitName;
}
