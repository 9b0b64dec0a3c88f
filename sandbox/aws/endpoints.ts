/** How a service words its errors, and where a request says what it wants. */
export type Dialect = "s3" | "json" | "query" | "ec2" | "route53";

interface ServiceTraits {
    readonly dialect: Dialect;
    /** Prefix of its IAM actions. */
    readonly actions: string;
    /** Its only endpoint is outside every region. */
    readonly global?: true;
}

/**
 * The services that stand in the sandbox, by the first label of their endpoint's name; every other one is refused.
 * https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
 */
export const services: Readonly<Record<string, ServiceTraits>> = {
    s3: { dialect: "s3", actions: "s3" },
    kms: { dialect: "json", actions: "kms" },
    secretsmanager: { dialect: "json", actions: "secretsmanager" },
    monitoring: { dialect: "json", actions: "cloudwatch" },
    acm: { dialect: "json", actions: "acm" },
    sts: { dialect: "query", actions: "sts" },
    autoscaling: { dialect: "query", actions: "autoscaling" },
    ec2: { dialect: "ec2", actions: "ec2" },
    iam: { dialect: "query", actions: "iam", global: true },
    route53: { dialect: "route53", actions: "route53", global: true },
};

export interface Endpoint {
    readonly service: string;
    /** undefined: the service's global endpoint. */
    readonly region: string | undefined;
    /** Virtual-hosted bucket. */
    readonly bucket?: string;
}

/**
 * What an endpoint's name says: `kms.us-west-2.amazonaws.com`, `iam.amazonaws.com`, `BUCKET.s3.us-west-2.amazonaws.com`, `BUCKET.s3.amazonaws.com`.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 * @returns undefined when the name is no endpoint of AWS; the service may still be one that the sandbox does not have
 */
export function readEndpoint(host: string): Endpoint | undefined {
    const name = host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
    const s3 = /^(?:(?<bucket>.+)\.)?s3(?:\.dualstack)?(?:[.-](?<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com$/.exec(name);
    if (s3) return { service: "s3", region: s3.groups!["region"], ...(s3.groups!["bucket"] ? { bucket: s3.groups!["bucket"] } : {}) };
    const other = /^(?<service>[a-z0-9-]+)(?:\.(?<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com$/.exec(name);
    return other ? { service: other.groups!["service"]!, region: other.groups!["region"] } : undefined;
}

export interface Scope {
    readonly accessKey: string;
    readonly region: string;
    readonly service: string;
}

/**
 * The credential scope of a SigV4 request, from its header or its presigned query; the signature itself is not verified.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function readScope(authorization: string | undefined, query: URLSearchParams): Scope | undefined {
    const credential = /Credential=([^,\s]+)/.exec(authorization ?? "")?.[1] ?? query.get("X-Amz-Credential") ?? "";
    const [accessKey, date, region, service, terminal] = credential.split("/");
    return accessKey && date && region && service && terminal === "aws4_request" ? { accessKey, region, service } : undefined;
}
