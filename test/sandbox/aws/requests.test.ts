import assert from "node:assert/strict";
import { endpointNames, serviceNames } from "../../../sandbox/aws/authority.ts";
import { readEndpoint, readScope } from "../../../sandbox/aws/endpoints.ts";
import { errorDocument, refusals } from "../../../sandbox/aws/refusals.ts";
import { s3Operation } from "../../../sandbox/aws/s3-operations.ts";
import { shuffler } from "../../../sandbox/aws/shuffle.ts";
import { ready, type Waiting } from "../../../sandbox/aws/replicator.ts";
import fc from "fast-check";

describe("endpoints by name", () => {
    it("say service, region and bucket", () => {
        assert.deepEqual(readEndpoint("kms.us-west-2.amazonaws.com:443"), { service: "kms", region: "us-west-2" });
        assert.deepEqual(readEndpoint("iam.amazonaws.com"), { service: "iam", region: undefined });
        assert.deepEqual(readEndpoint("s3.us-west-2.amazonaws.com"), { service: "s3", region: "us-west-2" });
        assert.deepEqual(readEndpoint("a.b.s3.us-west-2.amazonaws.com"), { service: "s3", region: "us-west-2", bucket: "a.b" });
        assert.deepEqual(readEndpoint("vault.s3.amazonaws.com"), { service: "s3", region: undefined, bucket: "vault" });
        for (const other of ["localhost", "amazonaws.com", "a.b.us-west-2.amazonaws.com", "kms.us-west-2.amazonaws.com.evil.example"])
            assert.equal(readEndpoint(other), undefined);
    });
    it("are all in the certificate", () => {
        assert.ok(endpointNames(["us-west-2"]).includes("*.s3.us-west-2.amazonaws.com"));
        assert.deepEqual(serviceNames(["us-west-2"], "orders.example"), ["*.orders.example", "*.us-west-2.orders.example"]);
    });
});

describe("credential scope", () => {
    const scope = { accessKey: "AKIA", region: "us-west-2", service: "s3" };
    it("is read from the header and from a presigned query", () => {
        assert.deepEqual(
            readScope("AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-west-2/s3/aws4_request, SignedHeaders=host", new URLSearchParams()),
            scope,
        );
        assert.deepEqual(
            readScope(undefined, new URLSearchParams({ "X-Amz-Credential": "AKIA/20260101/us-west-2/s3/aws4_request" })),
            scope,
        );
    });
    it("is missing from anything else", () => {
        for (const header of [undefined, "AWS AKIA:signature", "Bearer x", "Credential=AKIA/1/2"])
            assert.equal(readScope(header, new URLSearchParams()), undefined);
    });
});

describe("S3 requests", () => {
    const read = (method: string, path: string, headers: Record<string, string> = {}) => {
        const url = new URL(path, "http://s3");
        const [bucket, ...key] = url.pathname.split("/").filter(Boolean);
        return s3Operation(method, bucket !== undefined, key.length > 0, url.searchParams, headers);
    };
    it("are named, with the actions that they need", () => {
        const cases: [string, string, string, string[]][] = [
            ["GET", "/", "ListBuckets", ["s3:ListAllMyBuckets"]],
            ["GET", "/b?list-type=2&prefix=x", "ListObjectsV2", ["s3:ListBucket"]],
            ["GET", "/b?versions&prefix=x", "ListObjectVersions", ["s3:ListBucketVersions"]],
            ["GET", "/b?uploads", "ListMultipartUploads", ["s3:ListBucketMultipartUploads"]],
            ["PUT", "/b?lifecycle", "PutBucketLifecycleConfiguration", ["s3:PutLifecycleConfiguration"]],
            ["DELETE", "/b?lifecycle", "DeleteBucketLifecycleConfiguration", ["s3:PutLifecycleConfiguration"]],
            ["DELETE", "/b?policy", "DeleteBucketPolicy", ["s3:DeleteBucketPolicy"]],
            ["GET", "/b/k?x-id=GetObject", "GetObject", ["s3:GetObject"]],
            ["GET", "/b/k?versionId=1", "GetObject", ["s3:GetObjectVersion"]],
            ["DELETE", "/b/k?versionId=1", "DeleteObject", ["s3:DeleteObjectVersion"]],
            ["POST", "/b/k?uploads", "CreateMultipartUpload", ["s3:PutObject"]],
            ["PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart", ["s3:PutObject"]],
            ["DELETE", "/b/k?uploadId=u", "AbortMultipartUpload", ["s3:AbortMultipartUpload"]],
            ["GET", "/b/k?uploadId=u", "ListParts", ["s3:ListMultipartUploadParts"]],
            ["PUT", "/b/k?tagging&versionId=1", "PutObjectTagging", ["s3:PutObjectVersionTagging"]],
        ];
        for (const [method, path, operation, actions] of cases) {
            const found = read(method, path);
            assert.deepEqual([found?.operation, found?.actions], [operation, actions], `${method} ${path}`);
        }
    });
    it("need the permission for what their headers set", () => {
        assert.deepEqual(read("PUT", "/b/k", { "x-amz-tagging": "a=b", "x-amz-object-lock-mode": "COMPLIANCE" })!.actions, [
            "s3:PutObject",
            "s3:PutObjectTagging",
            "s3:PutObjectRetention",
        ]);
        assert.deepEqual(read("DELETE", "/b/k", { "x-amz-bypass-governance-retention": "true" })!.actions, [
            "s3:DeleteObject",
            "s3:BypassGovernanceRetention",
        ]);
    });
    it("tell a bucket's settings, which are a global control plane's, from its objects", () => {
        for (const [method, path] of [
            ["PUT", "/b"],
            ["DELETE", "/b"],
            ["PUT", "/b?versioning"],
        ] as const)
            assert.equal(read(method, path)!.settings, true);
        for (const [method, path] of [
            ["PUT", "/b/k"],
            ["POST", "/b?delete"],
            ["GET", "/b?versioning"],
        ] as const)
            assert.equal(read(method, path)!.settings, false);
    });
    it("are refused when they are not known", () => {
        for (const [method, path] of [
            ["GET", "/b/k?torrent"],
            ["POST", "/b/k?select"],
            ["GET", "/b?analytics"],
            ["PATCH", "/b/k"],
            ["POST", "/b/k?restore"],
            ["PUT", "/b?policy&versioning"],
        ] as const)
            assert.equal(read(method, path), undefined, `${method} ${path}`);
    });
});

describe("error documents", () => {
    it("escape what they quote", () => {
        const { body } = errorDocument("query", refusals.denied("query", "<who>", "a&b", '"r"', "why"), "id");
        assert.match(body, /&lt;who&gt;.*a&amp;b.*&quot;r&quot;/);
    });
});

describe("order of replication", () => {
    it("is a permutation that the seed repeats", () => {
        fc.assert(
            fc.property(fc.integer(), fc.uniqueArray(fc.integer(), { maxLength: 40 }), (seed, items) => {
                const [once, again] = [shuffler(seed)(items), shuffler(seed)(items)];
                assert.deepEqual(once, again);
                assert.deepEqual(once.toSorted(), items.toSorted());
            }),
        );
    });
    it("lets pass only what is old enough and between regions that stand", () => {
        const at = (ms: number, sourceRegion = "us-east-1") =>
            ({ at: new Date(ms).toISOString(), sourceRegion, destinationRegion: "us-west-2" }) as Waiting;
        const now = 1_000_000;
        const settings = { lagMs: 1000, paused: false, regions: [] };
        const [old, young, elsewhere] = [at(now - 1000), at(now - 999), at(now - 5000, "eu-west-1")];
        assert.deepEqual(ready([old, young, elsewhere], settings, now), [old, elsewhere]);
        assert.deepEqual(ready([old, elsewhere], { ...settings, regions: ["us-east-1"] }, now), [elsewhere]);
        assert.deepEqual(ready([old, elsewhere], { ...settings, regions: ["us-west-2"] }, now), []);
        assert.deepEqual(ready([old], { ...settings, paused: true }, now), []);
        assert.deepEqual(ready([at(now - 50)], { ...settings, lagMs: 0 }, now), []);
    });
});
