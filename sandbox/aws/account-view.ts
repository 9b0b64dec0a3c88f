import {
    GetOpenIDConnectProviderCommand,
    GetPolicyCommand,
    GetPolicyVersionCommand,
    GetRoleCommand,
    GetRolePolicyCommand,
    IAMClient,
    paginateListAttachedRolePolicies,
    paginateListRolePolicies,
} from "@aws-sdk/client-iam";
import { DescribeKeyCommand, GetKeyPolicyCommand, KMSClient, ListAliasesCommand } from "@aws-sdk/client-kms";
import {
    GetBucketEncryptionCommand,
    GetBucketLocationCommand,
    GetBucketPolicyCommand,
    HeadObjectCommand,
    S3Client,
} from "@aws-sdk/client-s3";
import { DescribeSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { PolicyDocument } from "./policies.ts";

/** Values that are read once and forgotten when something that they depend on is written. */
class Memory<T> {
    readonly #values = new Map<string, Promise<T>>();
    /** A failed read is not kept. */
    get(key: string, read: () => Promise<T>): Promise<T> {
        const known = this.#values.get(key);
        if (known) return known;
        const value = read();
        this.#values.set(key, value);
        value.catch(() => this.#values.get(key) === value && this.#values.delete(key));
        return value;
    }
    clear(): void {
        this.#values.clear();
    }
}

export interface KeyView {
    readonly arn: string;
    readonly aliases: readonly string[];
    readonly policy: PolicyDocument | undefined;
}
export interface BucketKey {
    readonly id: string;
    /** S3 Bucket Keys: the encryption context names the bucket instead of the object. */
    readonly perBucket: boolean;
}
export interface RoleView {
    readonly arn: string;
    readonly trust: PolicyDocument;
    readonly policies: readonly PolicyDocument[];
}

/** `undefined` for what the account does not have; anything else that goes wrong is thrown. */
async function orAbsent<T>(reading: Promise<T>, ...absent: readonly string[]): Promise<T | undefined> {
    try {
        return await reading;
    } catch (error) {
        if (absent.includes((error as Error).name)) return undefined;
        throw error;
    }
}

const document = (text: string | undefined): PolicyDocument | undefined =>
    text === undefined ? undefined : (JSON.parse(text) as PolicyDocument);

/**
 * What the gate must know of the account to judge a request: read from the stand-in itself and kept until a write passes the gate.
 * @param endpoint of moto, as in "http://127.0.0.1:5000"
 */
export function accountView(endpoint: string) {
    const common = { endpoint, credentials: { accessKeyId: "AKIAGATE", secretAccessKey: "gate" } };
    const s3 = new S3Client({ ...common, region: "us-east-1", forcePathStyle: true });
    const iam = new IAMClient({ ...common, region: "us-east-1" });
    const perRegion = <C>(make: (region: string) => C) => {
        const clients = new Map<string, C>();
        return (region: string) => clients.get(region) ?? (clients.set(region, make(region)), clients.get(region)!);
    };
    const kms = perRegion((region) => new KMSClient({ ...common, region }));
    const secrets = perRegion((region) => new SecretsManagerClient({ ...common, region }));
    const homes = new Memory<string>();
    const bucketPolicies = new Memory<PolicyDocument | undefined>();
    const bucketKeys = new Memory<BucketKey | undefined>();
    const roles = new Memory<RoleView | undefined>();
    const providers = new Memory<readonly string[] | undefined>();
    const keys = new Memory<KeyView | undefined>();

    async function readRole(name: string): Promise<RoleView | undefined> {
        const role = (await orAbsent(iam.send(new GetRoleCommand({ RoleName: name })), "NoSuchEntityException", "NoSuchEntity"))?.Role;
        if (!role) return undefined;
        const policies: PolicyDocument[] = [];
        for await (const page of paginateListRolePolicies({ client: iam }, { RoleName: name }))
            for (const PolicyName of page.PolicyNames ?? []) {
                const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName }));
                policies.push(document(decodeURIComponent(PolicyDocument!))!);
            }
        for await (const page of paginateListAttachedRolePolicies({ client: iam }, { RoleName: name }))
            for (const { PolicyArn } of page.AttachedPolicies ?? []) {
                const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
                const version = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy!.DefaultVersionId }));
                policies.push(document(decodeURIComponent(version.PolicyVersion!.Document!))!);
            }
        return { arn: role.Arn!, trust: document(decodeURIComponent(role.AssumeRolePolicyDocument!))!, policies };
    }

    async function readKey(region: string, id: string): Promise<KeyView | undefined> {
        const described = await orAbsent(kms(region).send(new DescribeKeyCommand({ KeyId: id })), "NotFoundException");
        const metadata = described?.KeyMetadata;
        if (!metadata) return undefined;
        const aliases = await kms(region).send(new ListAliasesCommand({ KeyId: metadata.KeyId }));
        const policy = await kms(region).send(new GetKeyPolicyCommand({ KeyId: metadata.KeyId, PolicyName: "default" }));
        return { arn: metadata.Arn!, aliases: (aliases.Aliases ?? []).map((alias) => alias.AliasName!), policy: document(policy.Policy) };
    }

    return {
        /** Region that a bucket is in; undefined when there is no such bucket. */
        bucketHome: (bucket: string): Promise<string | undefined> =>
            orAbsent(
                homes.get(bucket, async () => {
                    const { LocationConstraint } = await s3.send(new GetBucketLocationCommand({ Bucket: bucket }));
                    return LocationConstraint ?? "us-east-1";
                }),
                "NoSuchBucket",
            ),
        bucketPolicy: (bucket: string) =>
            bucketPolicies.get(bucket, async () =>
                document(
                    (await orAbsent(s3.send(new GetBucketPolicyCommand({ Bucket: bucket })), "NoSuchBucketPolicy", "NoSuchBucket"))?.Policy,
                ),
            ),
        /** Key that the bucket encrypts with by default; undefined when it does not use SSE-KMS. */
        bucketKey: (bucket: string) =>
            bucketKeys.get(bucket, async () => {
                const encryption = await orAbsent(
                    s3.send(new GetBucketEncryptionCommand({ Bucket: bucket })),
                    "ServerSideEncryptionConfigurationNotFoundError",
                    "NoSuchBucket",
                );
                const rule = encryption?.ServerSideEncryptionConfiguration?.Rules?.[0];
                const id = rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID;
                return id === undefined ? undefined : { id, perBucket: rule?.BucketKeyEnabled ?? false };
            }),
        /** Key that an object is encrypted with; undefined for none, and for no object. */
        async objectKey(bucket: string, key: string, versionId: string | undefined): Promise<string | undefined> {
            const head = await orAbsent(
                s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ...(versionId === undefined ? {} : { VersionId: versionId }) })),
                "NotFound",
                "NoSuchKey",
                "NoSuchVersion",
                "MethodNotAllowed",
                "405",
                "403",
            );
            return head?.SSEKMSKeyId;
        },
        /** @param name of the role, without path */
        role: (name: string) => roles.get(name, () => readRole(name)),
        /** Audiences that an OIDC provider accepts; undefined when the account does not have it. */
        oidcAudiences: (arn: string) =>
            providers.get(arn, async () => {
                const reading = iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }));
                return (await orAbsent(reading, "NoSuchEntityException", "NoSuchEntity"))?.ClientIDList;
            }),
        /** @param id key id, ARN, alias or alias ARN */
        key: (region: string, id: string) => keys.get(`${region} ${id}`, () => readKey(region, id)),
        async secretArn(region: string, id: string): Promise<string | undefined> {
            return (await orAbsent(secrets(region).send(new DescribeSecretCommand({ SecretId: id })), "ResourceNotFoundException"))?.ARN;
        },
        /** Something was written: forget what may have changed. */
        written(service: string, operation: string): void {
            if (service === "iam") (roles.clear(), providers.clear());
            if (service === "kms") keys.clear();
            if (service !== "s3") return;
            if (operation.includes("Policy")) bucketPolicies.clear();
            if (operation.includes("Encryption")) bucketKeys.clear();
            if (operation === "CreateBucket" || operation === "DeleteBucket") (homes.clear(), bucketPolicies.clear(), bucketKeys.clear());
        },
    };
}
export type AccountView = ReturnType<typeof accountView>;
