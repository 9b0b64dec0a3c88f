import assert from "node:assert/strict";
import { names } from "../../model/names.ts";
import { judgePromotion, promotionTargets, type PreviewStep } from "../../model/promotion.ts";
import { account, type Recording, type Registered } from "../support/program.ts";
import { estate, stand, type standbyIds } from "./stand.ts";

interface Pod {
    serviceAccountName?: string;
    securityContext: { runAsNonRoot: boolean; runAsUser: number };
    initContainers?: Container[];
    containers: Container[];
}
interface Container {
    name: string;
    image: string;
    args?: string[];
    env?: { name: string; value?: string; valueFrom?: unknown }[];
    securityContext: { allowPrivilegeEscalation: boolean };
    resources: { requests: object; limits: object };
}

/** Every pod template of a site, by the name of its owner. */
function pods({ resources }: Recording<unknown>): [string, Pod][] {
    return resources.flatMap(({ type, inputs }): [string, Pod][] => {
        const name = (inputs["metadata"] as { name: string } | undefined)?.name ?? "";
        const spec = inputs["spec"] as { template?: { spec: Pod }; jobTemplate?: { spec: { template: { spec: Pod } } } } | undefined;
        if (type === "kubernetes:apps/v1:StatefulSet" || type === "kubernetes:apps/v1:Deployment") return [[name, spec!.template!.spec]];
        return type === "kubernetes:batch/v1:CronJob" ? [[name, spec!.jobTemplate!.spec.template.spec]] : [];
    });
}

describe("both sites", function () {
    this.timeout(120_000);
    const passes = [
        ["dr, first pass", () => stand("dr", { active: false })],
        ["dr, second pass", () => stand("dr", { active: false, joined: true })],
        ["prod", () => stand("prod", { active: true })],
    ] as const;

    for (const [which, standing] of passes)
        describe(which, () => {
            let site: Recording<unknown>;
            before(async () => {
                site = await standing();
            });

            it("names every child after its parent", () => {
                for (const { name, parent } of site.resources) if (parent) assert.ok(name.startsWith(parent), `${name} in ${parent}`);
            });
            it("gives every AWS and Kubernetes resource a provider, and with it a region", () => {
                for (const { type, name, provider, custom } of site.resources)
                    if (custom && /^(aws|kubernetes):/.test(type))
                        assert.ok(provider && !provider.startsWith("default"), `${type} ${name}`);
            });
            it("runs no container as root, with privileges, or without bounds", () => {
                const all = pods(site);
                assert.ok(all.length >= 5);
                for (const [name, pod] of all) {
                    assert.ok(pod.securityContext.runAsNonRoot && pod.securityContext.runAsUser > 0, name);
                    for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
                        assert.equal(container.securityContext.allowPrivilegeEscalation, false, `${name}/${container.name}`);
                        assert.ok(container.resources.requests && container.resources.limits, `${name}/${container.name}`);
                    }
                }
            });
            it("puts no password into an environment, an argument or a ConfigMap", () => {
                for (const [name, pod] of pods(site))
                    for (const { env = [], args = [] } of [...(pod.initContainers ?? []), ...pod.containers]) {
                        for (const { name: variable, value, valueFrom } of env) {
                            // The pod's own address is known to nobody before; nothing else comes from elsewhere.
                            assert.deepEqual(Object.keys(valueFrom ?? { fieldRef: {} }), ["fieldRef"], `${name} ${variable}`);
                            if (variable.includes("PASSWORD"))
                                assert.match(value ?? "", /^\/etc\/lifeboat\/stores\//, `${name} ${variable}`);
                        }
                        assert.ok(!args.some((argument) => /generated-|secret-/.test(argument)), name);
                    }
                for (const { inputs } of site.all("kubernetes:core/v1:ConfigMap"))
                    assert.doesNotMatch(JSON.stringify(inputs), /generated-|secret-/);
            });
            it("keeps every password secret in the state", () => {
                const plainly = (value: unknown): string =>
                    JSON.stringify(value, (_, inner: unknown) =>
                        typeof inner === "object" && inner !== null && "4dabf18193072939515e22adb298388d" in inner ? "[secret]" : inner,
                    ) ?? "";
                for (const { type, name, inputs } of site.resources)
                    assert.doesNotMatch(plainly(inputs), /generated-|secret-(root|app)/, `${type} ${name}`);
            });
            it("takes every role from a ServiceAccount of its own", () => {
                const accounts = new Map(
                    site
                        .all("kubernetes:core/v1:ServiceAccount")
                        .map(({ inputs }) => inputs["metadata"] as { name: string; annotations: Record<string, string> })
                        .map(({ name, annotations }) => [name, annotations["eks.amazonaws.com/role-arn"]]),
                );
                assert.equal(new Set(accounts.values()).size, accounts.size);
                for (const [name, pod] of pods(site))
                    if (pod.serviceAccountName !== undefined)
                        assert.ok(accounts.get(pod.serviceAccountName), `${name}: ${pod.serviceAccountName}`);
            });
        });
});

describe("the standby", function () {
    this.timeout(120_000);

    it("asks nothing of anybody, and has one provider, of its own region", async () => {
        const { invokes, all } = await stand("dr", { active: false, joined: true });
        assert.deepEqual(invokes, []);
        assert.deepEqual(
            all("pulumi:providers:aws").map(({ inputs }) => inputs["region"]),
            ["us-west-2"],
        );
    });
    it("mentions the primary's region in derived names and in the secrets' copies alone", async () => {
        const { resources } = await stand("dr", { active: false, joined: true });
        const derived = names(estate, account);
        const known = [
            derived.siteServiceHost("shop", "primary"),
            derived.vaultBucket("primary"), // what the expirer may tag
            '{"region":"us-east-1"}', // a secret's replica
        ];
        for (const { type, name, inputs } of resources) {
            const rest = known.reduce((text, each) => text.replaceAll(each, ""), JSON.stringify(inputs));
            assert.ok(!rest.includes("us-east-1"), `${type} ${name}: ${rest}`);
        }
    });
    it("has servers only once there is a peer to copy from, or when it is active itself", async () => {
        const replicas = async (o: { active: boolean; joined: boolean }) =>
            (await stand("dr", o))
                .all("kubernetes:apps/v1:StatefulSet")
                .map(({ inputs }) => (inputs["spec"] as { replicas: number }).replicas);
        assert.deepEqual(await replicas({ active: false, joined: false }), [0, 0]);
        assert.deepEqual(await replicas({ active: false, joined: true }), [1, 1]);
        assert.deepEqual(await replicas({ active: true, joined: false }), [1, 1]);
    });
    it("changes by a promotion only what is on the list: pods, schedules and node capacity", async () => {
        const [passive, active] = [await stand("dr", { active: false, joined: true }), await stand("dr", { active: true, joined: true })];
        const steps = difference(passive.resources, active.resources);
        const { allowed, forbidden } = judgePromotion({ steps });
        assert.deepEqual(forbidden, []);
        assert.deepEqual(allowed.map((urn) => urn.split("::").at(-1)).sort(), [
            "shop-deployment",
            "shop-mysql-schedule-backup",
            "shop-postgres-schedule-backup",
            "workload-nodes-group",
        ]);
        assert.deepEqual(promotionTargets({ steps }), allowed);
    });
    it("publishes what the primary cannot derive", async () => {
        const { one } = await stand("dr", { active: false });
        const published = JSON.parse(one("aws:s3/bucketObjectv2:BucketObjectv2").inputs["content"] as string) as typeof standbyIds;
        assert.equal(published.zoneId, "Z123");
        assert.deepEqual(Object.keys(published.envelopeKeyArns), ["shop-mysql", "shop-postgres"]);
    });
});

describe("the primary", function () {
    this.timeout(120_000);

    it("reads its own region's copies of the passwords, and its resources stand there, but for what it tells the standby", async () => {
        const { invokes, resources } = await stand("prod", { active: true });
        assert.deepEqual(
            invokes.map(({ token, provider }) => [token, provider]),
            Array(2).fill(["aws:secretsmanager/getSecretVersion:getSecretVersion", "primary"]),
        );
        assert.deepEqual(
            resources.filter(({ provider }) => provider === "standby-region").map(({ name }) => name),
            ["published-object"],
        );
    });
    it("stands passive after an activation elsewhere: no pods, no nodes, no backups, and nothing destroyed", async () => {
        const [active, passive] = [await stand("prod", { active: true }), await stand("prod", { active: false })];
        const steps = difference(active.resources, passive.resources);
        assert.deepEqual(judgePromotion({ steps }).forbidden, []);
        const spec = (type: string) => passive.all(type).map(({ inputs }) => inputs["spec"] as { replicas?: number; suspend?: boolean });
        assert.deepEqual(
            spec("kubernetes:apps/v1:Deployment").map(({ replicas }) => replicas),
            [0],
        );
        assert.deepEqual(
            spec("kubernetes:batch/v1:CronJob").map(({ suspend }) => suspend),
            [true, true, true, true],
        );
        assert.equal(passive.one("aws:autoscaling/group:Group").inputs["minSize"], 0);
    });
    it("has the same database pods as the standby, but for the server's number", async () => {
        const servers = async (which: "prod" | "dr") =>
            new Map(pods(await stand(which, { active: which === "prod", joined: true })).filter(([name]) => name in estate.stores));
        const [here, there] = [await servers("prod"), await servers("dr")];
        for (const store of Object.keys(estate.stores)) {
            const neutral = (pod: Pod | undefined) =>
                JSON.stringify(pod)
                    .replace(/--server-id=\d/, "")
                    .replaceAll(/"(primary|standby)"/g, '"site"');
            assert.equal(neutral(here.get(store)), neutral(there.get(store)));
        }
    });
});

/** What `pulumi preview` would show between two registrations of one program. */
function difference(before: readonly Registered[], after: readonly Registered[]): PreviewStep[] {
    const key = ({ type, name }: Registered) => `urn:pulumi:dr::lifeboat::${type}::${name}`;
    const old = new Map(before.map((resource) => [key(resource), resource.inputs]));
    const now = new Map(after.map((resource) => [key(resource), resource.inputs]));
    return [...new Set([...old.keys(), ...now.keys()])].map((urn) => {
        const [oldInputs, newInputs] = [old.get(urn), now.get(urn)];
        const op = !oldInputs
            ? "create"
            : !newInputs
              ? "delete"
              : JSON.stringify(oldInputs) === JSON.stringify(newInputs)
                ? "same"
                : "update";
        return { op, urn, oldState: { inputs: oldInputs }, newState: { inputs: newInputs } };
    });
}
