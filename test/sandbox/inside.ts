import { connect } from "node:net";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import * as k8s from "@kubernetes/client-node";
import type { SiteName } from "../../model/estate.ts";

// Runs inside a sandbox (support.ts, Client): reads {id, name, args} a line, does it, answers {id, result | error}.

type Object_ = k8s.KubernetesObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> };

const configOf = (site: SiteName) => {
    const config = new k8s.KubeConfig();
    config.loadFromDefault();
    config.setCurrentContext(site);
    return config;
};
const configs = { primary: configOf("primary"), standby: configOf("standby") };
const api = (site: SiteName) => k8s.KubernetesObjectApi.makeApiClient(configs[site]);
const core = (site: SiteName) => configs[site].makeApiClient(k8s.CoreV1Api);

const operations = {
    /** Server-side apply of every object of a YAML stream. */
    async apply(site: SiteName, yaml: string): Promise<void> {
        for (const object of k8s.loadAllYaml(yaml) as Object_[])
            await api(site).patch(object, undefined, undefined, "test", true, k8s.PatchStrategy.ServerSideApply);
    },
    async read(site: SiteName, apiVersion: string, kind: string, namespace: string, name: string): Promise<Object_> {
        return api(site).read({ apiVersion, kind, metadata: { namespace, name } });
    },
    async merge(site: SiteName, object: Object_): Promise<void> {
        await api(site).patch(object, undefined, undefined, undefined, undefined, k8s.PatchStrategy.MergePatch);
    },
    async remove(site: SiteName, apiVersion: string, kind: string, namespace: string, name: string): Promise<void> {
        await api(site).delete({ apiVersion, kind, metadata: { namespace, name } });
    },
    async create(site: SiteName, object: Object_): Promise<void> {
        await api(site).create(object);
    },
    async pods(site: SiteName, namespace: string): Promise<k8s.V1Pod[]> {
        return (await core(site).listNamespacedPod({ namespace })).items;
    },
    async log(site: SiteName, namespace: string, name: string, container: string, previous = false): Promise<string> {
        return core(site).readNamespacedPodLog({ namespace, name, container, previous });
    },
    /** `kubectl exec`, over the WebSocket protocol that @kubernetes/client-node speaks. */
    async exec(
        site: SiteName,
        namespace: string,
        pod: string,
        container: string,
        command: string[],
        input?: string,
    ): Promise<{ code: number; stdout: string; stderr: string }> {
        const [stdout, stderr] = [new PassThrough(), new PassThrough()];
        const text = { stdout: "", stderr: "" };
        stdout.on("data", (data: Buffer) => (text.stdout += data.toString()));
        stderr.on("data", (data: Buffer) => (text.stderr += data.toString()));
        const stdin = input === undefined ? null : new PassThrough();
        stdin?.end(input);
        const status = await new Promise<k8s.V1Status>((resolve, reject) => {
            new k8s.Exec(configs[site])
                .exec(namespace, pod, container, command, stdout, stderr, stdin, false, resolve)
                .then((socket) => socket.on("error", reject))
                .catch(reject);
        });
        const cause = status.details?.causes?.find(({ reason }) => reason === "ExitCode");
        return { code: status.status === "Success" ? 0 : Number(cause?.message ?? -1), ...text };
    },
    /** Tries a TCP connection. */
    connect(host: string, port: number, limit: number): Promise<"open" | "refused" | "silent"> {
        return new Promise((resolve, reject) => {
            const socket = connect({ host, port });
            const timer = setTimeout(() => {
                socket.destroy();
                resolve("silent");
            }, limit);
            socket.on("connect", () => {
                clearTimeout(timer);
                socket.destroy();
                resolve("open");
            });
            socket.on("error", (error: NodeJS.ErrnoException) => {
                clearTimeout(timer);
                if (error.code === "ECONNREFUSED") resolve("refused");
                else reject(error);
            });
        });
    },
    async fetch(url: string, limit: number): Promise<{ status: number; text: string }> {
        const answer = await fetch(url, { signal: AbortSignal.timeout(limit) });
        return { status: answer.status, text: await answer.text() };
    },
    async sleep(time: number): Promise<void> {
        await sleep(time);
    },
};
export type Operations = typeof operations;

for await (const line of createInterface({ input: process.stdin })) {
    const { id, name, args } = JSON.parse(line) as { id: number; name: keyof Operations; args: never[] };
    const operation = operations[name] as (...args: never[]) => Promise<unknown>;
    const say = (answer: object) => process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`);
    operation(...args).then(
        (result) => say({ result }),
        (error: unknown) =>
            say({ error: error instanceof Error ? `${error.message} ${String((error as { body?: unknown }).body ?? "")}` : String(error) }),
    );
}
process.exit(0);
