import assert from "node:assert/strict";
import { bucketEncryption } from "../../policies/bucket-encryption.ts";
import { bucketLock } from "../../policies/bucket-lock.ts";
import { bucketReplication } from "../../policies/bucket-replication.ts";
import { bucketTlsOnly } from "../../policies/bucket-tls-only.ts";
import { bucketVersioning } from "../../policies/bucket-versioning.ts";
import { unknown, type Plain, type Resource } from "../../policies/stack.ts";
import { answers, because, bucket, logging, resource, setting } from "./cases.ts";

const vault = bucket("vault");
const log = bucket("log");
const logged = logging(vault, log);

describe("a bucket's settings", () => {
    const versioned = (name: string, status: Plain) =>
        resource("aws:s3/bucketVersioning:BucketVersioning", name, { versioningConfiguration: { status } }, { bucket: [vault] });

    it("are judged in each spelling of their types, and in the bucket's own", () => {
        const second = resource("aws:s3/bucketV2:BucketV2", "vault", { bucket: "b-vault" });
        for (const rule of [bucketEncryption, bucketLock, bucketReplication, bucketTlsOnly, bucketVersioning])
            assert.deepEqual(answers(rule, second), { vault: "broken" }, rule.name);
        const setting = (type: string, props: Record<string, Plain>) => resource(`aws:s3/${type}`, "setting", props, { bucket: [second] });
        const enabled = { versioningConfiguration: { status: "Enabled" } };
        assert.deepEqual(answers(bucketVersioning, second, setting("bucketVersioningV2:BucketVersioningV2", enabled)), { vault: "holds" });
    });

    it("are judged by the same truths where they stand on the bucket itself", () => {
        const inline = (props: Record<string, Plain>) => bucket("vault", props);
        const byKey = { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: "k" } };
        assert.deepEqual(answers(bucketVersioning, inline({ versioning: { enabled: true } })), { vault: "holds" });
        assert.deepEqual(answers(bucketVersioning, inline({ versionings: [{ enabled: false }] })), { vault: "broken" });
        assert.deepEqual(answers(bucketVersioning, inline({ versioning: { enabled: unknown } })), { vault: "cannot tell yet" });
        assert.deepEqual(answers(bucketEncryption, inline({ serverSideEncryptionConfiguration: { rule: byKey } })), { vault: "holds" });
        assert.deepEqual(answers(bucketEncryption, inline({ serverSideEncryptionConfigurations: [{ rules: [byKey] }] })), {
            vault: "holds",
        });
        const retention = { mode: "COMPLIANCE", days: 1 };
        assert.deepEqual(answers(bucketLock, inline({ objectLockConfiguration: { rule: { defaultRetention: retention } } })), {
            vault: "holds",
        });
        const plural = { objectLockConfiguration: { rules: [{ defaultRetentions: [{ ...retention, mode: "GOVERNANCE" }] }] } };
        assert.deepEqual(answers(bucketLock, inline(plural)), { vault: "broken" });
        const rule = { status: "Enabled", filter: { prefix: "" }, sourceSelectionCriteria: { sseKmsEncryptedObjects: { enabled: true } } };
        assert.deepEqual(answers(bucketReplication, inline({ replicationConfiguration: { rules: [rule] } })), { vault: "holds" });
        const carrying = { ...rule, deleteMarkerReplicationStatus: "Enabled" };
        assert.deepEqual(answers(bucketReplication, inline({ replicationConfiguration: { rules: [carrying] } })), { vault: "broken" });
    });

    it("contradict each other in vain: the worst of them counts, in either order", () => {
        const [good, bad] = [versioned("good", "Enabled"), versioned("bad", "Suspended")];
        assert.deepEqual(answers(bucketVersioning, vault, good, bad), { vault: "broken" });
        assert.deepEqual(answers(bucketVersioning, vault, bad, good), { vault: "broken" });
        assert.match(
            because(bucketVersioning, "vault", vault, good, bad),
            /says 2 things of BucketVersioning \(good, bad\), and by one of them it keeps no versions/,
        );
        assert.deepEqual(answers(bucketVersioning, vault, good, versioned("later", unknown)), { vault: "cannot tell yet" });
    });

    it("hold only once it is clear that no other setting, whose bucket is unknown, speaks against them", () => {
        const loose = (status: Plain) =>
            resource("aws:s3/bucketVersioning:BucketVersioning", "loose", { bucket: unknown, versioningConfiguration: { status } });
        assert.deepEqual(answers(bucketVersioning, vault, versioned("good", "Enabled"), loose("Suspended")), { vault: "cannot tell yet" });
        assert.deepEqual(answers(bucketVersioning, vault, versioned("bad", "Suspended"), loose("Enabled")), { vault: "broken" });
    });

    it("belong to the bucket of their name, where the name of both came from something else", () => {
        const name = resource("random:index/randomId:RandomId", "name");
        const props = { bucket: "b-vault", versioningConfiguration: { status: "Enabled" } };
        const named = resource("aws:s3/bucketVersioning:BucketVersioning", "versioning", props, { bucket: [name] });
        assert.deepEqual(answers(bucketVersioning, vault, name, named), { vault: "holds" });
    });

    it("are what the program declares: what the provider tells besides is not taken for a declaration", () => {
        const told = (declared: Record<string, Plain>, versioning: Plain) => ({ ...bucket("vault", { versioning }), declared });
        const good = versioned("good", "Enabled");
        assert.deepEqual(answers(bucketVersioning, told({}, unknown)), { vault: "broken" }, "unknown in the preview that makes it");
        assert.deepEqual(answers(bucketVersioning, told({}, { enabled: true })), { vault: "broken" }, "made by a resource that is gone");
        assert.deepEqual(
            answers(bucketVersioning, told({}, { enabled: false }), good),
            { vault: "holds" },
            "read before the other was made",
        );
        const both = told({ versioning: { enabled: false } }, { enabled: false });
        assert.deepEqual(answers(bucketVersioning, both, good), { vault: "broken" });
        assert.match(because(bucketVersioning, "vault", both, good), /\(good, the bucket itself\)/);
        assert.deepEqual(answers(bucketVersioning, told({ versioning: { enabled: true } }, unknown), good), { vault: "holds" });
    });
});

describe("bucket-encryption", () => {
    const encrypted = (of: Resource, sseAlgorithm: Plain, kmsMasterKeyId?: Plain) =>
        setting("BucketServerSideEncryptionConfiguration", of, {
            rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm, kmsMasterKeyId } }],
        });

    it("is content with a key of ours", () => {
        assert.deepEqual(answers(bucketEncryption, vault, encrypted(vault, "aws:kms", "arn:key")), { vault: "holds" });
    });
    it("refuses a bucket without default encryption, with S3's own key, or with the account's", () => {
        assert.deepEqual(answers(bucketEncryption, vault), { vault: "broken" });
        assert.deepEqual(answers(bucketEncryption, vault, encrypted(vault, "AES256")), { vault: "broken" });
        assert.deepEqual(answers(bucketEncryption, vault, encrypted(vault, "aws:kms")), { vault: "broken" });
        for (const key of ["alias/aws/s3", "arn:aws:kms:us-east-1:1:alias/aws/s3"])
            assert.deepEqual(answers(bucketEncryption, vault, encrypted(vault, "aws:kms", key)), { vault: "broken" }, key);
        const weaker = encrypted(vault, "AES256");
        for (const both of [
            [weaker, encrypted(vault, "aws:kms", "arn:key")],
            [encrypted(vault, "aws:kms", "arn:key"), weaker],
        ])
            assert.deepEqual(answers(bucketEncryption, vault, ...both), { vault: "broken" });
    });
    it("is not taken in by another bucket's encryption", () => {
        const other = bucket("other");
        assert.deepEqual(answers(bucketEncryption, vault, other, encrypted(other, "aws:kms", "k")), { vault: "broken", other: "holds" });
    });
    it("wants S3's own key where access logs arrive, since S3 delivers to no other", () => {
        const vaultEncrypted = encrypted(vault, "aws:kms", "k");
        assert.equal(answers(bucketEncryption, vault, log, logged, vaultEncrypted, encrypted(log, "AES256"))["log"], "holds");
        assert.equal(answers(bucketEncryption, vault, log, logged, vaultEncrypted, encrypted(log, "aws:kms", "k"))["log"], "broken");
        assert.equal(answers(bucketEncryption, vault, log, logged, vaultEncrypted)["log"], "broken");
    });
    it("cannot tell while the key, the algorithm or the bucket of the setting is unknown", () => {
        assert.deepEqual(answers(bucketEncryption, vault, encrypted(vault, "aws:kms", unknown)), { vault: "cannot tell yet" });
        assert.deepEqual(answers(bucketEncryption, vault, encrypted(vault, unknown)), { vault: "cannot tell yet" });
        const loose = resource("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "loose", {
            bucket: unknown,
        });
        assert.deepEqual(answers(bucketEncryption, vault, loose), { vault: "cannot tell yet" });
    });
});

describe("bucket-versioning", () => {
    const versioned = (status: Plain) => setting("BucketVersioning", vault, { versioningConfiguration: { status } });

    it("is content with versions", () => assert.deepEqual(answers(bucketVersioning, vault, versioned("Enabled")), { vault: "holds" }));
    it("refuses a bucket that keeps none, or keeps them no longer", () => {
        assert.deepEqual(answers(bucketVersioning, vault), { vault: "broken" });
        assert.deepEqual(answers(bucketVersioning, vault, versioned("Suspended")), { vault: "broken" });
        assert.match(because(bucketVersioning, "vault", vault, versioned("Suspended")), /Suspended/);
    });
    it("cannot tell of an unknown state", () =>
        assert.deepEqual(answers(bucketVersioning, vault, versioned(unknown)), { vault: "cannot tell yet" }));
});

describe("bucket-lock", () => {
    const locked = (defaultRetention: Plain) => setting("BucketObjectLockConfiguration", vault, { rule: { defaultRetention } });

    it("is content with compliance mode for a day or more", () => {
        assert.deepEqual(answers(bucketLock, vault, locked({ mode: "COMPLIANCE", days: 1 })), { vault: "holds" });
        assert.deepEqual(answers(bucketLock, vault, locked({ mode: "COMPLIANCE", years: 7 })), { vault: "holds" });
    });
    it("refuses no lock, a lock that an administrator can lift, and one of no length", () => {
        assert.deepEqual(answers(bucketLock, vault), { vault: "broken" });
        assert.deepEqual(answers(bucketLock, vault, locked({ mode: "GOVERNANCE", days: 30 })), { vault: "broken" });
        assert.deepEqual(answers(bucketLock, vault, locked({ mode: "COMPLIANCE" })), { vault: "broken" });
        const [good, bad] = [locked({ mode: "COMPLIANCE", days: 1 }), locked({ mode: "GOVERNANCE", days: 1 })];
        assert.deepEqual(answers(bucketLock, vault, good, bad), { vault: "broken" });
        assert.deepEqual(answers(bucketLock, vault, bad, good), { vault: "broken" });
    });
    it("does not apply where access logs arrive", () => {
        const lock = locked({ mode: "COMPLIANCE", days: 1 });
        assert.deepEqual(answers(bucketLock, vault, lock, log, logged), { vault: "holds", log: "not applicable" });
        assert.match(because(bucketLock, "log", vault, lock, log, logged), /access logs/);
    });
    it("cannot tell of an unknown lock", () =>
        assert.deepEqual(answers(bucketLock, vault, locked({ mode: "COMPLIANCE", days: unknown })), { vault: "cannot tell yet" }));
});

describe("bucket-tls-only", () => {
    const deny = {
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: ["arn:aws:s3:::b-vault", "arn:aws:s3:::b-vault/*"],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
    };
    const policy = (...statements: object[]) => setting("BucketPolicy", vault, { policy: JSON.stringify({ Statement: statements }) });

    it("is content with a denial of plain HTTP, among other statements", () => {
        assert.deepEqual(answers(bucketTlsOnly, vault, policy({ Effect: "Allow" }, deny)), { vault: "holds" });
        assert.deepEqual(answers(bucketTlsOnly, vault, policy({ ...deny, Principal: { AWS: "*" }, Resource: "*" })), { vault: "holds" });
    });
    const weak: Record<string, object> = {
        "allows instead of denying": { ...deny, Effect: "Allow" },
        "denies only some": { ...deny, Principal: { AWS: "arn:aws:iam::1:root" } },
        "denies only reading": { ...deny, Action: "s3:GetObject" },
        "leaves the objects out": { ...deny, Resource: "arn:aws:s3:::b-vault" },
        "is about another bucket": { ...deny, Resource: ["arn:aws:s3:::b-other", "arn:aws:s3:::b-other/*"] },
        "denies what comes by TLS": { ...deny, Condition: { Bool: { "aws:SecureTransport": "true" } } },
        "has a second condition, which must hold too": {
            ...deny,
            Condition: { Bool: { "aws:SecureTransport": "false" }, StringEquals: { "aws:PrincipalOrgID": "o-1" } },
        },
        "has a second condition of the same kind": {
            ...deny,
            Condition: { Bool: { "aws:SecureTransport": "false", "aws:ViaAWSService": "false" } },
        },
    };
    for (const [fault, statement] of Object.entries(weak))
        it(`refuses a policy that ${fault}`, () => assert.deepEqual(answers(bucketTlsOnly, vault, policy(statement)), { vault: "broken" }));
    it("refuses a bucket without policy", () => assert.deepEqual(answers(bucketTlsOnly, vault), { vault: "broken" }));
    const document = (...statements: Plain[]) => setting("BucketPolicy", vault, { policy: { Statement: statements } });
    const denial = deny as Record<string, Plain>;
    const open: Record<string, Plain> = {
        "its resource": { ...denial, Resource: unknown },
        "one of its resources": { ...denial, Resource: ["arn:aws:s3:::b-vault", unknown] },
        "its principal": { ...denial, Principal: { AWS: unknown } },
        "its action": { ...denial, Action: [unknown] },
        "its condition": { ...denial, Condition: { Bool: { "aws:SecureTransport": unknown } } },
        "its effect": { ...denial, Effect: unknown },
        "all of it": unknown,
    };
    for (const [what, statement] of Object.entries(open))
        it(`cannot tell of a denial of which ${what} is unknown, and is content with another that is known`, () => {
            assert.deepEqual(answers(bucketTlsOnly, vault, document(statement)), { vault: "cannot tell yet" });
            assert.deepEqual(answers(bucketTlsOnly, vault, document(statement, denial)), { vault: "holds" });
        });
    it("refuses a policy of which no unknown part can be the denial", () => {
        assert.deepEqual(answers(bucketTlsOnly, vault, document({ Effect: "Allow", Principal: unknown })), { vault: "broken" });
        assert.deepEqual(answers(bucketTlsOnly, vault, document({ ...denial, Action: "s3:GetObject", Resource: unknown })), {
            vault: "broken",
        });
        const nameless = bucket("vault", { bucket: unknown });
        const policyOf = (text: string) => setting("BucketPolicy", nameless, { policy: text });
        assert.deepEqual(answers(bucketTlsOnly, nameless, policyOf(JSON.stringify({ Statement: [deny] }))), { vault: "cannot tell yet" });
        assert.deepEqual(answers(bucketTlsOnly, nameless, policyOf('{"Statement":{"Effect":"Allow"}}')), { vault: "broken" });
    });
    it("refuses what is no document, and says so", () => {
        for (const policy of ["no JSON", "", "null", '"text"', null])
            assert.match(because(bucketTlsOnly, "vault", vault, setting("BucketPolicy", vault, { policy })), /no JSON document/);
        for (const policy of ['{"Statement":[null]}', '{"Statement":"x"}', "{}", '{"Statement":{"Effect":"Deny","Principal":null}}'])
            assert.deepEqual(answers(bucketTlsOnly, vault, setting("BucketPolicy", vault, { policy })), { vault: "broken" }, policy);
    });
    it("takes one name with a star for the bucket and its objects", () => {
        for (const Resource of ["arn:aws:s3:::b-vault*", "arn:aws:s3:::*"])
            assert.deepEqual(answers(bucketTlsOnly, vault, policy({ ...deny, Resource })), { vault: "holds" }, Resource);
        assert.deepEqual(answers(bucketTlsOnly, vault, policy({ ...deny, Resource: "arn:aws:s3:::b-vault/*" })), { vault: "broken" });
    });
    it("judges two policies of one bucket by the weaker", () => {
        const second = resource("aws:s3/bucketPolicy:BucketPolicy", "second", { policy: '{"Statement":[]}' }, { bucket: [vault] });
        assert.deepEqual(answers(bucketTlsOnly, vault, policy(deny), second), { vault: "broken" });
        assert.deepEqual(answers(bucketTlsOnly, vault, second, policy(deny)), { vault: "broken" });
        assert.deepEqual(answers(bucketTlsOnly, bucket("vault", { policy: JSON.stringify({ Statement: deny }) })), { vault: "holds" });
    });
    it("cannot tell of an unknown policy", () =>
        assert.deepEqual(answers(bucketTlsOnly, vault, setting("BucketPolicy", vault, { policy: unknown })), { vault: "cannot tell yet" }));
});

describe("bucket-replication", () => {
    const good = {
        status: "Enabled",
        filter: { prefix: "" },
        sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
        deleteMarkerReplication: { status: "Disabled" },
    };
    const copied = (...rules: Plain[]) => setting("BucketReplicationConfig", vault, { rules });

    it("is content when everything is copied", () => assert.deepEqual(answers(bucketReplication, vault, copied(good)), { vault: "holds" }));
    const weak: Record<string, Plain> = {
        "is disabled": { ...good, status: "Disabled" },
        "copies a part": { ...good, filter: { prefix: "orders/" } },
        "copies what carries a tag": { ...good, filter: { tag: { key: "a", value: "b" } } },
        "leaves encrypted objects out": { ...good, sourceSelectionCriteria: undefined },
        "carries deletions over": { ...good, deleteMarkerReplication: { status: "Enabled" } },
        "copies a part, as the first version of such rules says it": { ...good, prefix: "orders/" },
        "has no filter, which carries deletions over": { ...good, filter: undefined },
    };
    for (const [fault, rule] of Object.entries(weak))
        it(`refuses a replication that ${fault}`, () =>
            assert.deepEqual(answers(bucketReplication, vault, copied(rule)), { vault: "broken" }));
    it("refuses one that carries everything, where another carries deletions, unless that is disabled", () => {
        const deleting = { ...good, deleteMarkerReplication: { status: "Enabled" } };
        assert.deepEqual(answers(bucketReplication, vault, copied(good, deleting)), { vault: "broken" });
        assert.deepEqual(answers(bucketReplication, vault, copied(good, { ...deleting, status: "Disabled" })), { vault: "holds" });
        assert.deepEqual(answers(bucketReplication, vault, copied(good, { ...deleting, status: unknown })), { vault: "cannot tell yet" });
    });
    it("refuses a vault that is not copied", () => assert.deepEqual(answers(bucketReplication, vault), { vault: "broken" }));
    it("does not apply to the copy, nor to access logs", () => {
        assert.deepEqual(answers(bucketReplication, bucket("vault", {}, "dr")), { vault: "not applicable" });
        assert.equal(answers(bucketReplication, vault, copied(good), log, logged)["log"], "not applicable");
    });
    it("cannot tell of unknown rules", () => {
        assert.deepEqual(answers(bucketReplication, vault, setting("BucketReplicationConfig", vault, { rules: unknown })), {
            vault: "cannot tell yet",
        });
        assert.deepEqual(answers(bucketReplication, vault, copied(unknown)), { vault: "cannot tell yet" });
    });
});
