import { NodeHttpHandler } from "@smithy/node-http-handler";

/** How the provider is configured: what `aws.Provider` and the environment said. */
export interface Settings {
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | undefined;
    /** Endpoint by service (`s3`, `kms`...); the SDK itself honours AWS_ENDPOINT_URL. */
    endpoints: Readonly<Record<string, string>>;
    s3UsePathStyle: boolean;
    defaultTags: Readonly<Record<string, string>>;
}

/** A dead region must fail an `up` within the minute, not hang it: connect 2 s, answer 20 s, two attempts. The SDK has no limits by default. */
const limits = { connectionTimeout: 2_000, requestTimeout: 20_000, throwOnRequestTimeout: true };

const options = (settings: Settings, service: string, region: string) => ({
    region,
    maxAttempts: 2,
    requestHandler: new NodeHttpHandler(limits),
    ...(settings.credentials && { credentials: settings.credentials }),
    ...(settings.endpoints[service] !== undefined && { endpoint: settings.endpoints[service] }),
});

// Each SDK is loaded when its service is first called: a preview needs none of them.
const loaders = {
    s3: async (settings: Settings, region: string) => {
        const sdk = await import("@aws-sdk/client-s3");
        const custom =
            settings.s3UsePathStyle ||
            [process.env["AWS_ENDPOINT_URL"], process.env["AWS_ENDPOINT_URL_S3"], settings.endpoints["s3"]].some(Boolean);
        return { sdk, client: new sdk.S3Client({ ...options(settings, "s3", region), forcePathStyle: custom }) };
    },
    kms: async (settings: Settings, region: string) => {
        const sdk = await import("@aws-sdk/client-kms");
        return { sdk, client: new sdk.KMSClient(options(settings, "kms", region)) };
    },
    iam: async (settings: Settings, region: string) => {
        const sdk = await import("@aws-sdk/client-iam");
        return { sdk, client: new sdk.IAMClient(options(settings, "iam", region)) };
    },
    route53: async (settings: Settings, region: string) => {
        const sdk = await import("@aws-sdk/client-route-53");
        return { sdk, client: new sdk.Route53Client(options(settings, "route53", region)) };
    },
    cloudwatch: async (settings: Settings, region: string) => {
        const sdk = await import("@aws-sdk/client-cloudwatch");
        return { sdk, client: new sdk.CloudWatchClient(options(settings, "cloudwatch", region)) };
    },
    ec2: async (settings: Settings, region: string) => {
        const sdk = await import("@aws-sdk/client-ec2");
        return { sdk, client: new sdk.EC2Client(options(settings, "ec2", region)) };
    },
    autoscaling: async (settings: Settings, region: string) => {
        const sdk = await import("@aws-sdk/client-auto-scaling");
        return { sdk, client: new sdk.AutoScalingClient(options(settings, "autoscaling", region)) };
    },
    secretsmanager: async (settings: Settings, region: string) => {
        const sdk = await import("@aws-sdk/client-secrets-manager");
        return { sdk, client: new sdk.SecretsManagerClient(options(settings, "secretsmanager", region)) };
    },
    sts: async (settings: Settings, region: string) => {
        const sdk = await import("@aws-sdk/client-sts");
        return { sdk, client: new sdk.STSClient(options(settings, "sts", region)) };
    },
};
export type ServiceName = keyof typeof loaders;
type Loaded<N extends ServiceName> = Awaited<ReturnType<(typeof loaders)[N]>>;

/** The clients of one configuration: one a service and region. */
export class Services {
    readonly settings: Settings;
    readonly #clients = new Map<string, Promise<unknown>>();
    #account: Promise<string> | undefined;

    constructor(settings: Settings) {
        this.settings = settings;
    }

    /** The service's SDK and its client in a region, by default the provider's. */
    use<N extends ServiceName>(service: N, region = this.settings.region): Promise<Loaded<N>> {
        const key = `${service} ${region}`;
        const present = this.#clients.get(key) ?? loaders[service](this.settings, region);
        this.#clients.set(key, present);
        return present as Promise<Loaded<N>>;
    }

    /** Number of the account that the credentials belong to. */
    account(): Promise<string> {
        this.#account ??= this.use("sts").then(
            async ({ sdk, client }) => (await client.send(new sdk.GetCallerIdentityCommand({}))).Account!,
        );
        return this.#account;
    }
}

/** Whether an error of the service says that what was asked for is not there. */
export function isAbsent(error: unknown): boolean {
    const { name = "", $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
    return $metadata?.httpStatusCode === 404 || /NotFound|NoSuch/.test(name);
}

/** What a call gives, or undefined where the service says that it is not there. */
export async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
    try {
        return await call;
    } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
    }
}
