import assert from "node:assert/strict";
import { awsProvider } from "../../../sandbox/providers/aws/provider.ts";
import { kubernetesProvider } from "../../../sandbox/providers/kubernetes/provider.ts";
import type { Provider } from "../../../sandbox/providers/provider.ts";
import type { Props } from "../../../sandbox/providers/values.ts";
import { freePort } from "../../support/free-port.ts";
import { cleanUp, Workspace } from "./workspace.ts";

/** What a provider's check says of a program's inputs, as `property: reason`. */
function complaints(provider: Provider, type: string, inputs: Props): string[] {
    const subject = { urn: `urn:pulumi:s::p::${type}::n`, type, name: "n", timeoutSeconds: 0 };
    const { failures } = provider.type(type)!.check(subject, {}, inputs, new Uint8Array(16));
    return failures.map(({ property, reason }) => `${property}: ${reason}`);
}

describe("what the stand-ins refuse", () => {
    before(() => kubernetesProvider.configure({}));

    it("every property that they do not do, however deep, by its name", () => {
        const [bucket] = complaints(awsProvider, "aws:s3/bucket:Bucket", { versioning: { enabled: true } });
        assert.match(bucket!, /^versioning: the stand-in has no property "versioning" here; it has bucket, /);
        const rules = [{ id: "x", status: "Enabled", filter: { size: 1 } }];
        const lifecycle = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
        const [deep] = complaints(awsProvider, lifecycle, { bucket: "b", rules });
        assert.match(deep!, /^rules\[0\]\.filter\.size: /);
        assert.match(complaints(awsProvider, lifecycle, { rules: [] })[0]!, /needs "bucket"/);
        assert.match(complaints(awsProvider, "aws:iam/role:Role", { assumeRolePolicy: "{}", region: "us-west-2" })[0]!, /^region: /);
    });

    it("values of the wrong type or beyond what the service takes", () => {
        assert.match(complaints(awsProvider, "aws:kms/key:Key", { deletionWindowInDays: "soon" })[0]!, /must be a number, and is "soon"/);
        assert.match(complaints(awsProvider, "aws:kms/alias:Alias", { name: "x", targetKeyId: "y" })[0]!, /is named "alias\/..."/);
        const check = { type: "HTTPS", requestInterval: 15 };
        assert.match(complaints(awsProvider, "aws:route53/healthCheck:HealthCheck", check)[0]!, /10 or 30, not 15/);
        const policies = {
            zoneId: "z",
            name: "n",
            type: "A",
            ttl: 60,
            records: ["1.2.3.4"],
            failoverRoutingPolicies: [{ type: "PRIMARY" }],
        };
        assert.match(complaints(awsProvider, "aws:route53/record:Record", policies)[0]!, /needs a setIdentifier/);
    });

    it("annotations, kinds and names in Kubernetes that they do not do", () => {
        const annotated = { metadata: { annotations: { "pulumi.com/replaceUnready": "true", "pulumi.com/waitFor": "x" } } };
        const [annotation, expression] = complaints(kubernetesProvider, "kubernetes:core/v1:ConfigMap", annotated);
        assert.match(annotation!, /does not do pulumi\.com\/replaceUnready/);
        assert.match(expression!, /"x" is not understood here: take jsonpath=/);
        assert.match(
            complaints(kubernetesProvider, "kubernetes:core/v1:Namespace", { metadata: { namespace: "x" } })[0]!,
            /lives in no namespace/,
        );
        assert.match(
            complaints(kubernetesProvider, "kubernetes:core/v1:Secret", { kind: "ConfigMap" })[0]!,
            /has kind Secret, not ConfigMap/,
        );
        for (const type of [
            "kubernetes:core/v1:ConfigMapPatch",
            "kubernetes:helm.sh/v3:Release",
            "kubernetes:networking.k8s.io/v1:Ingress",
        ])
            assert.equal(kubernetesProvider.type(type), undefined);
        assert.throws(() => kubernetesProvider.configure({ enableServerSideApply: false }), /applies on the server's side only/);
    });
});

describe("what the engine shows of a refusal", function () {
    this.timeout(900_000);
    let workspace: Workspace;

    before(async () => {
        const credentials = { AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x", AWS_REGION: "us-west-2" };
        workspace = await Workspace.make({ ...credentials, AWS_ENDPOINT_URL: `http://127.0.0.1:${await freePort()}` });
    });
    after(cleanUp);

    const refused = async (source: string): Promise<string> => {
        await workspace.program(source);
        const outcome = await workspace.preview();
        assert.notEqual(outcome.code, 0, outcome.text);
        return outcome.text;
    };

    it("is the type that is not in the table, its URN and the next step", async () => {
        const text = await refused(`import * as aws from "@pulumi/aws"; new aws.sns.Topic("topic", {});`);
        assert.match(text, /the aws stand-in has no type aws:sns\/topic:Topic/);
        assert.match(text, /resource: urn:pulumi:test::probe::aws:sns\/topic:Topic::topic/);
        assert.match(text, /next: /);
    });

    it("is the property, the setting, the function", async () => {
        const property = await refused(`import * as aws from "@pulumi/aws"; new aws.s3.Bucket("b", { acl: "private" });`);
        assert.match(property, /resource 'b': property acl value .* has a problem: the stand-in has no property "acl" here/);
        const setting = await refused(`
            import * as k8s from "@pulumi/kubernetes";
            new k8s.Provider("yaml", { renderYamlToDirectory: "x" });`);
        assert.match(setting, /no setting "renderYamlToDirectory"/);
        const unknown = await refused(`import * as aws from "@pulumi/aws"; await aws.getAvailabilityZones({});`);
        assert.match(unknown, /the aws stand-in has no function aws:index\/getAvailabilityZones:getAvailabilityZones/);
    });

    it("is the region that does not answer, within the minute", async () => {
        await workspace.program(`import * as aws from "@pulumi/aws"; new aws.s3.Bucket("b", {});`);
        const { code, text } = await workspace.pulumi("up", "--yes", "--skip-preview");
        assert.notEqual(code, 0);
        assert.match(text, /aws:s3\/bucket:Bucket "b" could not be created: .*ECONNREFUSED/);
        assert.match(text, /next: the region's endpoint does not answer/);
        assert.doesNotMatch(text, /Duration: .*m/);
    });
});
