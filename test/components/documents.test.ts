import assert from "node:assert/strict";
import fc from "fast-check";
import {
    callerAccess,
    databaseAccess,
    expirerAccess,
    guardAccess,
    latchAccess,
    verifierAccess,
    writerAccess,
} from "../../components/documents/access.ts";
import { logPolicy, vaultPolicy } from "../../components/documents/bucket-policy.ts";
import { cronEvery } from "../../components/documents/cron.ts";
import { keyPolicy } from "../../components/documents/key-policy.ts";
import { lockDays, logLifecycle, vaultLifecycle } from "../../components/documents/lifecycle.ts";
import { replicationAccess, replicationRule } from "../../components/documents/replication.ts";
import type { PolicyDocument } from "../../components/documents/statement.ts";
import { podTrust, serviceTrust } from "../../components/documents/trust-policy.ts";
import { expiredTag } from "../../model/manifest.ts";
import { minutes, seconds } from "../../model/units.ts";

const access = {
    vault: "vault",
    coordinationBucket: "coordination",
    stores: ["mysql", "postgres"],
    bucketKeyArn: "arn:bucket-key",
    envelopeKeyArns: ["arn:envelope-mysql", "arn:envelope-postgres"],
};
const list = (value: string | readonly string[] | undefined) =>
    value === undefined ? [] : typeof value === "string" ? [value] : [...value];
/** Every action that a policy allows on a resource, as written. */
const allowed = (policy: PolicyDocument, resource: string) =>
    policy.Statement.filter(({ Effect, Resource }) => Effect === "Allow" && list(Resource).includes(resource))
        .flatMap(({ Action }) => list(Action))
        .sort();
const actions = (policy: PolicyDocument) => policy.Statement.flatMap(({ Action }) => list(Action));

describe("what the roles may do", () => {
    it("lets the writer put points of its stores, and neither read, tag nor delete them", () => {
        const policy = writerAccess(access);
        assert.deepEqual(allowed(policy, "arn:aws:s3:::vault/mysql/*"), [
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ]);
        assert.deepEqual(
            actions(policy).filter((action) => /Delete|Tagging|Retention|\*/.test(action)),
            [],
        );
        assert.deepEqual(allowed(policy, "arn:aws:s3:::coordination/epoch.json"), ["s3:GetObject"]);
    });
    it("lets the writer seal envelopes and not open them; the bucket's key it may use both ways, as multipart uploads need", () => {
        const policy = writerAccess(access);
        assert.deepEqual(allowed(policy, "arn:envelope-mysql"), ["kms:GenerateDataKey"]);
        assert.deepEqual(allowed(policy, "arn:bucket-key"), ["kms:Decrypt", "kms:GenerateDataKey"]);
    });
    it("lets what stands beside a server do what the guard and the writer may: it reads no point back, opens no envelope, deletes nothing", () => {
        const o = { ...access, site: "primary" as const, witnessBucket: "witness" };
        const policy = databaseAccess(o);
        const sorted = (all: readonly unknown[]) => all.map((each) => JSON.stringify(each)).sort();
        assert.deepEqual(
            sorted(policy.Statement),
            sorted(
                [...new Set(sorted([...guardAccess(o).Statement, ...writerAccess(access).Statement]))].map(
                    (each) => JSON.parse(each) as unknown,
                ),
            ),
        );
        assert.deepEqual(allowed(policy, "arn:aws:s3:::vault/mysql/*"), [
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ]);
        assert.deepEqual(allowed(policy, "arn:envelope-mysql"), ["kms:GenerateDataKey"]);
        assert.equal(new Set(policy.Statement.map(({ Sid }) => Sid)).size, policy.Statement.length);
    });
    it("lets who asks for a backup read the epoch, and nothing else", () => {
        assert.deepEqual(
            callerAccess(access).Statement.map(({ Action, Resource }) => [Action, Resource]),
            [["s3:GetObject", "arn:aws:s3:::coordination/epoch.json"]],
        );
    });
    it("lets the verifier read and open points and write the catalog, and put nothing into the vault", () => {
        const policy = verifierAccess(access);
        assert.deepEqual(allowed(policy, "arn:aws:s3:::vault/mysql/*"), ["s3:GetObject"]);
        assert.deepEqual(allowed(policy, "arn:envelope-postgres"), ["kms:Decrypt"]);
        assert.deepEqual(allowed(policy, "arn:aws:s3:::coordination/catalog/mysql/*"), ["s3:GetObject", "s3:PutObject"]);
        assert.deepEqual(allowed(policy, "arn:aws:s3:::coordination/logs/mysql/*"), ["s3:GetObject", "s3:PutObject"]);
        assert.deepEqual(allowed(policy, "arn:aws:s3:::coordination/expired/mysql/*"), ["s3:GetObject"]);
    });
    it("lets the expirer tag points in both vaults, and read none of their data", () => {
        const policy = expirerAccess({ vaults: ["here", "there"], coordinationBucket: "coordination", stores: ["mysql"] });
        for (const vault of ["here", "there"])
            assert.deepEqual(allowed(policy, `arn:aws:s3:::${vault}/mysql/*`), ["s3:GetObjectTagging", "s3:PutObjectTagging"]);
        assert.deepEqual(
            actions(policy).filter((action) => /Delete|kms/.test(action)),
            [],
        );
        for (const shelf of ["catalog", "logs"])
            assert.deepEqual(allowed(policy, `arn:aws:s3:::coordination/${shelf}/mysql/*`), ["s3:GetObject"]);
    });
    it("keeps every role off the epoch, the latch, the journal and what the stacks publish", () => {
        const all = [
            writerAccess(access),
            verifierAccess(access),
            expirerAccess({ vaults: ["vault"], coordinationBucket: "coordination", stores: ["mysql"] }),
            guardAccess({ site: "standby", coordinationBucket: "coordination", witnessBucket: "witness" }),
            databaseAccess({ ...access, site: "standby", witnessBucket: "witness" }),
            latchAccess({ coordinationBucket: "coordination", metricNamespace: "Lifeboat" }),
        ];
        for (const policy of all)
            for (const { Action, Resource } of policy.Statement)
                if (list(Action).includes("s3:PutObject"))
                    for (const resource of list(Resource))
                        assert.match(
                            resource,
                            /^arn:aws:s3:::((vault\/(mysql|postgres)|coordination\/(catalog|rejected|expired|logs)\/\w+|witness\/lease)\/\*|witness\/fence\.json)$/,
                        );
    });
    it("lets the guard read both records and say that it holds the lease; the standby's alone may tell the witness of an epoch", () => {
        const access = (site: "primary" | "standby") =>
            guardAccess({ site, coordinationBucket: "c", witnessBucket: "w" }).Statement.map(({ Action, Resource }) => [Action, Resource]);
        const both = [
            ["s3:GetObject", "arn:aws:s3:::c/epoch.json"],
            ["s3:GetObject", "arn:aws:s3:::w/fence.json"],
            ["s3:PutObject", "arn:aws:s3:::w/lease/*"],
        ];
        assert.deepEqual(access("primary"), both);
        assert.deepEqual(access("standby"), [...both, ["s3:PutObject", "arn:aws:s3:::w/fence.json"]]);
    });
    it("lets the latch's publisher read the latch and put metrics of one namespace", () => {
        const { Statement } = latchAccess({ coordinationBucket: "c", metricNamespace: "Lifeboat" });
        assert.deepEqual(
            Statement.map(({ Action, Resource, Condition }) => [Action, Resource, Condition]),
            [
                ["s3:GetObject", "arn:aws:s3:::c/latch.json", undefined],
                ["cloudwatch:PutMetricData", "*", { StringEquals: { "cloudwatch:namespace": "Lifeboat" } }],
            ],
        );
    });
});

describe("who may take a role", () => {
    it("lets in the pods of one ServiceAccount of one cluster", () => {
        const [statement] = podTrust({
            oidcProviderArn: "arn:oidc",
            oidcIssuer: "issuer/1",
            namespace: "n",
            serviceAccount: "s",
        }).Statement;
        assert.deepEqual(statement?.Principal, { Federated: "arn:oidc" });
        assert.deepEqual(statement?.Condition, {
            StringEquals: { "issuer/1:aud": "sts.amazonaws.com", "issuer/1:sub": "system:serviceaccount:n:s" },
        });
    });
    it("lets in a service for this account alone", () =>
        assert.deepEqual(serviceTrust("s3.amazonaws.com", "1").Statement[0]?.Condition, { StringEquals: { "aws:SourceAccount": "1" } }));
});

describe("key policy", () => {
    const policy = keyPolicy({ account: "123456789012", encrypt: ["writer"], decrypt: ["reader"] });
    it("names only the account, so that it is valid before the roles are there", () => {
        for (const { Principal } of policy.Statement) assert.deepEqual(Principal, { AWS: "arn:aws:iam::123456789012:root" });
    });
    it("lets nobody use the key but the roles that its conditions name", () => {
        const uses = policy.Statement.filter(({ Action }) =>
            list(Action).some((action) => /Decrypt|Encrypt|GenerateDataKey|\*$/.test(action)),
        );
        for (const { Sid, Condition } of uses)
            if (Sid !== "Administer") assert.match(JSON.stringify(Condition), /aws:PrincipalArn.*role\/(writer|reader)/);
        const administration = list(policy.Statement[0]?.Action);
        for (const action of ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"])
            assert.ok(!administration.some((allowed) => new RegExp(`^${allowed.replace("*", ".*")}$`).test(action)), action);
    });
    it("leaves a use out that nobody has", () =>
        assert.equal(
            keyPolicy({ account: "1", encrypt: [], decrypt: ["r"] }).Statement.some(({ Sid }) => Sid === "Encrypt"),
            false,
        ));
});

describe("bucket policies", () => {
    it("turn away plain HTTP", () => {
        for (const policy of [vaultPolicy({ bucket: "b", keyArn: "k" }), logPolicy({ bucket: "b", vault: "v", account: "1" })])
            assert.deepEqual(policy.Statement[0], {
                Sid: "TlsOnly",
                Effect: "Deny",
                Principal: { AWS: "*" },
                Action: "s3:*",
                Resource: ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
                Condition: { Bool: { "aws:SecureTransport": "false" } },
            });
    });
    it("deny a put under another key, and not one that names none: that gets the bucket's own", () => {
        const [, algorithm, key] = vaultPolicy({ bucket: "b", keyArn: "arn:k" }).Statement;
        for (const statement of [algorithm, key]) {
            const [header] = Object.keys(statement?.Condition?.["Null"] ?? {});
            assert.deepEqual(statement?.Condition?.["Null"], { [header!]: "false" });
            assert.ok(statement?.Condition?.["StringNotEquals"]?.[header!]);
        }
    });
    it("let only S3's log delivery write to the log, for one vault", () => {
        const [, delivery] = logPolicy({ bucket: "b", vault: "v", account: "1" }).Statement;
        assert.deepEqual(delivery?.Principal, { Service: "logging.s3.amazonaws.com" });
        assert.deepEqual(delivery?.Condition?.["ArnLike"], { "aws:SourceArn": "arn:aws:s3:::v" });
    });
});

describe("lifecycle", () => {
    const rules = vaultLifecycle({ mysql: seconds(30 * 86_400), postgres: seconds(90 * 86_400) });
    it("deletes nothing but what carries the expirer's tag", () => {
        for (const rule of rules) {
            const deletes = ("expiration" in rule && rule.expiration?.days !== undefined) || "noncurrentVersionExpiration" in rule;
            const tag = "tag" in rule.filter ? rule.filter.tag : undefined;
            if (deletes) assert.deepEqual(tag, { key: expiredTag.Key, value: expiredTag.Value });
        }
    });
    it("moves each store's old points to the tier that is read at once", () => {
        const moves = rules.flatMap((rule) => ("transitions" in rule && rule.transitions ? [[rule.filter, rule.transitions]] : []));
        assert.deepEqual(moves, [
            [{ prefix: "mysql/" }, [{ days: 30, storageClass: "GLACIER_IR" }]],
            [{ prefix: "postgres/" }, [{ days: 90, storageClass: "GLACIER_IR" }]],
        ]);
    });
    it("keeps logs for seven years", () => assert.equal(logLifecycle[0]?.expiration.days, 2555));
    it("locks for the longest that a store asks for, in whole days", () => {
        assert.equal(lockDays([seconds(3600), seconds(90_000)]), 2);
        fc.assert(
            fc.property(fc.array(fc.integer({ min: 1, max: 10 * 86_400 }), { minLength: 1 }), (locks) => {
                const days = lockDays(locks.map(seconds));
                return Number.isInteger(days) && locks.every((lock) => days * 86_400 >= lock) && (days - 1) * 86_400 < Math.max(...locks);
            }),
        );
    });
});

describe("replication", () => {
    it("carries every encrypted object over, and no deletion", () => {
        const rule = replicationRule({ vault: "there", keyArn: "arn:there-key" });
        assert.equal(rule.filter.prefix, "");
        assert.equal(rule.deleteMarkerReplication.status, "Disabled");
        assert.equal(rule.sourceSelectionCriteria.sseKmsEncryptedObjects.status, "Enabled");
        assert.equal(rule.destination.encryptionConfiguration.replicaKmsKeyId, "arn:there-key");
    });
    it("reads here and writes there, and nothing else", () => {
        const policy = replicationAccess({ from: "here", to: "there", fromKeyArn: "arn:k1", toKeyArn: "arn:k2" });
        assert.deepEqual(allowed(policy, "arn:aws:s3:::there/*"), ["s3:ReplicateObject", "s3:ReplicateTags"]);
        assert.deepEqual(allowed(policy, "arn:k1"), ["kms:Decrypt"]);
        assert.ok(!actions(policy).some((action) => action.startsWith("s3:Put") || action.includes("Delete")));
    });
});

describe("cron lines", () => {
    it("reads as a person would write it", () => {
        assert.equal(cronEvery(minutes(5)), "*/5 * * * *");
        assert.equal(cronEvery(minutes(1)), "* * * * *");
        assert.equal(cronEvery(minutes(60), 17), "17 * * * *");
        assert.equal(cronEvery(minutes(15), 3), "3-59/15 * * * *");
    });
    it("starts as often as asked, for every interval that divides an hour, and refuses others", () => {
        fc.assert(
            fc.property(fc.integer({ min: 1, max: 120 }), (interval) => {
                if (60 % interval !== 0) return assert.throws(() => cronEvery(minutes(interval)), RangeError);
                assert.equal(startsAnHour(cronEvery(minutes(interval)).split(" ")[0]!), 60 / interval);
            }),
        );
        assert.throws(() => cronEvery(seconds(90)), RangeError);
    });
});

const startsAnHour = (field: string) => {
    if (field === "*") return 60;
    const [range, step] = field.split("/");
    return step === undefined ? 1 : Math.ceil((60 - Number(range === "*" ? 0 : range!.split("-")[0])) / Number(step));
};
