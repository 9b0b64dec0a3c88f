import assert from "node:assert/strict";
import fc from "fast-check";
import { managed, managedObject } from "../../../sandbox/providers/kubernetes/managed.ts";
import { kindOf, needsNew } from "../../../sandbox/providers/kubernetes/kinds.ts";
import { parseWaitFor, waitingFor } from "../../../sandbox/providers/kubernetes/wait-for.ts";
import { differences, within } from "../../../sandbox/providers/differences.ts";
import type { Value } from "../../../sandbox/providers/values.ts";

const leaf = fc.oneof(fc.string({ minLength: 1 }), fc.integer({ min: 1 }), fc.constant(true));
const tree = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie("value"), { maxKeys: 3, noNullPrototype: true }),
    ),
})).value;

describe("the fields that we manage", () => {
    it("are none of others' additions", () => {
        fc.assert(fc.property(tree, (given) => assert.deepEqual(managed(given, given), given)));
        assert.deepEqual(managed({ spec: { a: 1 } }, { spec: { a: 1, b: 2 }, status: {} }), { spec: { a: 1 } });
        const containers = [{ name: "x", image: "i", ports: [{ containerPort: 80 }] }];
        const live = [
            { name: "injected", image: "j" },
            { name: "x", image: "i", ports: [{ containerPort: 80, protocol: "TCP" }], terminationMessagePath: "/dev" },
        ];
        assert.deepEqual(managed(containers, live), containers);
    });

    it("keep the program's spelling where the API's means the same", () => {
        assert.equal(managed("1000m", "1"), "1000m");
        assert.equal(managed("0.5Gi", "512Mi"), "0.5Gi");
        assert.equal(managed("1024Mi", "1Gi"), "1024Mi");
        assert.equal(managed("1Gi", "1G"), "1G");
        assert.deepEqual(managed({ env: [{ name: "A", value: "" }] }, { env: [{ name: "A" }] }), { env: [{ name: "A", value: "" }] });
    });

    it("show what somebody took away or changed", () => {
        assert.deepEqual(managed({ a: 1, b: 2 }, { a: 1 }), { a: 1 });
        assert.deepEqual(managed(["a", "b"], ["a"]), ["a"]);
        assert.deepEqual(managed({ replicas: 0 }, { replicas: 2 }), { replicas: 2 });
    });

    it("read a Secret's stringData from its data", () => {
        const data = { a: Buffer.from("x").toString("base64") };
        assert.deepEqual(managedObject({ stringData: { a: "x" } }, { data }), { stringData: { a: "x" } });
        assert.deepEqual(managedObject({ stringData: { a: "y", b: "z" } }, { data }), { stringData: { a: "x" } });
    });
});

describe("a kind of object", () => {
    it("is told from the type", () => {
        assert.deepEqual(kindOf("kubernetes:core/v1:Secret"), { apiVersion: "v1", kind: "Secret" });
        assert.deepEqual(kindOf("kubernetes:rbac.authorization.k8s.io/v1:Role"), {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "Role",
        });
        for (const refused of [
            "kubernetes:helm.sh/v3:Release",
            "kubernetes:core/v1:PodList",
            "kubernetes:core/v1:PodPatch",
            "kubernetes:yaml:ConfigFile",
        ])
            assert.equal(kindOf(refused), undefined);
    });

    it("must be made anew where the API server refuses a change, and there only", () => {
        const replaced = (kind: string, path: string, mutable = false) =>
            needsNew(
                { apiVersion: kind === "StatefulSet" ? "apps/v1" : "v1", kind },
                { path, kind: "update" },
                { enableConfigMapMutable: mutable, enableSecretMutable: mutable },
            );
        assert.ok(replaced("StatefulSet", "spec.volumeClaimTemplates[0].spec.resources.requests.storage"));
        assert.ok(replaced("StatefulSet", "metadata.name"));
        assert.ok(!replaced("StatefulSet", "spec.replicas"));
        assert.ok(!replaced("StatefulSet", "spec.template.spec.containers[0].image"));
        assert.ok(replaced("ConfigMap", 'data["my.cnf"]'));
        assert.ok(!replaced("ConfigMap", 'data["my.cnf"]', true));
        assert.ok(!replaced("ConfigMap", "metadata.labels.x"));
    });
});

describe("the annotation pulumi.com/waitFor", () => {
    const live = {
        status: { phase: "Up", loadBalancer: { ingress: [{ hostname: "x" }] }, conditions: [{ type: "Ready", status: "True" }] },
    };

    it("waits for a field, a value, a condition, or several of them", () => {
        for (const there of [
            "jsonpath={.status.loadBalancer.ingress[0].hostname}",
            "jsonpath={.status.phase}=Up",
            "condition=Ready",
            '["condition=ready","jsonpath={.status.phase}"]',
        ])
            assert.equal(waitingFor(there, live), undefined, there);
        for (const absent of [
            "jsonpath={.status.loadBalancer.ingress[1].hostname}",
            "jsonpath={.status.phase}=Down",
            "condition=Ready=False",
            '["condition=Ready","jsonpath={.x}"]',
        ])
            assert.match(waitingFor(absent, live) ?? "", /^waiting for /, absent);
    });

    it("is refused when it says more than is understood", () => {
        for (const beyond of ["jsonpath={.a[?(@.b)]}", "jsonpath=.a", "ready", "[]"])
            assert.throws(() => parseWaitFor(beyond), Error, beyond);
    });
});

describe("differences", () => {
    it("are none between equals, and lead to what differs", () => {
        fc.assert(fc.property(tree, (value) => assert.deepEqual([...differences(value, structuredClone(value))], [])));
        assert.deepEqual(
            [...differences({ a: [{ "b.c": 1 }], d: 1 }, { a: [{ "b.c": 2 }], e: 1 })],
            [
                { path: 'a[0]["b.c"]', kind: "update" },
                { path: "d", kind: "delete" },
                { path: "e", kind: "add" },
            ],
        );
    });

    it("lie within the prefixes of ignoreChanges", () => {
        assert.ok(within("spec.replicas", "spec.replicas"));
        assert.ok(within('metadata.annotations["a.b"]', "metadata.annotations"));
        assert.ok(within("rules[3].status", "rules[*].status"));
        assert.ok(!within("spec.replicasets", "spec.replicas"));
        assert.ok(!within("spec", "spec.replicas"));
    });
});
