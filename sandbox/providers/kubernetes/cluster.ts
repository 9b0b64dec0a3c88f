import { Agent, request, type RequestOptions } from "node:https";
import { isRecord, list, record, text, type Props } from "../values.ts";

/** Which cluster: what the provider was configured with. Empty members mean what kubectl would take. */
export interface ClusterSettings {
    /** A kubeconfig's path, or its content. */
    kubeconfig?: string;
    context?: string;
    cluster?: string;
}

/** An answer of the API server that is not a success. */
export class ApiError extends Error {
    override readonly name = "ApiError";
    readonly status: number;
    /** Kubernetes' word for it, like `Conflict` or `Invalid`. */
    readonly reason: string;
    constructor(status: number, reason: string, message: string) {
        super(message);
        this.status = status;
        this.reason = reason;
    }
}

export const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

interface Kind {
    plural: string;
    namespaced: boolean;
}
interface Asking {
    query?: Record<string, string>;
    body?: unknown;
    type?: string;
}

/** The REST API of one cluster; the client library gives address, trust and credentials. Connect within 2 s, answer within 20 s. */
export class Cluster {
    readonly #settings: ClusterSettings;
    readonly #kinds = new Map<string, Promise<Map<string, Kind>>>();
    #connection: Promise<{ server: URL; options: RequestOptions }> | undefined;

    constructor(settings: ClusterSettings) {
        this.#settings = settings;
    }

    async #connect(): Promise<{ server: URL; options: RequestOptions }> {
        // Loaded when a cluster is first spoken to: a preview speaks to none. The package's main module would load every model of the API.
        const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
        const config = new KubeConfig();
        const { kubeconfig, context, cluster } = this.#settings;
        if (kubeconfig === undefined) config.loadFromDefault();
        else if (/^\s*[{a-z]/i.test(kubeconfig) && kubeconfig.includes("\n")) config.loadFromString(kubeconfig);
        else if (kubeconfig.trimStart().startsWith("{")) config.loadFromString(kubeconfig);
        else config.loadFromFile(kubeconfig);
        if (context !== undefined) {
            if (!config.getContextObject(context)) throw new Error(`the kubeconfig has no context "${context}"`);
            config.setCurrentContext(context);
        }
        const server = cluster === undefined ? config.getCurrentCluster() : config.getCluster(cluster);
        if (!server) throw new Error("no cluster is configured: neither KUBECONFIG nor the provider names one");
        const options: RequestOptions = { headers: {} };
        await config.applyToHTTPSOptions(options);
        const { ca, cert, key, passphrase, pfx, rejectUnauthorized, servername } = options;
        const trust = Object.fromEntries(
            Object.entries({ ca, cert, key, passphrase, pfx, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined),
        );
        return { server: new URL(server.server), options: { ...options, agent: new Agent({ keepAlive: true, maxSockets: 16, ...trust }) } };
    }

    /** One call. @throws ApiError for any answer but 2xx; an Error when the cluster cannot be reached */
    async call(method: string, path: string, { query = {}, body, type = "application/json" }: Asking = {}): Promise<Props> {
        this.#connection ??= this.#connect();
        const { server, options } = await this.#connection;
        const search = new URLSearchParams(query).toString();
        const payload = body === undefined ? undefined : JSON.stringify(body);
        const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
            const sent = request(
                new URL(`${server.pathname.replace(/\/$/, "")}${path}${search === "" ? "" : `?${search}`}`, server),
                {
                    ...options,
                    method,
                    headers: {
                        ...options.headers,
                        accept: "application/json",
                        ...(payload !== undefined && { "content-type": type, "content-length": Buffer.byteLength(payload) }),
                    },
                },
                (response) => {
                    const chunks: Buffer[] = [];
                    response.on("data", (chunk: Buffer) => chunks.push(chunk));
                    response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
                    response.on("error", reject);
                },
            );
            const give = (why: string) => () => sent.destroy(new Error(`the cluster's API at ${server.origin} ${why}`));
            const connecting = setTimeout(give("does not accept connections (2 s)"), 2_000);
            const answering = setTimeout(give("does not answer (20 s)"), 20_000);
            sent.on("socket", (socket) => {
                if (!socket.connecting) clearTimeout(connecting);
                else socket.once("secureConnect", () => clearTimeout(connecting));
            });
            sent.on("close", () => {
                clearTimeout(connecting);
                clearTimeout(answering);
            });
            sent.on("error", (error) =>
                reject(new Error(`the cluster's API at ${server.origin} cannot be reached: ${error.message}`, { cause: error })),
            );
            sent.end(payload);
        });
        const parsed: unknown = answer.text.startsWith("{") ? JSON.parse(answer.text) : {};
        const document = isRecord(parsed) ? parsed : {};
        if (answer.status >= 200 && answer.status < 300) return document;
        throw new ApiError(answer.status, text(document["reason"]), text(document["message"] ?? answer.text) || `HTTP ${answer.status}`);
    }

    /** Kinds that the cluster serves in an API version. */
    #discover(apiVersion: string): Promise<Map<string, Kind>> {
        const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
        const found =
            this.#kinds.get(apiVersion) ??
            this.call("GET", base).then(
                ({ resources }) =>
                    new Map(
                        list(resources)
                            .map(record)
                            .filter(({ name }) => !text(name).includes("/"))
                            .map(({ kind, name, namespaced }) => [text(kind), { plural: text(name), namespaced: namespaced === true }]),
                    ),
            );
        this.#kinds.set(apiVersion, found);
        // A group that a CustomResourceDefinition brings later must be found then.
        found.catch(() => this.#kinds.delete(apiVersion));
        return found;
    }

    /** Path of an object, or of the collection when no name is given. @throws Error when the cluster has no such kind */
    async path(object: { apiVersion: string; kind: string; namespace: string; name?: string }): Promise<string> {
        const { apiVersion, kind, namespace, name } = object;
        const known = await this.#discover(apiVersion).catch((error: unknown) => {
            if (isGone(error)) return new Map<string, Kind>();
            throw error;
        });
        const found = known.get(kind);
        if (!found) {
            this.#kinds.delete(apiVersion);
            throw new Error(`the cluster has no kind ${kind} in ${apiVersion}: its CustomResourceDefinition must exist first`);
        }
        const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
        return `${base}${found.namespaced ? `/namespaces/${namespace || "default"}` : ""}/${found.plural}${name === undefined ? "" : `/${name}`}`;
    }
}
