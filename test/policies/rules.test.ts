import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { cronjobOverlap } from "../../policies/cronjob-overlap.ts";
import { failoverRecord } from "../../policies/failover-record.ts";
import { noPrimaryLookup } from "../../policies/no-primary-lookup.ts";
import { plain } from "../../policies/pack.ts";
import { rules } from "../../policies/rules.ts";
import { statefulsetClaims } from "../../policies/statefulset-claims.ts";
import { unknown, type Plain, type Resource } from "../../policies/stack.ts";
import { estate } from "../stacks/stand.ts";
import { answers, because, resource } from "./cases.ts";

describe("the policy pack", () => {
    it("has these nine rules, one a file", () => {
        const names = rules(estate).map(({ name }) => name);
        assert.deepEqual(names, [
            "bucket-encryption",
            "bucket-lock",
            "bucket-replication",
            "bucket-tls-only",
            "bucket-versioning",
            "cronjob-overlap",
            "failover-record",
            "no-primary-lookup",
            "statefulset-claims",
        ]);
        const files = readdirSync(new URL("../../policies", import.meta.url));
        for (const name of names) assert.ok(files.includes(`${name}.ts`), name);
    });

    it("reads what the SDK throws at as unknown, and passes on every other error", () => {
        class UnknownValueError extends Error {}
        const throwing = (error: Error) =>
            Object.defineProperty({ known: 1 }, "made", {
                enumerable: true,
                get: () => {
                    throw error;
                },
            });
        assert.deepEqual(plain({ deep: [throwing(new UnknownValueError("no"))] }), { deep: [{ known: 1, made: unknown }] });
        assert.throws(() => plain(throwing(new Error("broken"))), /broken/);
    });
});

describe("failover-record", () => {
    const record = (props: Record<string, Plain>, checked = false) => {
        const check = resource("aws:route53/healthCheck:HealthCheck", "check");
        return resource(
            "aws:route53/record:Record",
            "record",
            { failoverRoutingPolicies: [{ type: "PRIMARY" }], ttl: 60, ...props },
            checked ? { healthCheckId: [check] } : {},
        );
    };
    it("is content with a health check and a minute", () => {
        assert.deepEqual(answers(failoverRecord, record({ healthCheckId: "hc" })), { record: "holds" });
        assert.deepEqual(answers(failoverRecord, record({ healthCheckId: unknown }, true)), { record: "holds" });
    });
    it("refuses a record without health check, and one that is kept too long", () => {
        assert.deepEqual(answers(failoverRecord, record({})), { record: "broken" });
        assert.deepEqual(answers(failoverRecord, record({ healthCheckId: "hc", ttl: 61 })), { record: "broken" });
        assert.match(because(failoverRecord, "record", record({ healthCheckId: "hc", ttl: 300 })), /300 s/);
    });
    it("is content with an alias that follows its target's health, and with no other alias alone", () => {
        const alias = (evaluateTargetHealth: Plain) => record({ ttl: undefined, aliases: [{ name: "lb", evaluateTargetHealth }] });
        assert.deepEqual(answers(failoverRecord, alias(true)), { record: "holds" });
        assert.deepEqual(answers(failoverRecord, alias(false)), { record: "broken" });
        assert.deepEqual(answers(failoverRecord, alias(unknown)), { record: "cannot tell yet" });
    });
    it("refuses a health check that is switched off", () => {
        const check = (disabled: Plain) => resource("aws:route53/healthCheck:HealthCheck", "check", { disabled });
        assert.deepEqual(answers(failoverRecord, record({ healthCheckId: unknown }, true), check(true)), { record: "broken" });
        assert.deepEqual(answers(failoverRecord, record({ healthCheckId: unknown }, true), check(undefined)), { record: "holds" });
        assert.deepEqual(answers(failoverRecord, record({ healthCheckId: unknown }, true), check(unknown)), { record: "cannot tell yet" });
    });
    it("refuses a calculated health check that cannot fail, or that counts on one that cannot", () => {
        const of = (props: Record<string, Plain>, from: readonly Resource[] = []) =>
            resource("aws:route53/healthCheck:HealthCheck", "check", { type: "CALCULATED", ...props }, { childHealthchecks: from });
        const child = (disabled: Plain) => resource("aws:route53/healthCheck:HealthCheck", "child", { id: "id-child", disabled });
        const known = record({ healthCheckId: unknown }, true);
        assert.deepEqual(answers(failoverRecord, known, of({ childHealthThreshold: 0 })), { record: "broken" });
        assert.deepEqual(answers(failoverRecord, known, of({}, [child(true)]), child(true)), { record: "broken" });
        assert.deepEqual(answers(failoverRecord, known, of({ childHealthchecks: ["id-child"] }), child(true)), { record: "broken" });
        assert.match(because(failoverRecord, "record", known, of({}, [child(true)]), child(true)), /counts on one that is switched off/);
        assert.deepEqual(answers(failoverRecord, known, of({}, [child(unknown)]), child(unknown)), { record: "cannot tell yet" });
        assert.deepEqual(answers(failoverRecord, known, of({}, [child(false)]), child(false)), { record: "holds" });
        const itself = of({ id: "id-check", childHealthchecks: ["id-check"] });
        assert.deepEqual(answers(failoverRecord, known, itself), { record: "holds" });
    });
    it("judges the records of a RecordsExclusive by the same truths, and by the worst of them", () => {
        const exclusive = (...resourceRecordSets: Plain[]) =>
            resource("aws:route53/recordsExclusive:RecordsExclusive", "record", { resourceRecordSets });
        const good = { failover: "PRIMARY", healthCheckId: "hc", ttl: 60 };
        const alias = { failover: "SECONDARY", aliasTarget: { evaluateTargetHealth: true } };
        assert.deepEqual(answers(failoverRecord, exclusive(good, alias)), { record: "holds" });
        assert.deepEqual(answers(failoverRecord, exclusive(good, { ...good, ttl: 300 })), { record: "broken" });
        assert.deepEqual(answers(failoverRecord, exclusive({ ...good, healthCheckId: undefined })), { record: "broken" });
        assert.deepEqual(answers(failoverRecord, exclusive({ ...good, healthCheckId: unknown })), { record: "cannot tell yet" });
        assert.deepEqual(answers(failoverRecord, exclusive({ ...good, failover: unknown })), { record: "cannot tell yet" });
        assert.deepEqual(answers(failoverRecord, exclusive({ ttl: 300 })), {});
    });
    it("lets other records be", () => assert.deepEqual(answers(failoverRecord, record({ failoverRoutingPolicies: undefined })), {}));
    it("cannot tell of an unknown check, TTL or routing", () => {
        assert.deepEqual(answers(failoverRecord, record({ healthCheckId: unknown })), { record: "cannot tell yet" });
        assert.deepEqual(answers(failoverRecord, record({ healthCheckId: "hc", ttl: unknown })), { record: "cannot tell yet" });
        assert.deepEqual(answers(failoverRecord, record({ failoverRoutingPolicies: unknown })), { record: "cannot tell yet" });
    });
});

describe("cronjob-overlap", () => {
    const job = (spec: Record<string, Plain>, activeDeadlineSeconds: Plain = 600) =>
        resource("kubernetes:batch/v1:CronJob", "job", { spec: { jobTemplate: { spec: { activeDeadlineSeconds } }, ...spec } });
    const good = { concurrencyPolicy: "Forbid", startingDeadlineSeconds: 60 };

    it("is content with Forbid, a start in time and an end", () => assert.deepEqual(answers(cronjobOverlap, job(good)), { job: "holds" }));
    it("refuses runs that may overlap, never start again or never end", () => {
        assert.deepEqual(answers(cronjobOverlap, job({ ...good, concurrencyPolicy: undefined })), { job: "broken" });
        assert.deepEqual(answers(cronjobOverlap, job({ ...good, concurrencyPolicy: "Replace" })), { job: "broken" });
        assert.deepEqual(answers(cronjobOverlap, job({ ...good, startingDeadlineSeconds: undefined })), { job: "broken" });
        assert.deepEqual(answers(cronjobOverlap, job({ ...good, startingDeadlineSeconds: 5 })), { job: "broken" });
        assert.deepEqual(answers(cronjobOverlap, job(good, null)), { job: "broken" });
    });
    it("cannot tell of an unknown schedule", () =>
        assert.deepEqual(answers(cronjobOverlap, job({ ...good, concurrencyPolicy: unknown })), { job: "cannot tell yet" }));
});

describe("statefulset-claims", () => {
    const set = (persistentVolumeClaimRetentionPolicy: Plain, type = "kubernetes:apps/v1:StatefulSet") =>
        resource(type, "set", { spec: { persistentVolumeClaimRetentionPolicy } });

    it("is content with claims that stay, said or not: it is what Kubernetes does by itself", () => {
        assert.deepEqual(answers(statefulsetClaims, set({ whenDeleted: "Retain", whenScaled: "Retain" })), { set: "holds" });
        assert.deepEqual(answers(statefulsetClaims, set(undefined)), { set: "holds" });
    });
    it("refuses claims that go with the set or with its pods, and cannot tell of what is unknown", () => {
        assert.deepEqual(answers(statefulsetClaims, set({ whenDeleted: "Delete" })), { set: "broken" });
        assert.deepEqual(answers(statefulsetClaims, set({ whenDeleted: "Retain", whenScaled: "Delete" })), { set: "broken" });
        assert.match(because(statefulsetClaims, "set", set({ whenScaled: "Delete" })), /scaled down/);
        assert.deepEqual(answers(statefulsetClaims, set({ whenScaled: unknown })), { set: "cannot tell yet" });
    });
});

describe("no-primary-lookup", () => {
    const rule = noPrimaryLookup(estate);
    const inDr = (type: string, props: Record<string, Plain>) => resource(type, "it", props, {}, "dr");
    const refused: Record<string, [string, Record<string, Plain>]> = {
        "a provider for the primary's region": ["pulumi:providers:aws", { region: "us-east-1" }],
        "a provider that goes where the environment says": ["pulumi:providers:aws", {}],
        "a resource placed there": ["aws:s3/bucket:Bucket", { bucket: "b", region: "us-east-1" }],
        "an ARN of there, in a document": ["aws:iam/rolePolicy:RolePolicy", { policy: '{"Resource":"arn:aws:kms:us-east-1:1:key/k"}' }],
        "another stack's outputs": ["pulumi:pulumi:StackReference", { name: "prod" }],
        "the primary's cluster": ["pulumi:providers:kubernetes", { context: "primary" }],
    };
    for (const [what, [type, props]] of Object.entries(refused))
        it(`refuses ${what}`, () => assert.deepEqual(answers(rule, inDr(type, props)), { it: "broken" }));

    it("lets pass what is derived and asked of nobody, and a secret's copy", () => {
        for (const [type, props] of [
            ["pulumi:providers:aws", { region: "us-west-2" }],
            ["aws:route53/record:Record", { records: ["shop.us-east-1.shop.example"] }],
            ["aws:secretsmanager/secret:Secret", { name: "shop/mysql", replicas: [{ region: "us-east-1" }] }],
            ["aws:iam/rolePolicy:RolePolicy", { policy: '{"Resource":"arn:aws:s3:::shop-vault-us-east-1/*"}' }],
        ] as const)
            assert.deepEqual(answers(rule, inDr(type, props)), { it: "holds" }, type);
    });
    it("does not care what prod asks of its own region", () =>
        assert.deepEqual(answers(rule, resource("pulumi:providers:aws", "it", { region: "us-east-1" })), {}));
    it("cannot tell of a provider whose region is unknown", () =>
        assert.deepEqual(answers(rule, inDr("pulumi:providers:aws", { region: unknown })), { it: "cannot tell yet" }));
    it("cannot tell of a resource of which a part is unknown, and refuses it all the same for the part that is known", () => {
        assert.deepEqual(answers(rule, inDr("aws:iam/rolePolicy:RolePolicy", { policy: unknown })), { it: "cannot tell yet" });
        assert.deepEqual(answers(rule, inDr("aws:kms/key:Key", { policy: unknown, region: "us-east-1" })), { it: "broken" });
    });
});
