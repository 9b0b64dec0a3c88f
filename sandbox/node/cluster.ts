import * as k8s from "@kubernetes/client-node";
import type { SiteName } from "../../model/estate.ts";
import { siteAddresses } from "../addresses.ts";

/** Where a node stands, and what it may use of the sandbox. */
export interface NodePlace {
    /** The sandbox's directory. */
    readonly directory: string;
    readonly site: SiteName;
    /** As in "us-west-2". */
    readonly region: string;
}

/** Names of the two machines that this one process is: `lifeboat.dev/pool` is their difference (system: always there; workload: scaled). */
export const pools = ["system", "workload"] as const;
export type Pool = (typeof pools)[number];

/** What the parts of a node share: clients of the site's API server, and the site's places on disk. */
export class Cluster {
    readonly place: NodePlace;
    /** The site's own directory. */
    readonly directory: string;
    readonly config = new k8s.KubeConfig();
    readonly core: k8s.CoreV1Api;
    readonly discovery: k8s.DiscoveryV1Api;
    readonly storage: k8s.StorageV1Api;
    private readonly objects: k8s.KubernetesObjectApi;

    constructor(place: NodePlace) {
        this.place = place;
        this.directory = `${place.directory}/sites/${place.site}`;
        this.config.loadFromFile(`${this.directory}/kubeconfig`);
        this.core = this.config.makeApiClient(k8s.CoreV1Api);
        this.discovery = this.config.makeApiClient(k8s.DiscoveryV1Api);
        this.storage = this.config.makeApiClient(k8s.StorageV1Api);
        this.objects = k8s.KubernetesObjectApi.makeApiClient(this.config);
    }

    get address(): string {
        return siteAddresses(this.place.site).node;
    }

    nodeName(pool: Pool): string {
        return `${this.place.site}-${pool}`;
    }

    /** Server-side apply under a field manager of the node's own. */
    apply(object: k8s.KubernetesObject & Record<string, unknown>): Promise<unknown> {
        return this.objects.patch(object, undefined, undefined, "sandbox-node", true, k8s.PatchStrategy.ServerSideApply);
    }

    /** Follows a collection; starts again after an error (the API server sends one when it closes a watch). */
    watch<T extends k8s.KubernetesObject>(
        path: string,
        list: () => Promise<k8s.KubernetesListObject<T>>,
        changed: (object: T, deleted: boolean) => void,
    ): k8s.Informer<T> & k8s.ObjectCache<T> {
        const informer = k8s.makeInformer<T>(this.config, path, list);
        informer.on("add", (object) => changed(object, false));
        informer.on("update", (object) => changed(object, false));
        informer.on("delete", (object) => changed(object, true));
        const failed = (error: unknown) => {
            log(`watch of ${path}: ${describe(error)}`);
            setTimeout(start, 1000);
        };
        const start = () => void informer.start().catch(failed);
        informer.on("error", failed);
        start();
        return informer;
    }
}

/** Patches of a status are merges: fields left out stay. */
export const mergePatch = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch);

export const log = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);

/** HTTP status of an API error; undefined for any other. */
export const statusOf = (error: unknown): number | undefined => (error as { code?: unknown }).code as number | undefined;

/** One line for a status or a log. */
export function describe(error: unknown): string {
    const body = (error as { body?: unknown }).body;
    const parsed =
        typeof body === "string" && body.startsWith("{")
            ? (JSON.parse(body) as { message?: string })
            : (body as { message?: string } | undefined);
    const text = parsed?.message ?? (error as Error).message ?? String(error);
    return text.split("\n")[0]!.slice(0, 300);
}

/** The object is gone, or another one has its name: whatever was to be done with it is moot. */
export const isGone = (error: unknown): boolean => [404, 409].includes(statusOf(error) ?? 0);

export const keyOf = (object: k8s.KubernetesObject): string => `${object.metadata?.namespace}/${object.metadata?.name}`;
