import assert from "node:assert/strict";
import { Cluster } from "../../../sandbox/providers/kubernetes/cluster.ts";
import { freePort } from "../../support/free-port.ts";
import { cleanUp, startCluster, Workspace, type Outcome } from "./workspace.ts";

const waiting = (limit: number) => `
import * as k8s from "@pulumi/kubernetes";
const labels = { app: "stuck" };
const metadata = { name: "stuck", annotations: { "pulumi.com/timeoutSeconds": "${limit}" } };
const spec = { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: "x", image: "x" }] } } };
new k8s.apps.v1.Deployment("stuck", { metadata, spec });
new k8s.core.v1.Service("stuck", { metadata, spec: { selector: labels, ports: [{ port: 80 }] } });
new k8s.batch.v1.Job("stuck", { metadata, spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "x", image: "x" }] } } } });
`;

describe("the kubernetes stand-in, under the real engine and a real API server", function () {
    this.timeout(900_000);
    const ran: Record<string, Outcome> = {};
    let outputs: Record<string, unknown>;
    let first: string;
    let second: Record<string, unknown>;

    before(async () => {
        const { kubeconfig, env } = await startCluster();
        const cluster = new Cluster({ kubeconfig, context: "standby" });
        const workspace = await Workspace.make(env);
        await workspace.program("kubernetes.js");
        ran["preview"] = await workspace.preview();
        ran["up"] = await workspace.up();
        outputs = await workspace.outputs();
        first = await workspace.exported();
        ran["refresh"] = await workspace.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes");
        ran["again"] = await workspace.preview("--expect-no-changes");

        await workspace.succeed("config", "set", "edition", "2");
        ran["preview of an update"] = await workspace.preview();
        ran["update"] = await workspace.up();
        second = await workspace.outputs();

        // Somebody else: a field of theirs, which is no drift of ours, and one of ours.
        const path = "/apis/batch/v1/namespaces/estate/cronjobs/backup-orders";
        const patch = (body: object) =>
            cluster.call("PATCH", path, { body, type: "application/merge-patch+json", query: { fieldManager: "somebody" } });
        await patch({ metadata: { labels: { theirs: "yes" } } });
        ran["their own"] = await workspace.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes");
        await patch({ spec: { suspend: true } });
        ran["drift"] = await workspace.pulumi("refresh", "--preview-only", "--diff");
        ran["destroy"] = await workspace.destroy();

        const stuck = await Workspace.make(env);
        await stuck.program(waiting(3));
        ran["stuck"] = await stuck.pulumi("up", "--yes", "--skip-preview");
        ran["still stuck"] = await stuck.preview();
    });
    after(cleanUp);
    const text = (name: string): string => ran[name]!.text;

    it("previews without speaking to a cluster, with what the cluster will say unknown", async () => {
        const nowhere = await Workspace.make({ KUBECONFIG: `/nonexistent/${await freePort()}` });
        await nowhere.program("kubernetes.js");
        const outcome = await nowhere.preview();
        assert.equal(outcome.code, 0, outcome.text);
        assert.match(outcome.text, /uid\s*: \[unknown\]/);
        assert.match(outcome.text, /clusterIP\s*: \[unknown\]/);
    });

    it("applies, names what has no name, and answers the live object", () => {
        assert.match(String(outputs["configName"]), /^config-[0-9a-f]{8}$/);
        assert.match(String(outputs["uid"]), /^[0-9a-f-]{36}$/);
        assert.match(String(outputs["clusterIP"]), /^10\.2\.128\./);
        assert.equal(outputs["generation"], 1);
    });

    it("sees neither change nor drift after an up, whatever the cluster filled in", () => {
        assert.equal(ran["refresh"]!.code, 0, text("refresh"));
        assert.equal(ran["again"]!.code, 0, text("again"));
        assert.equal(ran["their own"]!.code, 0, text("their own"));
    });

    it("updates in place, and makes anew what cannot be changed", () => {
        assert.match(text("preview of an update"), /~ kubernetes:apps\/v1:Deployment: \(update\)/);
        assert.match(text("preview of an update"), /~ suspend: true => false/);
        assert.match(text("preview of an update"), /kubernetes:core\/v1:ConfigMap: \(replace\)/);
        assert.equal(second["uid"], outputs["uid"]);
        assert.equal(second["generation"], 2);
        assert.notEqual(second["configName"], outputs["configName"]);
    });

    it("sees a field of ours that somebody else changed", () => {
        assert.match(text("drift"), /suspend: false => true/);
    });

    it("keeps a Secret's content out of the state's plain text", () => {
        const state = JSON.parse(first) as {
            deployment: { resources: { type: string; outputs?: Record<string, Record<string, unknown>> }[] };
        };
        const secret = state.deployment.resources.find(({ type }) => type === "kubernetes:core/v1:Secret")!;
        assert.ok(secret.outputs!["data"]!["ciphertext"], "data is not encrypted");
        assert.ok(!/"stringData":\s*\{\s*"app"/.test(first), "stringData stands in the state's plain text");
        const password = state.deployment.resources.find(({ type }) => type === "random:index/randomPassword:RandomPassword")!;
        assert.ok(password.outputs!["result"]!["ciphertext"], "the password is not encrypted");
    });

    it("deletes, and waits until it is gone", () => {
        assert.equal(ran["destroy"]!.code, 0, text("destroy"));
    });

    it("waits for what the official provider waits for, and gives up at the limit", () => {
        assert.notEqual(ran["stuck"]!.code, 0);
        assert.match(
            text("stuck"),
            /Deployment "stuck" could not be created: not ready after 3 s: 0 of 1 pods of the Deployment are ready/,
        );
        assert.match(text("stuck"), /Service "stuck" could not be created: not ready after 3 s: the Service does not target any Pods/);
        assert.match(text("stuck"), /Job "stuck" could not be created: not ready after 3 s: the Job has not completed/);
        assert.match(text("stuck"), /resource: urn:pulumi:test::probe::kubernetes:apps\/v1:Deployment::stuck/);
    });

    it("keeps what did not become ready in the state, to wait for it again and not to make it twice", () => {
        assert.match(text("still stuck"), /~ kubernetes:apps\/v1:Deployment: \(update\)/);
        assert.doesNotMatch(text("still stuck"), /\(create\)/);
    });
});
