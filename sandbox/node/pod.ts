import { mkdirSync, renameSync, rmSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Container, V1Pod, V1PodSecurityContext, V1SecurityContext } from "@kubernetes/client-node";
import { siteAddresses } from "../addresses.ts";
import { attach, bridgeOf, detach, podNamespace } from "../network.ts";
import { describe, isGone, log, mergePatch, statusOf, type Cluster } from "./cluster.ts";
import type { RunOptions } from "./container.ts";
import { environmentOf, expand } from "./environment.ts";
import { imageOf, unknownVariables, type Image } from "./images.ts";
import { Keeper, NotYet, type RestartPolicy } from "./keeper.ts";
import { refusals } from "./refusals.ts";
import type { Identity, Mount } from "./root.ts";
import type { Services } from "./services.ts";
import { PodSource } from "./source.ts";
import { podStatus } from "./status.ts";
import { Volumes } from "./volumes.ts";

/** What every pod of a node shares. */
export interface PodHost {
    readonly cluster: Cluster;
    /** The repository's copy that our own images run from. */
    readonly checkout: string;
    readonly services: Services;
    /** What identity.ts adds to a pod. */
    withIdentity(pod: V1Pod): V1Pod;
}

/** Runs one pod, from its binding to its end, and reports how it stands. */
export class PodRunner {
    readonly uid: string;
    readonly address: string;
    /** Resolves when nothing of it runs any more. */
    readonly finished: Promise<void>;
    private pod: V1Pod;
    private readonly host: PodHost;
    private readonly inits: readonly Keeper[];
    private readonly mains: readonly Keeper[];
    private readonly source: PodSource;
    private readonly volumes: Volumes;
    private readonly stop_ = new AbortController();
    private readonly startTime = new Date();
    private readonly refused: readonly string[];
    private initialized: boolean;
    private over = false;
    private reporting: Promise<void> | undefined;
    private dirty = false;
    private leaving: Promise<void> | undefined;

    constructor(pod: V1Pod, address: string, host: PodHost) {
        this.refused = refusals(pod);
        this.pod = host.withIdentity(pod);
        this.uid = pod.metadata!.uid!;
        this.address = address;
        this.host = host;
        this.source = new PodSource(host.cluster, this.pod, address);
        this.volumes = new Volumes(this.source, join(this.directory, "volumes"));
        const { initContainers = [], containers } = this.pod.spec!;
        this.inits = initContainers.map((spec) => new Keeper(spec, spec.restartPolicy === "Always" ? "sidecar" : "init", this));
        this.mains = containers.map((spec) => new Keeper(spec, "main", this));
        this.initialized = initContainers.length === 0;
        this.finished = this.live().catch((error: unknown) => this.note(`failed: ${(error as Error).stack ?? describe(error)}`));
    }

    get key(): string {
        return `${this.pod.metadata!.namespace}/${this.pod.metadata!.name}`;
    }

    get stopping(): AbortSignal {
        return this.stop_.signal;
    }

    container(name: string): Keeper | undefined {
        return [...this.inits, ...this.mains].find(({ spec }) => spec.name === name);
    }

    /** Where the output of one run of a container goes; the newest if no number is given. */
    logOf(container: string, run?: number): string {
        const keeper = this.container(container);
        return join(
            this.host.cluster.directory,
            "pod-logs",
            `${this.pod.metadata!.namespace}_${this.pod.metadata!.name}_${this.uid}`,
            container,
            `${run ?? keeper?.state.restarts ?? 0}.log`,
        );
    }

    grace(): number {
        return this.pod.metadata!.deletionGracePeriodSeconds ?? this.pod.spec!.terminationGracePeriodSeconds ?? 30;
    }

    note(line: string): void {
        log(`${this.key}: ${line}`);
    }

    /** The API's newest word on this pod. Asked to go, it stops, says so, and gives its name free. */
    update(pod: V1Pod, deleted: boolean): void {
        this.pod = { ...this.pod, metadata: pod.metadata!, status: pod.status! };
        if (deleted) void this.stop(0);
        else if (pod.metadata?.deletionTimestamp) this.leaving ??= this.leave();
    }

    /** Rewrites the pod's hosts file: itself, and the Services of the cluster. */
    writeHosts(): void {
        const { hostname, namespace } = this.source;
        const { subdomain } = this.pod.spec!;
        const own = subdomain ? [`${hostname}.${subdomain}.${namespace}.svc.cluster.local`, hostname] : [hostname];
        const lines = ["127.0.0.1 localhost", `${this.address} ${own.join(" ")}`, ...this.host.services.hosts(namespace)];
        const at = join(this.hosts, "hosts");
        mkdirSync(this.hosts, { recursive: true });
        writeFileSync(`${at}.new`, `${lines.join("\n")}\n`);
        renameSync(`${at}.new`, at);
    }

    changed(): void {
        this.dirty = true;
        this.reporting ??= this.report().finally(() => (this.reporting = undefined));
    }

    async prepare(container: V1Container, attempt: number): Promise<RunOptions> {
        if (this.refused.length > 0) throw new NotYet("CreateContainerConfigError", this.refused.join("; "));
        const image = imageOf(container.image!, this.host.checkout);
        if (!image) throw new NotYet("ErrImagePull", `the sandbox has no image ${container.image} (sandbox/node/images.ts)`);
        const refuse = (message: string) => new NotYet("CreateContainerConfigError", message);
        const environment = await environmentOf(container, image, this.source, this.host.services.all()).catch((error: unknown) => {
            throw refuse(describe(error));
        });
        const declared = Object.fromEntries((container.env ?? []).map(({ name }) => [name, ""]));
        const strange = unknownVariables(image, declared);
        if (strange.length > 0) throw refuse(`the sandbox's image ${container.image} does not know ${strange.join(", ")}`);
        const security = { ...this.pod.spec!.securityContext, ...container.securityContext };
        const identity = identityOf(security, image);
        if (security.runAsNonRoot && identity.uid === 0) throw refuse("container has runAsNonRoot and image will run as root");
        const command = [...(container.command ?? image.entrypoint), ...(container.args ?? (container.command ? [] : (image.cmd ?? [])))];
        return {
            image,
            hostname: this.source.hostname,
            base: join(this.host.cluster.directory, "root"),
            identity,
            readOnly: container.securityContext?.readOnlyRootFilesystem ?? false,
            mounts: (container.volumeMounts ?? []).map((mount) => this.mount(mount, environment)),
            hosts: this.hosts,
            workingDirectory: container.workingDir ?? image.workingDirectory ?? "/",
            argv: command.map((word) => expand(word, environment)),
            netns: this.netns,
            environment,
            log: this.logOf(container.name, attempt),
            making: join(this.directory, "making", container.name),
        };
    }

    private get directory(): string {
        return join(this.host.cluster.directory, "pods", this.uid);
    }

    private get hosts(): string {
        return join(this.directory, "hosts");
    }

    private get netns(): string {
        return podNamespace(this.address);
    }

    private async live(): Promise<void> {
        const { number, node } = siteAddresses(this.host.cluster.place.site);
        void number;
        attach(this.netns, { bridge: bridgeOf(this.host.cluster.place.site), address: `${this.address}/17`, gateway: node });
        try {
            this.changed();
            if (this.refused.length === 0) await this.fillVolumes();
            this.writeHosts();
            const refresh = setInterval(
                () => void this.volumes.fill().catch((error: unknown) => this.note(`volumes: ${describe(error)}`)),
                30_000,
            );
            await this.runContainers();
            clearInterval(refresh);
        } finally {
            this.over = true;
            this.changed();
            while (this.reporting) await this.reporting;
            detach(this.netns);
            rmSync(this.directory, { recursive: true, force: true });
        }
    }

    private async runContainers(): Promise<void> {
        const policy = (this.pod.spec!.restartPolicy ?? "Always") as RestartPolicy;
        const sidecars: { keeper: Keeper; done: Promise<number> }[] = [];
        for (const keeper of this.inits) {
            if (this.stopping.aborted) break;
            if (keeper.state.kind === "sidecar") {
                const done = keeper.keep("Always");
                sidecars.push({ keeper, done });
                await Promise.race([keeper.firstStarted, done]);
            } else if ((await keeper.keep(policy === "Never" ? "Never" : "OnFailure")) !== 0) {
                for (const main of this.mains) main.state.state = { terminated: { exitCode: 137, reason: "PodInitializing" } };
                await this.stopAll(sidecars);
                return;
            }
        }
        if (!this.stopping.aborted) {
            this.initialized = true;
            await Promise.all(this.mains.map((keeper) => keeper.keep(policy)));
        }
        for (const { state } of [...this.mains, ...this.inits])
            if (state.state.waiting) state.state = { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } };
        await this.stopAll(sidecars);
    }

    /** Sidecars go when the main containers are over, the last started first. */
    private async stopAll(sidecars: readonly { keeper: Keeper; done: Promise<number> }[]): Promise<void> {
        this.stop_.abort();
        for (const { keeper, done } of sidecars.toReversed()) {
            await keeper.stop(this.grace());
            await done;
        }
    }

    private async stop(grace: number): Promise<void> {
        this.stop_.abort();
        await Promise.all([...this.mains, ...this.inits.filter(({ state }) => state.kind === "init")].map((keeper) => keeper.stop(grace)));
    }

    private async leave(): Promise<void> {
        void this.stop(this.grace());
        await this.finished;
        await this.host.cluster.core
            .deleteNamespacedPod({
                name: this.pod.metadata!.name!,
                namespace: this.pod.metadata!.namespace!,
                body: { gracePeriodSeconds: 0, preconditions: { uid: this.uid } },
            })
            .catch((error: unknown) => void (isGone(error) || this.note(describe(error))));
    }

    private async fillVolumes(): Promise<void> {
        for (let said = ""; !this.stopping.aborted;)
            try {
                return await this.volumes.fill();
            } catch (error) {
                const waits = describe(error);
                if (waits !== said) this.note(`volumes wait: ${(said = waits)}`);
                await sleep(300, undefined, { signal: this.stopping }).catch(() => {});
            }
    }

    private mount(mount: NonNullable<V1Container["volumeMounts"]>[number], environment: Readonly<Record<string, string>>): Mount {
        const volume = this.volumes.paths.get(mount.name);
        if (!volume) throw new NotYet("CreateContainerConfigError", `volume ${mount.name} not found`);
        const from = join(volume, expand(mount.subPathExpr ?? "", environment) || mount.subPath || "");
        if (!existsSync(from)) mkdirSync(from, { recursive: true, mode: 0o777 });
        return { from, to: mount.mountPath, readOnly: mount.readOnly ?? false };
    }

    /** One patch at a time; the newest state wins. */
    private async report(): Promise<void> {
        const { core } = this.host.cluster;
        while (this.dirty) {
            this.dirty = false;
            const status = podStatus({
                pod: this.pod,
                containers: [...this.inits, ...this.mains].map(({ state }) => state),
                address: this.address,
                hostAddress: this.host.cluster.address,
                startTime: this.startTime,
                initialized: this.initialized,
                over: this.over,
            });
            for (let attempt = 0; attempt < 20; attempt++)
                try {
                    this.pod.status = (
                        await core.patchNamespacedPodStatus(
                            {
                                name: this.pod.metadata!.name!,
                                namespace: this.pod.metadata!.namespace!,
                                body: { metadata: { uid: this.uid }, status },
                            },
                            mergePatch,
                        )
                    ).status!;
                    break;
                } catch (error) {
                    if (isGone(error)) return;
                    this.note(`status: ${statusOf(error) ?? ""} ${describe(error)}`);
                    await sleep(500);
                }
        }
    }
}

/** Who a container runs as: what it says, what its pod says, what its image says. */
export function identityOf(security: V1SecurityContext & V1PodSecurityContext, image: Image): Identity {
    const uid = security.runAsUser ?? (image.startsAs === "root" ? 0 : image.user.uid);
    // The runtime takes a user's own group from the image's passwd; a stranger gets root's.
    const gid = security.runAsGroup ?? (uid === image.user.uid ? image.user.gid : 0);
    return {
        uid,
        gid,
        groups: [...(security.fsGroup === undefined ? [] : [security.fsGroup]), ...(security.supplementalGroups ?? [])],
        noNewPrivileges: security.allowPrivilegeEscalation === false,
        dropCapabilities: security.capabilities?.drop?.includes("ALL") ?? false,
    };
}
