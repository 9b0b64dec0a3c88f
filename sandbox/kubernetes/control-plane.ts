import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { request } from "node:https";
import { get } from "node:http";
import { isIP } from "node:net";
import type { SiteName } from "../../model/estate.ts";
import { until, type Daemon } from "../daemon.ts";
import { tools } from "../tools.ts";

/** How one site's control plane is to stand. */
export interface ControlPlaneOptions {
    /** Name of the kubeconfig's context, and suffix of the daemons' names. */
    readonly name: string;
    /** Keys, certificates, etcd's data and the site's own kubeconfig; made if absent. */
    readonly directory: string;
    /** Address that all three listen on. A loopback address is allowed; Service `kubernetes` then has no endpoint. */
    readonly address: string;
    /** @default { etcd: 2379, etcdPeer: 2380, api: 6443, controllers: 10257 } */
    readonly ports?: { readonly etcd: number; readonly etcdPeer: number; readonly api: number; readonly controllers: number };
    /** Cluster IPs, as a CIDR. */
    readonly serviceRange: string;
    /** Issuer of service-account tokens, an https URL: what an IAM OIDC provider trusts. @default "https://kubernetes.default.svc" */
    readonly issuer?: string;
    /** Runs in this site's cgroup. */
    readonly site?: SiteName;
}

const defaults = { etcd: 2379, etcdPeer: 2380, api: 6443, controllers: 10257 };
const isLoopback = (address: string) => isIP(address) === 4 && address.startsWith("127.");

/** Where a control plane keeps what its clients need. */
export function controlPlaneFiles(directory: string) {
    return {
        kubeconfig: `${directory}/kubeconfig`,
        token: `${directory}/token`,
        /** Serving certificate of the API server; self-signed, so its own authority. */
        certificate: `${directory}/certs/apiserver.crt`,
        certificateKey: `${directory}/certs/apiserver.key`,
        serviceAccountKey: `${directory}/certs/service-account.key`,
        servicePublicKey: `${directory}/certs/service-account.pub`,
    };
}

/** A kubeconfig with one context per control plane, each with the static administrator's token. Plain kubectl reads it. */
export function kubeconfig(
    planes: readonly { name: string; directory: string; address: string; port?: number }[],
    current: string,
): string {
    const list = planes.map((plane) => ({ ...plane, ...controlPlaneFiles(plane.directory), port: plane.port ?? defaults.api }));
    return JSON.stringify(
        {
            apiVersion: "v1",
            kind: "Config",
            clusters: list.map((p) => ({
                name: p.name,
                cluster: { server: `https://${p.address}:${p.port}`, "certificate-authority": p.certificate },
            })),
            users: list.map((p) => ({ name: `${p.name}-admin`, user: { token: readFileSync(p.token, "utf8").trim() } })),
            contexts: list.map((p) => ({ name: p.name, context: { cluster: p.name, user: `${p.name}-admin` } })),
            "current-context": current,
        },
        undefined,
        2,
    );
}

/** Makes keys, the administrator's token and the kubeconfig, unless they are there. */
export function prepareControlPlane(options: ControlPlaneOptions): void {
    const files = controlPlaneFiles(options.directory);
    mkdirSync(`${options.directory}/certs`, { recursive: true, mode: 0o700 });
    if (!existsSync(files.serviceAccountKey)) {
        execFileSync("openssl", ["genrsa", "-out", files.serviceAccountKey, "2048"], { stdio: "pipe" });
        execFileSync("openssl", ["rsa", "-in", files.serviceAccountKey, "-pubout", "-out", files.servicePublicKey], { stdio: "pipe" });
        chmodSync(files.serviceAccountKey, 0o600);
    }
    if (!existsSync(files.token)) writeFileSync(files.token, randomBytes(16).toString("hex"), { mode: 0o600 });
    writeFileSync(`${options.directory}/tokens.csv`, `${readFileSync(files.token, "utf8").trim()},admin,admin,system:masters\n`, {
        mode: 0o600,
    });
    const plane = { name: options.name, directory: options.directory, address: options.address, port: options.ports?.api ?? defaults.api };
    writeFileSync(files.kubeconfig, kubeconfig([plane], options.name), { mode: 0o600 });
}

const status = (url: string): Promise<number> =>
    new Promise((resolve, reject) => {
        get(url, { timeout: 1000 }, (answer) => resolve(answer.resume().statusCode ?? 0)).on("error", reject);
    });
const statusTls = (url: string, token: string, ca: Buffer): Promise<number> =>
    new Promise((resolve, reject) => {
        request(url, { ca, agent: false, timeout: 1000, headers: { authorization: `Bearer ${token}` } }, (answer) =>
            resolve(answer.resume().statusCode ?? 0),
        )
            .on("error", reject)
            .end();
    });

/** The store of one control plane. Without fsync: the sandbox outlives no power cut. */
export function etcd(options: ControlPlaneOptions): Daemon {
    const ports = options.ports ?? defaults;
    const [client, peer] = [`http://${options.address}:${ports.etcd}`, `http://${options.address}:${ports.etcdPeer}`];
    return {
        name: `etcd-${options.name}`,
        ...(options.site && { site: options.site }),
        command: [
            tools.etcd,
            `--data-dir=${options.directory}/etcd`,
            `--listen-client-urls=${client}`,
            `--advertise-client-urls=${client}`,
            `--listen-peer-urls=${peer}`,
            `--initial-advertise-peer-urls=${peer}`,
            `--initial-cluster=default=${peer}`,
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
        ready: async () => void (await until("etcd", 300_000, async () => (await status(`${client}/health`)) === 200)),
    };
}

/**
 * The API. Needs its etcd. Ready when a client that holds the administrator's token is served; the default RBAC roles, which an administrator does
 * not need, may come a moment later.
 */
export function apiServer(options: ControlPlaneOptions): Daemon {
    const ports = options.ports ?? defaults;
    const files = controlPlaneFiles(options.directory);
    const issuer = options.issuer ?? "https://kubernetes.default.svc";
    return {
        name: `apiserver-${options.name}`,
        ...(options.site && { site: options.site }),
        command: [
            tools.kubeApiserver,
            `--etcd-servers=http://${options.address}:${ports.etcd}`,
            `--bind-address=${options.address}`,
            `--advertise-address=${options.address}`,
            `--secure-port=${ports.api}`,
            `--cert-dir=${options.directory}/certs`,
            `--service-account-key-file=${files.servicePublicKey}`,
            `--service-account-signing-key-file=${files.serviceAccountKey}`,
            `--service-account-issuer=${issuer}`,
            // The first audience is what a token without an audience of its own gets; a pod's projected token for AWS asks for the second by name.
            `--api-audiences=${issuer},sts.amazonaws.com`,
            `--token-auth-file=${options.directory}/tokens.csv`,
            "--authorization-mode=RBAC",
            "--enable-priority-and-fairness=false",
            `--service-cluster-ip-range=${options.serviceRange}`,
            "--kubelet-preferred-address-types=InternalIP",
            // `kubectl exec` reaches the node as the WebSocket that it is; translated, it would arrive as SPDY.
            "--feature-gates=TranslateStreamCloseWebsocketRequests=false",
            // A loopback address is refused in Endpoints, over and over.
            ...(isLoopback(options.address) ? ["--endpoint-reconciler-type=none"] : []),
        ],
        ready: async () =>
            void (await until("kube-apiserver", 300_000, async () => {
                const token = readFileSync(files.token, "utf8").trim();
                // All of it: the controller manager gives up for good when the server is not whole 10 s after it asks.
                return (await statusTls(`https://${options.address}:${ports.api}/readyz`, token, readFileSync(files.certificate))) === 200;
            })),
    };
}

/** What runs in a managed cluster and can be seen by a stack. The rest needs a cloud, or is the node's own work, or serves what nobody here asks for. */
const controllers = [
    ...["deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob", "ttl-after-finished", "disruption"],
    ...["endpoints", "endpointslice", "namespace", "garbage-collector", "pod-garbage-collector", "node-lifecycle", "taint-eviction"],
    ...["serviceaccount", "serviceaccount-token", "root-ca-certificate-publisher", "clusterrole-aggregation"],
    ...["persistentvolume-binder", "persistentvolume-protection", "persistentvolumeclaim-protection"],
].map((name) => `${name}-controller`);

/** Deployments, StatefulSets, Jobs, CronJobs, endpoints, namespaces, disruption budgets. Needs its API server. */
export function controllerManager(options: ControlPlaneOptions): Daemon {
    const ports = options.ports ?? defaults;
    const files = controlPlaneFiles(options.directory);
    return {
        name: `controllers-${options.name}`,
        ...(options.site && { site: options.site }),
        command: [
            tools.kubeControllerManager,
            `--kubeconfig=${files.kubeconfig}`,
            `--bind-address=${options.address}`,
            `--secure-port=${ports.controllers}`,
            `--cert-dir=${options.directory}/certs`,
            "--leader-elect=false",
            `--service-account-private-key-file=${files.serviceAccountKey}`,
            `--root-ca-file=${files.certificate}`,
            `--controllers=${controllers.join(",")}`,
            "--use-service-account-credentials=false",
        ],
        ready: async () => {
            const url = `https://${options.address}:${ports.controllers}/healthz`;
            const insecure = () =>
                new Promise<number>((resolve, reject) => {
                    // Its certificate is made for this one question: whether it has started.
                    request(url, { rejectUnauthorized: false, agent: false }, (answer) => resolve(answer.resume().statusCode ?? 0))
                        .on("error", reject)
                        .end();
                });
            await until("kube-controller-manager", 300_000, async () => (await insecure()) === 200);
        },
    };
}

/**
 * A whole control plane: etcd, kube-apiserver and kube-controller-manager, to be started one after the other in this order.
 * Without a node Deployments are accepted and never become ready.
 * @example for (const daemon of controlPlane({ name: "test", directory, address: "127.0.0.1", serviceRange: "10.9.128.0/24" })) await startDaemon(daemon, { log })
 */
export function controlPlane(options: ControlPlaneOptions): Daemon[] {
    prepareControlPlane(options);
    return [etcd(options), apiServer(options), controllerManager(options)];
}
