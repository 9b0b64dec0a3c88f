import assert from "node:assert/strict";
import { awaits } from "../../../sandbox/providers/kubernetes/awaits.ts";
import type { Props } from "../../../sandbox/providers/values.ts";

interface Around {
    /** Objects that a list answers, by kind. */
    lists?: Record<string, Props[]>;
    found?: Props;
    settled?: boolean;
}
/** Why an object is not ready, with this around it; undefined when it is. */
async function why(kind: string, live: Props, { lists = {}, found, settled = true }: Around = {}): Promise<string | undefined> {
    return awaits[kind]!.waiting(live, {
        list: (_version, of) => Promise.resolve(lists[of] ?? []),
        find: () => Promise.resolve(found),
        settled: () => settled,
    });
}
const conditions = (...types: string[]) => types.map((type) => ({ type, status: "True", reason: "NewReplicaSetAvailable" }));

describe("when an object counts as ready", () => {
    const deployment = (status: Props, replicas = 2): Props => ({ metadata: { generation: 3 }, spec: { replicas }, status });
    const rolled = {
        observedGeneration: 3,
        replicas: 2,
        updatedReplicas: 2,
        readyReplicas: 2,
        conditions: conditions("Available", "Progressing"),
    };

    it("a Deployment: its controller has seen it, it is rolled out and available", async () => {
        assert.equal(await why("apps/v1 Deployment", deployment(rolled)), undefined);
        assert.equal(
            await why("apps/v1 Deployment", deployment({ observedGeneration: 3, conditions: conditions("Available", "Progressing") }, 0)),
            undefined,
        );
        for (const not of [
            { observedGeneration: 2 },
            { readyReplicas: 1 },
            { updatedReplicas: 1 },
            { replicas: 3 },
            { conditions: conditions("Progressing") },
        ])
            assert.match(
                (await why("apps/v1 Deployment", deployment({ ...rolled, ...not }))) ?? "",
                /of 2 pods of the Deployment are ready/,
            );
    });

    it("a Deployment says what is wrong with its pods", async () => {
        const state = { waiting: { reason: "ErrImagePull", message: "no such image" } };
        const pod = { metadata: { name: "p" }, status: { containerStatuses: [{ name: "c", state }] } };
        const message = await why("apps/v1 Deployment", deployment({ observedGeneration: 3 }), { lists: { Pod: [pod] } });
        assert.equal(message, "0 of 2 pods of the Deployment are ready; pod p, container c: ErrImagePull no such image");
    });

    it("a StatefulSet: all its pods are ready, and of one revision", async () => {
        const status = {
            observedGeneration: 1,
            replicas: 1,
            readyReplicas: 1,
            currentReplicas: 1,
            currentRevision: "a",
            updateRevision: "a",
        };
        const set = (more: Props): Props => ({ metadata: { generation: 1 }, spec: { replicas: 1 }, status: { ...status, ...more } });
        assert.equal(await why("apps/v1 StatefulSet", set({})), undefined);
        for (const not of [{ readyReplicas: 0 }, { updateRevision: "b" }, { observedGeneration: 0 }, { replicas: 2 }])
            assert.match((await why("apps/v1 StatefulSet", set(not))) ?? "", /pods of the StatefulSet are ready/);
    });

    it("a Service: an address for a load balancer, and pods behind it that have settled", async () => {
        const slices = { EndpointSlice: [{ endpoints: [{ addresses: ["10.1.1.1"] }] }] };
        const plain = { metadata: { name: "s" }, spec: {} };
        const balanced = { metadata: { name: "s" }, spec: { type: "LoadBalancer" }, status: { loadBalancer: {} } };
        const given = { ...balanced, status: { loadBalancer: { ingress: [{ hostname: "x" }] } } };
        assert.equal(await why("v1 Service", plain, { lists: slices }), undefined);
        assert.match((await why("v1 Service", plain, { lists: slices, settled: false })) ?? "", /settling \(10 s\)/);
        assert.match((await why("v1 Service", plain)) ?? "", /does not target any Pods/);
        assert.match((await why("v1 Service", balanced, { lists: slices })) ?? "", /was not allocated an address/);
        assert.match((await why("v1 Service", given)) ?? "", /does not target any Pods/);
        assert.equal(await why("v1 Service", given, { lists: slices }), undefined);
        assert.equal(await why("v1 Service", { ...plain, spec: { clusterIP: "None" } }), undefined);
        assert.equal(await why("v1 Service", { ...plain, spec: { type: "ExternalName" } }), undefined);
    });

    it("a Job: complete; one that failed never is, and one that is suspended is not waited for", async () => {
        assert.equal(await why("batch/v1 Job", { status: { conditions: conditions("Complete") } }), undefined);
        assert.equal(await why("batch/v1 Job", { spec: { suspend: true } }), undefined);
        assert.match((await why("batch/v1 Job", { status: { failed: 2 } })) ?? "", /0 succeeded, 2 failed/);
        const failed = { type: "Failed", status: "True", reason: "BackoffLimitExceeded", message: "reached" };
        await assert.rejects(
            async () => why("batch/v1 Job", { status: { conditions: [failed] } }),
            /the Job failed: BackoffLimitExceeded reached/,
        );
    });

    it("a claim: bound, or waiting for the first pod that wants it where its class says so", async () => {
        const pending = { spec: { storageClassName: "c" }, status: { phase: "Pending" } };
        assert.equal(await why("v1 PersistentVolumeClaim", { status: { phase: "Bound" } }), undefined);
        assert.equal(await why("v1 PersistentVolumeClaim", pending, { found: { volumeBindingMode: "WaitForFirstConsumer" } }), undefined);
        assert.match(
            (await why("v1 PersistentVolumeClaim", pending, { found: { volumeBindingMode: "Immediate" } })) ?? "",
            /is Pending, not Bound/,
        );
    });

    it("is given up after the official provider's limits", () => {
        for (const kind of ["apps/v1 Deployment", "apps/v1 StatefulSet", "v1 Service", "batch/v1 Job", "v1 Pod"])
            assert.equal(awaits[kind]!.limit, 600);
        assert.equal(awaits["v1 PersistentVolumeClaim"]!.limit, 300);
    });
});
