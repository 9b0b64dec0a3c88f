/** Names of AWS that have the same address for everybody, with their TTL in seconds. */
export interface AwsAddresses {
    /** Region -> address of its endpoints. */
    readonly regions: Readonly<Record<string, string>>;
    /** Address of the endpoints outside every region. */
    readonly global: string;
    /** What the TTLs of load balancers are divided by. */
    readonly fast: number;
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html: "a time-to-live (TTL) of 60 seconds". */
const loadBalancerTtl = 60;
const endpointTtl = 5;

/**
 * Address of a name under amazonaws.com: a region's endpoints (whatever the service: the gate refuses those that it does not know), global endpoints
 * (`iam.amazonaws.com`), buckets by the legacy global name, and load balancers, whose names carry their address: `NAME-0a018107.elb.REGION.amazonaws.com` is 10.1.129.7.
 * @returns undefined when there is no such name in the sandbox
 */
export function awsAddress(name: string, { regions, global, fast }: AwsAddresses): { address: string; ttl: number } | undefined {
    const within = /^(?<labels>(?:[^.]+\.)*?)(?:(?<region>[a-z]{2}(?:-[a-z]+)+-\d)\.)?amazonaws\.com$/.exec(name)?.groups;
    if (!within) return undefined;
    const labels = within["labels"]!.split(".").filter(Boolean);
    const region = within["region"];
    if (region === undefined) {
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html: the legacy global endpoint is that of us-east-1.
        if (labels.at(-1) === "s3") return { address: regions["us-east-1"] ?? global, ttl: endpointTtl };
        return labels.length === 1 ? { address: global, ttl: endpointTtl } : undefined;
    }
    const address = Object.hasOwn(regions, region) ? regions[region] : undefined;
    if (address === undefined || labels.length === 0) return undefined;
    if (labels.at(-1) !== "elb") return { address, ttl: endpointTtl };
    const hex = labels.length === 2 ? /-([0-9a-f]{8})$/.exec(labels[0]!)?.[1] : undefined;
    if (hex === undefined) return undefined;
    const bytes = [0, 2, 4, 6].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
    return { address: bytes.join("."), ttl: Math.max(1, Math.ceil(loadBalancerTtl / fast)) };
}
