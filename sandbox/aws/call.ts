import { cbor } from "@smithy/core/cbor";
import { services, type Dialect, type Endpoint, type Scope } from "./endpoints.ts";
import { s3Operation } from "./s3-operations.ts";

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One request to AWS, as far as it can be known without asking the account. */
export interface Call {
    readonly service: string;
    readonly dialect: Dialect;
    /** Region whose endpoint was dialled; "global" for the endpoints outside every region. */
    readonly region: string;
    /** As AWS names it, as in "PutObject". */
    readonly operation: string;
    /** IAM actions that it needs, as in "s3:PutObject". */
    readonly actions: readonly string[];
    readonly write: boolean;
    /** A write that a global control plane carries out: IAM, Route 53, buckets and their settings. */
    readonly globalWrite: boolean;
    readonly query: URLSearchParams;
    readonly headers: Headers;
    readonly scope: Scope | undefined;
    /** Address of the caller. */
    readonly source: string;
    /** Parameters of JSON and form bodies. */
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly bucket?: string;
    /** Key of the object. */
    readonly key?: string;
    /** S3: the action is on the bucket itself. */
    readonly onBucket: boolean;
    /** Bodies that had to be read to judge the call. */
    readonly body?: Buffer;
}

export interface RequestHead {
    readonly method: string;
    /** Path and query. */
    readonly url: string;
    readonly headers: Headers;
    readonly endpoint: Endpoint;
    readonly region: string;
    readonly scope: Scope | undefined;
    readonly source: string;
}

const first = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);
const isRead = (operation: string) => /^(Get|List|Describe|Head|BatchGet|Simulate|Test)/.test(operation);
/** Calls of KMS and STS that use something without changing it. */
const uses =
    /^(Encrypt|Decrypt|GenerateDataKey|GenerateDataKeyWithoutPlaintext|GenerateRandom|ReEncrypt|Sign|Verify|AssumeRole|AssumeRoleWithWebIdentity|DecodeAuthorizationMessage)$/;
const bodiedS3 = new Set(["DeleteObjects", "PutObjectTagging"]);

/** Route 53's requests by path. https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html */
const route53Paths: readonly [method: string, path: RegExp, operation: string][] = [
    ["POST", /^\/hostedzone$/, "CreateHostedZone"],
    ["GET", /^\/hostedzone$/, "ListHostedZones"],
    ["GET", /^\/hostedzonesbyname$/, "ListHostedZonesByName"],
    ["GET", /^\/hostedzone\/[^/]+$/, "GetHostedZone"],
    ["POST", /^\/hostedzone\/[^/]+$/, "UpdateHostedZoneComment"],
    ["DELETE", /^\/hostedzone\/[^/]+$/, "DeleteHostedZone"],
    ["POST", /^\/hostedzone\/[^/]+\/rrset$/, "ChangeResourceRecordSets"],
    ["GET", /^\/hostedzone\/[^/]+\/rrset$/, "ListResourceRecordSets"],
    ["GET", /^\/hostedzone\/[^/]+\/dnssec$/, "GetDNSSEC"],
    ["GET", /^\/change\/[^/]+$/, "GetChange"],
    ["POST", /^\/healthcheck$/, "CreateHealthCheck"],
    ["GET", /^\/healthcheck$/, "ListHealthChecks"],
    ["GET", /^\/healthcheck\/[^/]+$/, "GetHealthCheck"],
    ["POST", /^\/healthcheck\/[^/]+$/, "UpdateHealthCheck"],
    ["DELETE", /^\/healthcheck\/[^/]+$/, "DeleteHealthCheck"],
    ["GET", /^\/healthcheck\/[^/]+\/status$/, "GetHealthCheckStatus"],
    ["GET", /^\/tags\/[^/]+\/[^/]+$/, "ListTagsForResource"],
    ["POST", /^\/tags\/[^/]+\/[^/]+$/, "ChangeTagsForResource"],
];

/** Whether a call cannot be understood without its body. */
export function needsBody(head: RequestHead): boolean {
    const dialect = services[head.endpoint.service]?.dialect;
    if (dialect === "s3") {
        const located = locate(head);
        const operation = s3Operation(head.method, located.bucket !== undefined, located.key !== undefined, located.query, head.headers);
        return operation !== undefined && bodiedS3.has(operation.operation);
    }
    return dialect === "json" || dialect === "query" || dialect === "ec2";
}

function locate(head: RequestHead) {
    const url = new URL(head.url, "http://endpoint");
    const path = url.pathname.replace(/^\//, "");
    if (head.endpoint.bucket !== undefined)
        return {
            query: url.searchParams,
            path: url.pathname,
            bucket: head.endpoint.bucket,
            key: path === "" ? undefined : decodeURIComponent(path),
        };
    const slash = path.indexOf("/");
    const bucket = slash < 0 ? path : path.slice(0, slash);
    const key = slash < 0 ? "" : path.slice(slash + 1);
    return {
        query: url.searchParams,
        path: url.pathname,
        bucket: bucket === "" ? undefined : decodeURIComponent(bucket),
        key: key === "" ? undefined : decodeURIComponent(key),
    };
}

/**
 * Reads what a request asks for.
 * @param body needed if `needsBody(head)`
 * @returns undefined when the sandbox does not know such a request of a service that it has
 */
export function readCall(head: RequestHead, body: Buffer | undefined): Call | undefined {
    const traits = services[head.endpoint.service]!;
    const { query, path, bucket, key } = locate(head);
    const common = {
        service: head.endpoint.service,
        dialect: traits.dialect,
        region: head.region,
        query,
        headers: head.headers,
        scope: head.scope,
        source: head.source,
        parameters: {},
        onBucket: false,
        ...(body === undefined ? {} : { body }),
    };
    if (traits.dialect === "s3") {
        const s3 = s3Operation(head.method, bucket !== undefined, key !== undefined, query, head.headers);
        if (!s3) return undefined;
        const { operation, actions, write, settings, onBucket } = s3;
        const where = { ...(bucket === undefined ? {} : { bucket }), ...(key === undefined ? {} : { key }) };
        return { ...common, ...where, operation, actions, write, globalWrite: settings, onBucket };
    }
    const named = traits.dialect === "route53" ? fromPath(head.method, path) : fromBody(head, path, body ?? Buffer.alloc(0));
    if (!named) return undefined;
    const write = !isRead(named.operation) && !uses.test(named.operation);
    return { ...common, ...named, actions: [`${traits.actions}:${named.operation}`], write, globalWrite: write && traits.global === true };
}

function fromPath(method: string, path: string) {
    const within = path.replace(/^\/2013-04-01/, "").replace(/\/$/, "");
    const operation = route53Paths.find(([verb, pattern]) => verb === method && pattern.test(within))?.[2];
    return operation === undefined ? undefined : { operation, parameters: {} };
}

function fromBody(head: RequestHead, path: string, body: Buffer): { operation: string; parameters: Record<string, unknown> } | undefined {
    const target = first(head.headers["x-amz-target"])?.split(".").pop();
    if (target !== undefined) return { operation: target, parameters: JSON.parse(body.toString() || "{}") as Record<string, unknown> };
    const rpc = /^\/service\/[^/]+\/operation\/(\w+)$/.exec(path)?.[1];
    if (rpc !== undefined)
        return { operation: rpc, parameters: (body.length > 0 ? cbor.deserialize(body) : {}) as Record<string, unknown> };
    const form = new URLSearchParams(head.method === "GET" ? head.url.split("?")[1] : body.toString());
    const operation = form.get("Action");
    return operation === null ? undefined : { operation, parameters: Object.fromEntries(form) };
}
