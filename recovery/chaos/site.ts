import { BatchV1Api, CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { faultSlack } from "../../model/chaos.ts";
import type { Estate, SiteName } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { names } from "../../model/names.ts";
import { passwordDirectory } from "../../model/servers.ts";
import type { Seconds } from "../../model/units.ts";

/** Marks everything that an experiment makes. */
export const chaosLabel = "lifeboat.dev/chaos";
/** User of our own image (images/lifeboat.Dockerfile). */
const ownUser = 10_001;

/** A pod as far as an experiment looks at it. */
export interface PodFacts {
    name: string;
    uid: string;
    address: string;
    ready: boolean;
}

/** A fault that runs in the cluster as a Job: with its own timer, and the cluster's deadline above that. */
export interface FaultJob {
    id: string;
    /** Arguments of `lifeboat`. */
    args: string[];
    span: Seconds;
    /** Has the `app` password of this store. */
    passwordsOf?: string;
    /** Joins the Service that selects these labels, at this port. */
    joins?: { labels: Record<string, string>; port: number };
}

/** One site's cluster, as an experiment uses it: with no more rights than to make Jobs and delete pods in the estate's namespace. */
export interface ChaosSite {
    /** Pods behind the Service of a store or service, without those of an experiment. */
    podsOf(target: string): Promise<PodFacts[]>;
    /** What the Service of a store or service selects, and the port that it leads to. */
    serviceOf(target: string): Promise<{ labels: Record<string, string>; port: number }>;
    deletePod(pod: PodFacts): Promise<void>;
    startJob(job: FaultJob): Promise<void>;
    /** "running" once its program runs; "over" when it has ended; "gone". */
    jobState(id: string): Promise<{ state: "starting" | "running" | "over" | "gone"; why?: string }>;
    /** What its program printed. */
    jobLog(id: string): Promise<string>;
    /** Ends what experiments left, or that of one. Names what there was. */
    clean(id?: string): Promise<string[]>;
}

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 404;

/** The cluster behind the kubeconfig's context of that name. @throws Failure "prerequisite" where there is none. */
export function chaosSite(estate: Estate, account: string, site: SiteName): ChaosSite {
    const config = new KubeConfig();
    config.loadFromDefault();
    if (!config.getContexts().some(({ name }) => name === site))
        throw new Failure(
            "prerequisite",
            `the kubeconfig has no context named ${site}`,
            `aws eks update-kubeconfig --region ${estate.sites[site].region} --name CLUSTER --alias ${site}`,
        );
    config.setCurrentContext(site);
    const [core, batch] = [config.makeApiClient(CoreV1Api), config.makeApiClient(BatchV1Api)];
    const { namespace } = names(estate, account);
    const listed = async (labelSelector: string) => (await core.listNamespacedPod({ namespace, labelSelector })).items;
    const serviceOf = async (target: string) => {
        const { spec } = await core.readNamespacedService({ name: target, namespace });
        const port = Number(spec?.ports?.[0]?.targetPort);
        if (spec?.selector === undefined || !Number.isInteger(port))
            throw new Failure("refused", `the Service ${target} leads to no pods by labels and a port`, "aim at another target");
        return { labels: spec.selector, port };
    };
    const ofJob = (id: string) => listed(`${chaosLabel}=${id}`);
    return {
        serviceOf,
        async podsOf(target) {
            const { labels } = await serviceOf(target);
            const wanted = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
            return (await listed([...wanted, `!${chaosLabel}`].join(",")))
                .filter((pod) => pod.metadata?.deletionTimestamp === undefined)
                .map(factsOf);
        },
        async deletePod({ name, uid }) {
            // One second to end in: a pod that is forced away may live on unseen, and for a database that is a second writer.
            await core.deleteNamespacedPod({ name, namespace, body: { gracePeriodSeconds: 1, preconditions: { uid } } });
        },
        async startJob(job) {
            const image = await ownImage(estate, (name) => core.readNamespacedPod({ name, namespace }));
            await batch.createNamespacedJob({ namespace, body: jobDocument(job, { image, site, account, namespace }) });
        },
        async jobState(id) {
            try {
                const { status } = await batch.readNamespacedJob({ name: jobName(id), namespace });
                const end = status?.conditions?.find(
                    ({ type, status: holds }) => (type === "Complete" || type === "Failed") && holds === "True",
                );
                if (end !== undefined) return { state: "over", ...(end.type === "Failed" ? { why: `${end.reason}: ${end.message}` } : {}) };
                const [pod] = await ofJob(id);
                const [container] = pod?.status?.containerStatuses ?? [];
                if (container?.state?.running !== undefined && factsOf(pod!).ready) return { state: "running" };
                const waits = container?.state?.waiting;
                return { state: "starting", ...(waits === undefined ? {} : { why: `${waits.reason} ${waits.message ?? ""}`.trim() }) };
            } catch (error) {
                if (isMissing(error)) return { state: "gone" };
                throw error;
            }
        },
        async jobLog(id) {
            const [pod] = await ofJob(id);
            return pod === undefined ? "" : core.readNamespacedPodLog({ name: pod.metadata!.name!, namespace });
        },
        async clean(id) {
            const selector = id === undefined ? chaosLabel : `${chaosLabel}=${id}`;
            const { items } = await batch.listNamespacedJob({ namespace, labelSelector: selector });
            const found: string[] = [];
            for (const { metadata } of items)
                try {
                    await batch.deleteNamespacedJob({ name: metadata!.name!, namespace, propagationPolicy: "Background" });
                    found.push(metadata!.name!);
                } catch (error) {
                    if (!isMissing(error)) throw error;
                }
            // A pod whose Job is gone already is taken by the cluster too; it is asked for here so that it is gone before the next experiment.
            for (const pod of await listed(selector))
                try {
                    await core.deleteNamespacedPod({ name: pod.metadata!.name!, namespace, body: { gracePeriodSeconds: 1 } });
                } catch (error) {
                    if (!isMissing(error)) throw error;
                }
            return found;
        },
    };
}

const factsOf = (pod: V1Pod): PodFacts => ({
    name: pod.metadata!.name!,
    uid: pod.metadata!.uid!,
    address: pod.status?.podIP ?? "",
    ready: pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false,
});

/** Our own image, as the guards of this site run it: the version that is deployed, from wherever the nodes get it. */
async function ownImage(estate: Estate, pod: (name: string) => Promise<V1Pod>): Promise<string> {
    const [store] = Object.keys(estate.stores);
    const image = store === undefined ? undefined : (await pod(`${store}-0`)).spec?.containers.find(({ name }) => name === "guard")?.image;
    if (image === undefined) throw new Failure("refused", "no guard runs in this site: its image is what a fault runs", "lifeboat status");
    return image;
}

const jobName = (id: string): string => `chaos-${id}`;

/**
 * The Job of a fault. Its program ends by its own timer; where that fails, the cluster ends it at the deadline; and it takes itself away afterwards. So nothing
 * stays, whoever is dead. It has no privilege, no token and nothing that an ordinary client of the store lacks.
 */
export function jobDocument(job: FaultJob, place: { image: string; site: SiteName; account: string; namespace: string }) {
    const labels = { ...job.joins?.labels, [chaosLabel]: job.id };
    const store = job.passwordsOf;
    return {
        metadata: { name: jobName(job.id), namespace: place.namespace, labels: { [chaosLabel]: job.id } },
        spec: {
            backoffLimit: 0,
            activeDeadlineSeconds: Math.ceil(job.span) + faultSlack,
            ttlSecondsAfterFinished: 300,
            template: {
                metadata: { labels },
                spec: {
                    restartPolicy: "Never",
                    automountServiceAccountToken: false,
                    terminationGracePeriodSeconds: 2,
                    securityContext: {
                        runAsUser: ownUser,
                        runAsGroup: ownUser,
                        fsGroup: ownUser,
                        runAsNonRoot: true,
                        seccompProfile: { type: "RuntimeDefault" },
                    },
                    containers: [
                        {
                            name: "fault",
                            image: place.image,
                            args: job.args,
                            env: [
                                { name: "LIFEBOAT_SITE", value: place.site },
                                { name: "LIFEBOAT_ACCOUNT", value: place.account },
                            ],
                            ...(job.joins === undefined
                                ? {}
                                : { readinessProbe: { tcpSocket: { port: job.joins.port }, periodSeconds: 1 } }),
                            resources: { requests: { cpu: "50m", memory: "256Mi" }, limits: { memory: "512Mi" } },
                            securityContext: {
                                allowPrivilegeEscalation: false,
                                capabilities: { drop: ["ALL"] },
                                readOnlyRootFilesystem: true,
                            },
                            volumeMounts: [
                                { name: "tmp", mountPath: "/tmp" },
                                ...(store === undefined
                                    ? []
                                    : [{ name: "passwords", mountPath: passwordDirectory(store), readOnly: true }]),
                            ],
                        },
                    ],
                    volumes: [
                        { name: "tmp", emptyDir: {} },
                        ...(store === undefined
                            ? []
                            : [
                                  {
                                      name: "passwords",
                                      secret: {
                                          secretName: `${store}-passwords`,
                                          defaultMode: 0o440,
                                          items: [{ key: "app", path: "app" }],
                                      },
                                  },
                              ]),
                    ],
                },
            },
        },
    };
}
