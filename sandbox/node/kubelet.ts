import type { V1Pod, V1ServiceAccount } from "@kubernetes/client-node";
import { siteAddresses } from "../addresses.ts";
import { describe, isGone, keyOf, log, pools, type Cluster } from "./cluster.ts";
import { withIdentity } from "./identity.ts";
import { PodRunner } from "./pod.ts";
import type { Scheduler } from "./scheduler.ts";
import { Services } from "./services.ts";

/** Runs the pods that are bound to this site's machines, and has those bound that are not. */
export class Kubelet {
    private readonly cluster: Cluster;
    private readonly scheduler: Scheduler;
    private readonly runners = new Map<string, PodRunner>();
    private readonly addresses = new Set<string>();
    private readonly accounts = new Map<string, V1ServiceAccount>();
    private readonly services: Services;
    private readonly checkout: string;
    private next = 2;

    constructor(cluster: Cluster, scheduler: Scheduler, checkout: string) {
        this.cluster = cluster;
        this.scheduler = scheduler;
        this.checkout = checkout;
        this.services = new Services(cluster, () => {
            for (const runner of this.runners.values()) if (!runner.stopping.aborted) runner.writeHosts();
        });
    }

    /** Resolves when the ServiceAccounts that pods take their identity from are known. */
    async run(): Promise<void> {
        const { core } = this.cluster;
        for (const account of (await core.listServiceAccountForAllNamespaces()).items) this.accounts.set(keyOf(account), account);
        this.cluster.watch<V1ServiceAccount>(
            "/api/v1/serviceaccounts",
            () => core.listServiceAccountForAllNamespaces(),
            (account, deleted) => {
                if (deleted) this.accounts.delete(keyOf(account));
                else this.accounts.set(keyOf(account), account);
            },
        );
        const pods = this.cluster.watch<V1Pod>(
            "/api/v1/pods",
            () => core.listPodForAllNamespaces(),
            (pod, deleted) => this.seen(pod, deleted),
        );
        // Whatever could not be bound a moment ago is tried again.
        setInterval(() => {
            for (const pod of pods.list()) if (!pod.spec?.nodeName) void this.scheduler.bind(pod);
        }, 1000);
    }

    runner(namespace: string, name: string): PodRunner | undefined {
        return [...this.runners.values()].find(({ key }) => key === `${namespace}/${name}`);
    }

    private seen(pod: V1Pod, deleted: boolean): void {
        const uid = pod.metadata!.uid!;
        const runner = this.runners.get(uid);
        if (runner) {
            runner.update(pod, deleted);
            if (deleted) void runner.finished.then(() => this.runners.delete(uid));
        } else if (deleted) return;
        else if (!pod.spec?.nodeName) void this.scheduler.bind(pod);
        else if (pools.some((pool) => this.cluster.nodeName(pool) === pod.spec!.nodeName)) {
            if (pod.metadata?.deletionTimestamp) this.release(pod);
            else if (!["Succeeded", "Failed"].includes(pod.status?.phase ?? "")) this.start(pod);
        }
    }

    private start(pod: V1Pod): void {
        const address = this.allocate();
        const runner = new PodRunner(pod, address, {
            cluster: this.cluster,
            checkout: this.checkout,
            services: this.services,
            withIdentity: (bare) =>
                withIdentity(
                    bare,
                    this.accounts.get(`${bare.metadata!.namespace}/${bare.spec?.serviceAccountName ?? "default"}`),
                    this.cluster.place.region,
                ),
        });
        this.runners.set(pod.metadata!.uid!, runner);
        void runner.finished.then(() => this.addresses.delete(address));
    }

    /** A pod that was to go before it was ever started here. */
    private release(pod: V1Pod): void {
        const { name = "", namespace = "", uid = "" } = pod.metadata!;
        this.cluster.core
            .deleteNamespacedPod({ name, namespace, body: { gracePeriodSeconds: 0, preconditions: { uid } } })
            .catch((error: unknown) => void (isGone(error) || log(describe(error))));
    }

    /** The next address that nobody has; those that were given back come round again last. */
    private allocate(): string {
        const { podPrefix } = siteAddresses(this.cluster.place.site);
        for (;;) {
            const address = `${podPrefix}.${this.next >> 8}.${this.next & 255}`;
            // 10.N.0.2 to 10.N.126.255: above are actors with an address in the region, and Services.
            this.next = this.next >= 0x7eff ? 2 : this.next + 1;
            if (!this.addresses.has(address)) {
                this.addresses.add(address);
                return address;
            }
        }
    }
}
