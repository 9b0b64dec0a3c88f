/** What an S3 request asks for. */
export interface S3Operation {
    readonly operation: string;
    /** IAM actions that it needs on the object or bucket, all of them. */
    readonly actions: readonly string[];
    readonly write: boolean;
    /** Changes the bucket itself or its settings: S3's control plane, which is global. */
    readonly settings: boolean;
    /** The action is on the bucket, not on an object. */
    readonly onBucket: boolean;
}

/** Sub-resources of a bucket: query parameter -> [name in the operation, name in the IAM action, if another]. */
const bucketSettings: Readonly<Record<string, readonly [string, string?]>> = {
    accelerate: ["BucketAccelerateConfiguration", "AccelerateConfiguration"],
    acl: ["BucketAcl"],
    cors: ["BucketCors", "BucketCORS"],
    encryption: ["BucketEncryption", "EncryptionConfiguration"],
    lifecycle: ["BucketLifecycleConfiguration", "LifecycleConfiguration"],
    logging: ["BucketLogging"],
    notification: ["BucketNotificationConfiguration", "BucketNotification"],
    "object-lock": ["ObjectLockConfiguration", "BucketObjectLockConfiguration"],
    ownershipControls: ["BucketOwnershipControls"],
    policy: ["BucketPolicy"],
    policyStatus: ["BucketPolicyStatus"],
    publicAccessBlock: ["PublicAccessBlock", "BucketPublicAccessBlock"],
    replication: ["BucketReplication", "ReplicationConfiguration"],
    requestPayment: ["BucketRequestPayment"],
    tagging: ["BucketTagging"],
    versioning: ["BucketVersioning"],
    website: ["BucketWebsite"],
};
/** Deleting these settings is the same IAM action as putting them. */
const deletedByPut = new Set(["cors", "encryption", "lifecycle", "ownershipControls", "publicAccessBlock", "replication", "tagging"]);
/** Query parameters that are part of a plain request, not a sub-resource of their own. */
const harmless =
    /^(x-id|x-amz-.*|response-.*|versionId|partNumber|list-type|prefix|delimiter|encoding-type|marker|key-marker|version-id-marker|upload-id-marker|max-.*|continuation-token|start-after|fetch-owner|bucket-region)$/i;

const object = (operation: string, actions: string | readonly string[], write: boolean): S3Operation => ({
    operation,
    actions: (typeof actions === "string" ? [actions] : actions).map((action) => `s3:${action}`),
    write,
    settings: false,
    onBucket: false,
});
const bucket = (operation: string, action: string, write: boolean): S3Operation => ({
    operation,
    actions: [`s3:${action}`],
    write,
    settings: write,
    onBucket: true,
});

/**
 * Names an S3 request and the IAM actions that it needs.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 * @returns undefined for a request that the sandbox does not know, which is refused
 */
export function s3Operation(
    method: string,
    hasBucket: boolean,
    hasKey: boolean,
    query: URLSearchParams,
    headers: Readonly<Record<string, string | string[] | undefined>>,
): S3Operation | undefined {
    const subresources = [...query.keys()].filter((name) => !harmless.test(name) || name === "versions");
    const has = (name: string) => query.has(name);
    const unknown = (known: readonly string[]) => subresources.some((name) => !known.includes(name));
    if (!hasBucket) return method === "GET" && !unknown([]) ? { ...bucket("ListBuckets", "ListAllMyBuckets", false) } : undefined;
    return hasKey ? onObject(method, has, unknown, headers) : onBucket(method, has, unknown, subresources);
}

function onBucket(
    method: string,
    has: (name: string) => boolean,
    unknown: (known: readonly string[]) => boolean,
    subresources: readonly string[],
): S3Operation | undefined {
    if (method === "HEAD") return unknown([]) ? undefined : bucket("HeadBucket", "ListBucket", false);
    if (method === "POST")
        return has("delete") && !unknown(["delete"]) ? { ...bucket("DeleteObjects", "DeleteObject", true), settings: false } : undefined;
    if (method === "GET") {
        if (has("location")) return bucket("GetBucketLocation", "GetBucketLocation", false);
        if (has("uploads")) return bucket("ListMultipartUploads", "ListBucketMultipartUploads", false);
        if (has("versions")) return bucket("ListObjectVersions", "ListBucketVersions", false);
    }
    const [name, ...more] = subresources;
    if (more.length > 0) return undefined;
    if (name === undefined) {
        if (method === "GET") return bucket("ListObjectsV2", "ListBucket", false);
        if (method === "PUT") return bucket("CreateBucket", "CreateBucket", true);
        return method === "DELETE" ? bucket("DeleteBucket", "DeleteBucket", true) : undefined;
    }
    const setting = bucketSettings[name];
    if (!setting) return undefined;
    const action = setting[1] ?? setting[0];
    if (method === "GET") return bucket(`Get${setting[0]}`, `Get${action}`, false);
    if (method === "PUT") return bucket(`Put${setting[0]}`, `Put${action}`, true);
    return method === "DELETE"
        ? bucket(`Delete${setting[0]}`, deletedByPut.has(name) ? `Put${action}` : `Delete${action}`, true)
        : undefined;
}

function onObject(
    method: string,
    has: (name: string) => boolean,
    unknown: (known: readonly string[]) => boolean,
    headers: Readonly<Record<string, string | string[] | undefined>>,
): S3Operation | undefined {
    const version = has("versionId") ? "Version" : "";
    const sub = (name: string) => has(name) && !unknown([name]);
    switch (method) {
        case "GET":
        case "HEAD": {
            if (sub("uploadId")) return object("ListParts", "ListMultipartUploadParts", false);
            if (sub("tagging")) return object("GetObjectTagging", `GetObject${version}Tagging`, false);
            if (sub("retention")) return object("GetObjectRetention", "GetObjectRetention", false);
            if (sub("legal-hold")) return object("GetObjectLegalHold", "GetObjectLegalHold", false);
            if (sub("acl")) return object("GetObjectAcl", `GetObject${version}Acl`, false);
            if (sub("attributes")) return object("GetObjectAttributes", [`GetObject${version}`, `GetObject${version}Attributes`], false);
            return unknown([]) ? undefined : object(method === "HEAD" ? "HeadObject" : "GetObject", `GetObject${version}`, false);
        }
        case "PUT": {
            const copy = headers["x-amz-copy-source"] !== undefined;
            if (sub("uploadId")) return object(copy ? "UploadPartCopy" : "UploadPart", "PutObject", true);
            if (sub("tagging")) return object("PutObjectTagging", `PutObject${version}Tagging`, true);
            if (sub("retention")) return object("PutObjectRetention", retentionActions(headers), true);
            if (sub("legal-hold")) return object("PutObjectLegalHold", "PutObjectLegalHold", true);
            if (sub("acl")) return object("PutObjectAcl", `PutObject${version}Acl`, true);
            return unknown([]) ? undefined : object(copy ? "CopyObject" : "PutObject", putActions(headers), true);
        }
        case "POST": {
            if (sub("uploads")) return object("CreateMultipartUpload", putActions(headers), true);
            return sub("uploadId") ? object("CompleteMultipartUpload", "PutObject", true) : undefined;
        }
        case "DELETE": {
            if (sub("uploadId")) return object("AbortMultipartUpload", "AbortMultipartUpload", true);
            if (sub("tagging")) return object("DeleteObjectTagging", `DeleteObject${version}Tagging`, true);
            const bypass = headers["x-amz-bypass-governance-retention"] === undefined ? [] : ["BypassGovernanceRetention"];
            return unknown([]) ? undefined : object("DeleteObject", [`DeleteObject${version}`, ...bypass], true);
        }
        default:
            return undefined;
    }
}

/** Headers that set more than the object's body need the permission for that too. */
function putActions(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
    return [
        "PutObject",
        ...(headers["x-amz-tagging"] === undefined ? [] : ["PutObjectTagging"]),
        ...(headers["x-amz-object-lock-mode"] === undefined ? [] : ["PutObjectRetention"]),
        ...(headers["x-amz-object-lock-legal-hold"] === undefined ? [] : ["PutObjectLegalHold"]),
        ...(headers["x-amz-acl"] === undefined ? [] : ["PutObjectAcl"]),
    ];
}

const retentionActions = (headers: Readonly<Record<string, string | string[] | undefined>>) => [
    "PutObjectRetention",
    ...(headers["x-amz-bypass-governance-retention"] === undefined ? [] : ["BypassGovernanceRetention"]),
];
