import assert from "node:assert/strict";
import type { V1EndpointSlice, V1Pod, V1Service } from "@kubernetes/client-node";
import { expand, serviceLinks } from "../../../sandbox/node/environment.ts";
import { withIdentity } from "../../../sandbox/node/identity.ts";
import { imageOf, unknownVariables } from "../../../sandbox/node/images.ts";
import { identityOf } from "../../../sandbox/node/pod.ts";
import { refusals } from "../../../sandbox/node/refusals.ts";
import { fits } from "../../../sandbox/node/scheduler.ts";
import { hostsOf, listenersOf, loadBalancerHost } from "../../../sandbox/node/service-table.ts";
import { backOff, phaseOf, podStatus, type ContainerState } from "../../../sandbox/node/status.ts";

const container = { name: "main", image: "lifeboat/lifeboat:0.1.0" };
const pod = (spec: Partial<NonNullable<V1Pod["spec"]>>): V1Pod => ({
    metadata: { name: "p", namespace: "ns", uid: "u" },
    spec: { containers: [container], ...spec },
});
const service = (spec: NonNullable<V1Service["spec"]>, annotations: Record<string, string> = {}): V1Service => ({
    metadata: { name: "web", namespace: "orders", annotations },
    spec,
});
const slice = (addresses: string[], ready = true, ports = [{ port: 8080 }]): V1EndpointSlice => ({
    metadata: { name: "web-1", namespace: "orders", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready } })),
    ports,
});

describe("sandbox: what a node refuses", () => {
    it("runs a pod of fields that it knows", () => {
        assert.deepEqual(
            refusals(
                pod({
                    restartPolicy: "Never",
                    securityContext: { fsGroup: 1, seccompProfile: { type: "RuntimeDefault" } },
                    hostNetwork: false,
                }),
            ),
            [],
        );
    });

    it("names each field that it does not know", () => {
        const strange = pod({
            hostNetwork: true,
            volumes: [{ name: "v", hostPath: { path: "/" } }],
            containers: [
                {
                    ...container,
                    securityContext: { privileged: true, capabilities: { add: ["SYS_ADMIN"] } },
                    lifecycle: { postStart: {} },
                    livenessProbe: { grpc: { port: 1 } },
                },
            ],
        });
        assert.deepEqual(
            refusals(strange).map((line) => line.replace("the sandbox's node does not know ", "")),
            [
                "spec.hostNetwork",
                "spec.volumes[0].hostPath",
                "spec.containers[0].securityContext.privileged",
                "spec.containers[0].securityContext.capabilities.add",
                "spec.containers[0].livenessProbe.grpc",
                "spec.containers[0].lifecycle.postStart",
            ],
        );
    });

    it("has the four images and no other, whoever's library they come from", () => {
        for (const name of [
            "mariadb:10.11",
            "postgres:15",
            "docker.io/library/postgres:15",
            "lifeboat/lifeboat:0.1.0",
            "lifeboat/orders:0.1.0",
        ])
            assert.ok(imageOf(name, "/checkout"), name);
        for (const name of ["mariadb:latest", "mariadb", "nginx:1", "evil/postgres:15"])
            assert.equal(imageOf(name, "/checkout"), undefined, name);
    });

    it("knows an image's own variables, and leaves others alone", () => {
        const image = imageOf("postgres:15", "/checkout")!;
        assert.deepEqual(
            unknownVariables(image, { POSTGRES_DB: "", POSTGRES_PASSWORD_FILE: "", PGOPTIONS: "", POSTGRES_INITDB_WALDIR: "" }),
            ["POSTGRES_INITDB_WALDIR"],
        );
    });
});

describe("sandbox: who a container runs as", () => {
    const image = imageOf("mariadb:10.11", "/checkout")!;

    it("is what the pod says, else what the image says", () => {
        assert.equal(identityOf({}, image).uid, 0);
        assert.deepEqual(
            [
                identityOf({ runAsUser: 999 }, image).gid,
                identityOf({ runAsUser: 5 }, image).gid,
                identityOf({ runAsUser: 5, runAsGroup: 6 }, image).gid,
            ],
            [999, 0, 6],
        );
        assert.equal(identityOf({}, imageOf("lifeboat/orders:0.1.0", "/checkout")!).uid, 10001);
    });

    it("has the volumes' group, and fewer powers where they are dropped", () => {
        const identity = identityOf(
            { fsGroup: 7, supplementalGroups: [8], allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            image,
        );
        assert.deepEqual(identity, { uid: 0, gid: 0, groups: [7, 8], noNewPrivileges: true, dropCapabilities: true });
    });
});

describe("sandbox: an environment", () => {
    it("puts known names in, leaves unknown ones, and makes one dollar of two", () => {
        assert.equal(expand("$(A)-$(B)-$$(A)", { A: "1" }), "1-$(B)-$(A)");
    });

    it("tells of the Services of the pod's namespace", () => {
        const links = serviceLinks(
            [
                service({ clusterIP: "10.1.128.9", ports: [{ name: "http", port: 80 }] }),
                { metadata: { name: "other", namespace: "elsewhere" }, spec: { clusterIP: "10.1.128.8", ports: [{ port: 1 }] } },
            ],
            "orders",
        );
        assert.equal(links["WEB_SERVICE_HOST"], "10.1.128.9");
        assert.equal(links["WEB_SERVICE_PORT_HTTP"], "80");
        assert.equal(links["WEB_PORT_80_TCP"], "tcp://10.1.128.9:80");
        assert.equal(links["OTHER_SERVICE_HOST"], undefined);
    });

    it("has its role's five variables and token, and what was set before stays", () => {
        const account = { metadata: { annotations: { "eks.amazonaws.com/role-arn": "arn:role" } } };
        const given = withIdentity(
            pod({ containers: [{ ...container, env: [{ name: "AWS_REGION", value: "mine" }] }] }),
            account,
            "us-west-2",
        );
        const env = Object.fromEntries((given.spec!.containers[0]!.env ?? []).map(({ name, value }) => [name, value]));
        assert.deepEqual(env, {
            AWS_REGION: "mine",
            AWS_STS_REGIONAL_ENDPOINTS: "regional",
            AWS_DEFAULT_REGION: "us-west-2",
            AWS_ROLE_ARN: "arn:role",
            AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        });
        assert.equal(given.spec!.volumes?.[0]?.projected?.sources?.[0]?.serviceAccountToken?.audience, "sts.amazonaws.com");
        const plain = pod({});
        assert.equal(withIdentity(plain, {}, "us-west-2"), plain);
    });
});

describe("sandbox: Services", () => {
    const spec = { clusterIP: "10.1.128.7", type: "LoadBalancer", ports: [{ name: "https", port: 443 }] };
    const named = { name: "https", port: 8080 };

    it("have a listener on each address while a pod is ready, and none else", () => {
        const targets = [{ host: "10.1.0.2", port: 8080 }];
        assert.deepEqual(listenersOf([service(spec)], [slice(["10.1.0.2"], true, [named])], "primary"), [
            { address: "10.1.128.7", port: 443, tls: false, targets },
            { address: "10.1.129.7", port: 443, tls: false, targets },
        ]);
        assert.deepEqual(listenersOf([service(spec)], [slice(["10.1.0.2"], false, [named])], "primary"), []);
        assert.deepEqual(listenersOf([service({ ...spec, clusterIP: "None" })], [slice(["10.1.0.2"])], "primary"), []);
    });

    it("end TLS at the load balancer on the ports that name a certificate", () => {
        const tls = (annotations: Record<string, string>) =>
            listenersOf([service(spec, annotations)], [slice(["10.1.0.2"], true, [named])], "primary").map((plan) => plan.tls);
        const certificate = { "service.beta.kubernetes.io/aws-load-balancer-ssl-cert": "arn" };
        const ports = "service.beta.kubernetes.io/aws-load-balancer-ssl-ports";
        assert.deepEqual(tls({}), [false, false]);
        assert.deepEqual(tls(certificate), [false, true]);
        assert.deepEqual(tls({ ...certificate, [ports]: "443" }), [false, true]);
        assert.deepEqual(tls({ ...certificate, [ports]: "https" }), [false, true]);
        assert.deepEqual(tls({ ...certificate, [ports]: "8443" }), [false, false]);
        assert.deepEqual(tls({ [ports]: "443" }), [false, false]);
    });

    it("have a load balancer's name with the address in it", () => {
        assert.equal(loadBalancerHost(service(spec), "primary", "us-east-1"), "orders-web-0a018107.elb.us-east-1.amazonaws.com");
        assert.equal(loadBalancerHost(service({ ...spec, type: "ClusterIP" }), "primary", "us-east-1"), undefined);
    });

    it("are known by their short name in their own namespace only", () => {
        assert.deepEqual(hostsOf([service(spec)], [], "orders"), ["10.1.128.7 web web.orders web.orders.svc web.orders.svc.cluster.local"]);
        assert.deepEqual(hostsOf([service(spec)], [], "other"), ["10.1.128.7 web.orders web.orders.svc web.orders.svc.cluster.local"]);
        const headless = service({ clusterIP: "None", ports: [{ port: 1 }] });
        assert.deepEqual(hostsOf([headless], [slice(["10.1.0.5"])], "other"), [
            "10.1.0.5 web.orders web.orders.svc web.orders.svc.cluster.local",
        ]);
    });
});

describe("sandbox: how a pod stands", () => {
    const state = (change: Partial<ContainerState>): ContainerState => ({
        name: "main",
        image: "i",
        kind: "main",
        state: {},
        ready: false,
        started: false,
        restarts: 0,
        ...change,
    });
    const running = { running: { startedAt: new Date(0) } };
    const ended = (exitCode: number) => ({ terminated: { exitCode } });

    it("is pending until a main container has started, and over when all have ended for good", () => {
        assert.equal(phaseOf([state({ kind: "init", state: running }), state({ state: { waiting: {} } })], false), "Pending");
        assert.equal(phaseOf([state({ state: running })], false), "Running");
        assert.equal(phaseOf([state({ state: ended(0) }), state({ kind: "sidecar", state: ended(137) })], true), "Succeeded");
        assert.equal(phaseOf([state({ state: ended(0) }), state({ state: ended(1) })], true), "Failed");
    });

    it("is ready when every main container and sidecar is, and a condition keeps its time while it does not change", () => {
        const facts = {
            pod: pod({}),
            address: "10.1.0.2",
            hostAddress: "10.1.0.1",
            startTime: new Date(0),
            initialized: true,
            over: false,
        };
        const main = state({ state: running, ready: true, started: true });
        const condition = (containers: ContainerState[], before?: V1Pod) =>
            podStatus({ ...facts, ...(before && { pod: before }), containers }).conditions?.find(({ type }) => type === "Ready");
        assert.equal(condition([main])?.status, "True");
        assert.equal(condition([main, state({ kind: "sidecar", state: running })])?.status, "False");
        assert.equal(condition([main, state({ kind: "init", state: ended(0) })])?.status, "True");
        const since = new Date(1000);
        const before = {
            ...pod({}),
            status: {
                conditions: [
                    { type: "Ready", status: "True", lastTransitionTime: since },
                    { type: "Own", status: "True" },
                ],
            },
        };
        assert.equal(condition([main], before)?.lastTransitionTime, since);
        assert.ok(podStatus({ ...facts, pod: before, containers: [main] }).conditions?.some(({ type }) => type === "Own"));
    });

    it("waits longer after each crash, up to five minutes, and forgets after ten good ones", () => {
        const delays = [1, 2, 3, 4, 5, 6, 7].reduce<number[]>((before) => [...before, backOff(before.at(-1), 1)], []);
        assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300]);
        assert.equal(backOff(300, 600), 0);
    });
});

describe("sandbox: which machine a pod fits", () => {
    const labels = { "lifeboat.dev/pool": "system", "kubernetes.io/os": "linux" };
    const affinity = (operator: string, values: string[] = []) =>
        pod({
            affinity: {
                nodeAffinity: {
                    requiredDuringSchedulingIgnoredDuringExecution: {
                        nodeSelectorTerms: [{ matchExpressions: [{ key: "lifeboat.dev/pool", operator, values }] }],
                    },
                },
            },
        });

    it("goes by its selector and its required affinity", () => {
        assert.ok(fits(pod({}), labels));
        assert.ok(fits(pod({ nodeSelector: { "lifeboat.dev/pool": "system" } }), labels));
        assert.ok(!fits(pod({ nodeSelector: { "lifeboat.dev/pool": "workload" } }), labels));
        assert.deepEqual(
            [
                affinity("In", ["system"]),
                affinity("NotIn", ["system"]),
                affinity("Exists"),
                affinity("DoesNotExist"),
                affinity("Gt", ["1"]),
            ].map((one) => fits(one, labels)),
            [true, false, true, false, false],
        );
    });
});
