import assert from "node:assert/strict";
import { s3, route53 } from "@pulumi/aws";
import * as kubernetes from "@pulumi/kubernetes";
import { rules } from "../../policies/rules.ts";
import { unknown, type Plain, type Resource } from "../../policies/stack.ts";
import { estate } from "../stacks/stand.ts";
import { bucket, resource, stack } from "./cases.ts";

/** Type tokens of all resources in a module of an SDK and in the modules below it. */
function tokens(module: object): string[] {
    return Object.entries(module).flatMap(([name, member]: [string, unknown]) => {
        const token = (member as { __pulumiType?: unknown } | undefined)?.__pulumiType;
        if (typeof token === "string") return [token];
        // Modules are small letters; anything else (a mixin, an enum) holds no resources.
        return typeof member === "object" && member !== null && /^[a-z]/.test(name) ? tokens(member) : [];
    });
}

const verdicts = (...resources: Resource[]) => JSON.stringify(rules(estate).map((rule) => rule.judge(stack(...resources))));

/** Types of S3 of which no rule says anything, without their versions. Whoever adds one here has looked whether a rule should judge it. */
const nothingToJudge = [
    "BucketAbac",
    "BucketAccelerateConfiguration",
    "BucketAcl",
    "BucketCorsConfiguration",
    "BucketIntelligentTieringConfiguration",
    "BucketLifecycleConfiguration",
    "BucketMetadataConfiguration",
    "BucketMetric",
    "BucketNotification",
    "BucketObject",
    "BucketOwnershipControls",
    "BucketPublicAccessBlock",
    "BucketRequestPaymentConfiguration",
    "BucketWebsiteConfiguration",
];

const nameOf = (token: string) => token.split(":").at(-1)!;

describe("the types that rules judge", () => {
    const ofBuckets = tokens(s3).filter((token) => nameOf(token).startsWith("Bucket"));

    it("are all of S3's that begin with Bucket, but for those that have nothing to judge", () => {
        assert.ok(ofBuckets.includes("aws:s3/bucketV2:BucketV2"));
        assert.ok(ofBuckets.includes("aws:s3/bucketVersioningV2:BucketVersioningV2"));
        const vault = bucket("vault");
        const changes = (token: string) => {
            if (/:Bucket(V2)?$/.test(token)) return verdicts(resource(token, "vault")) !== verdicts();
            const setting = resource(token, "setting", { versioningConfiguration: unknown, rules: unknown }, { bucket: [vault] });
            const more: Record<string, Plain> = { rule: unknown, policy: unknown, targetBucket: vault.props["bucket"] };
            return verdicts(vault, { ...setting, props: { ...setting.props, ...more } }) !== verdicts(vault);
        };
        const judgedOrListed = Object.fromEntries(
            ofBuckets.map((token) => [token, changes(token) !== nothingToJudge.includes(nameOf(token).replace(/V2$/i, ""))]),
        );
        assert.deepEqual(judgedOrListed, Object.fromEntries(ofBuckets.map((token) => [token, true])));
    });

    for (const kind of ["CronJob", "StatefulSet"])
        it(`are every version of ${kind}, its patches and its lists`, () => {
            const found = tokens(kubernetes).filter((token) => new RegExp(`^${kind}(Patch|List)?$`).test(nameOf(token)));
            assert.ok(found.length >= 9, found.join(" "));
            const object = {
                spec: { concurrencyPolicy: "Allow", persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" } },
            };
            for (const token of found) {
                const props = token.endsWith("List") ? { items: [{}, object] } : object;
                assert.match(verdicts(resource(token, "it", props)), /"broken"/, token);
                assert.match(
                    verdicts(resource(token, "it", token.endsWith("List") ? { items: unknown } : { spec: unknown })),
                    /cannot tell yet/,
                    token,
                );
            }
        });

    it("say nothing of what a patch leaves as it is", () => {
        for (const token of ["kubernetes:batch/v1:CronJobPatch", "kubernetes:apps/v1:StatefulSetPatch"])
            assert.doesNotMatch(verdicts(resource(token, "it", { spec: {} })), /"broken"/, token);
    });

    it("are both that make records of Route 53", () => {
        const found = tokens(route53).filter((token) => /^Record/.test(nameOf(token)));
        assert.deepEqual(found.sort(), ["aws:route53/record:Record", "aws:route53/recordsExclusive:RecordsExclusive"]);
        const props = { failoverRoutingPolicies: [{ type: "PRIMARY" }], resourceRecordSets: [{ failover: "PRIMARY" }] };
        for (const token of found) assert.match(verdicts(resource(token, "it", props)), /"broken"/, token);
    });
});
