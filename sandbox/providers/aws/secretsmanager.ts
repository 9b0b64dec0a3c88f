import { list, record, text, texts } from "../values.ts";
import { ifThere } from "./services.ts";
import { amount, flag, json, setOf, struct, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const manager = (call: Call) => call.aws.use("secretsmanager", call.region);
const tagList = (call: Call) => Object.entries(call.tags).map(([Key, Value]) => ({ Key, Value }));
const replicasOf = (replicas: unknown) =>
    list(replicas as [])
        .map(record)
        .map((one) => ({
            Region: text(one["region"]),
            ...(one["kmsKeyId"] !== undefined && one["kmsKeyId"] !== "" && { KmsKeyId: text(one["kmsKeyId"]) }),
        }));

const asked: Fields = { name: words(), description: words(), kmsKeyId: words() };
const told = { computed: true };
const secret: Entry = {
    fields: {
        ...asked,
        policy: json(undefined, told),
        recoveryWindowInDays: amount(),
        forceOverwriteReplicaSecret: flag(),
        replicas: setOf(
            struct({
                region: words(),
                kmsKeyId: words(undefined, told),
                lastAccessedDate: words(undefined, told),
                status: words(undefined, told),
                statusMessage: words(undefined, told),
            }),
        ),
    },
    outputs: ["arn"],
    tagged: true,
    named: { property: "name", limit: 512, prefixed: true },
    untold: ["recoveryWindowInDays", "forceOverwriteReplicaSecret"],
    async create(call) {
        const { sdk, client } = await manager(call);
        const AddReplicaRegions = replicasOf(call.inputs["replicas"]);
        const made = await client.send(
            new sdk.CreateSecretCommand({
                ...toSdk<{ Name: string }>(asked, call.inputs),
                ...(AddReplicaRegions.length > 0 && {
                    AddReplicaRegions,
                    ForceOverwriteReplicaSecret: call.inputs["forceOverwriteReplicaSecret"] === true,
                }),
                ...(tagList(call).length > 0 && { Tags: tagList(call) }),
            }),
        );
        const id = made.ARN!;
        call.made(id);
        if (call.inputs["policy"] !== undefined)
            await client.send(new sdk.PutResourcePolicyCommand({ SecretId: id, ResourcePolicy: text(call.inputs["policy"]) }));
        return id;
    },
    async read(call) {
        const { sdk, client } = await manager(call);
        const found = await ifThere(client.send(new sdk.DescribeSecretCommand({ SecretId: call.id })));
        if (!found || found.DeletedDate) return undefined;
        const policy = await client.send(new sdk.GetResourcePolicyCommand({ SecretId: call.id }));
        const replicas = (found.ReplicationStatus ?? []).map((one) => ({
            region: one.Region,
            ...(one.KmsKeyId !== undefined && { kmsKeyId: one.KmsKeyId }),
            status: one.Status,
            statusMessage: one.StatusMessage ?? "",
        }));
        return {
            arn: found.ARN!,
            name: found.Name!,
            ...(found.Description && { description: found.Description }),
            ...(found.KmsKeyId && { kmsKeyId: found.KmsKeyId }),
            ...(policy.ResourcePolicy && { policy: policy.ResourcePolicy }),
            ...(replicas.length > 0 && { replicas }),
            tags: Object.fromEntries((found.Tags ?? []).map(({ Key, Value }) => [Key!, Value!])),
        };
    },
    async update(call) {
        const { sdk, client } = await manager(call);
        const SecretId = call.id;
        if (call.changed("description", "kmsKeyId"))
            await client.send(
                new sdk.UpdateSecretCommand({
                    SecretId,
                    Description: text(call.inputs["description"]),
                    ...(call.inputs["kmsKeyId"] !== undefined && { KmsKeyId: text(call.inputs["kmsKeyId"]) }),
                }),
            );
        if (call.changed("policy"))
            await (call.inputs["policy"] === undefined
                ? client.send(new sdk.DeleteResourcePolicyCommand({ SecretId }))
                : client.send(new sdk.PutResourcePolicyCommand({ SecretId, ResourcePolicy: text(call.inputs["policy"]) })));
        const [before, now] = [replicasOf(call.state["replicas"]), replicasOf(call.inputs["replicas"])];
        const gone = before.map(({ Region }) => Region).filter((region) => !now.some(({ Region }) => Region === region));
        const added = now.filter(({ Region }) => !before.some((old) => old.Region === Region));
        if (gone.length > 0) await client.send(new sdk.RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: gone }));
        if (added.length > 0) await client.send(new sdk.ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: added }));
        if (call.changed("tags")) {
            const lost = Object.keys(record(call.state["tagsAll"])).filter((name) => !(name in call.tags));
            if (lost.length > 0) await client.send(new sdk.UntagResourceCommand({ SecretId, TagKeys: lost }));
            if (tagList(call).length > 0) await client.send(new sdk.TagResourceCommand({ SecretId, Tags: tagList(call) }));
        }
    },
    async delete(call) {
        const { sdk, client } = await manager(call);
        const RemoveReplicaRegions = replicasOf(call.state["replicas"]).map(({ Region }) => Region);
        if (RemoveReplicaRegions.length > 0)
            await client.send(new sdk.RemoveRegionsFromReplicationCommand({ SecretId: call.id, RemoveReplicaRegions }));
        const days = Number(call.state["recoveryWindowInDays"] ?? 30);
        await client.send(
            new sdk.DeleteSecretCommand({
                SecretId: call.id,
                ...(days === 0 ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: days }),
            }),
        );
    },
};

const partsOf = (call: Call): { SecretId: string; VersionId: string } => {
    const [SecretId = "", VersionId = ""] = call.id.split("|");
    return { SecretId, VersionId };
};
/** A value of a secret; another value is another version. `secretStringWo` is refused. */
const secretVersion: Entry = {
    fields: {
        secretId: words(),
        secretString: words(),
        secretBinary: words(),
        versionStages: setOf(words(), undefined, { computed: true }),
    },
    required: ["secretId"],
    outputs: ["arn", "secretArn", "versionId", "hasSecretStringWo"],
    replace: ["secretId", "secretString", "secretBinary"],
    check: ({ secretString, secretBinary }) =>
        (secretString === undefined) === (secretBinary === undefined)
            ? [{ property: "secretString", reason: "a version holds either secretString or secretBinary" }]
            : [],
    secrets: ["secretString", "secretBinary"],
    async create(call) {
        const { sdk, client } = await manager(call);
        const { secretString, secretBinary } = call.inputs;
        const made = await client.send(
            new sdk.PutSecretValueCommand({
                SecretId: text(call.inputs["secretId"]),
                ...(secretString !== undefined && { SecretString: text(secretString) }),
                ...(secretBinary !== undefined && { SecretBinary: Buffer.from(text(secretBinary), "base64") }),
                ...(call.inputs["versionStages"] !== undefined && { VersionStages: texts(call.inputs["versionStages"]) }),
            }),
        );
        return `${text(call.inputs["secretId"])}|${made.VersionId}`;
    },
    async read(call) {
        const { sdk, client } = await manager(call);
        const found = await ifThere(client.send(new sdk.GetSecretValueCommand(partsOf(call))));
        if (!found) return undefined;
        return {
            secretId: partsOf(call).SecretId,
            ...(found.SecretString !== undefined && { secretString: found.SecretString }),
            ...(found.SecretBinary !== undefined && { secretBinary: Buffer.from(found.SecretBinary).toString("base64") }),
            versionStages: found.VersionStages ?? [],
            versionId: found.VersionId!,
            arn: found.ARN!,
            secretArn: found.ARN!,
            hasSecretStringWo: false,
        };
    },
    async update(call) {
        const { sdk, client } = await manager(call);
        const { SecretId, VersionId } = partsOf(call);
        const [before, now] = [texts(call.state["versionStages"]), texts(call.inputs["versionStages"])];
        for (const VersionStage of now.filter((stage) => !before.includes(stage)))
            await client.send(new sdk.UpdateSecretVersionStageCommand({ SecretId, VersionStage, MoveToVersionId: VersionId }));
        for (const VersionStage of before.filter((stage) => now.length > 0 && !now.includes(stage)))
            await client.send(new sdk.UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId: VersionId }));
    },
    async delete(call) {
        const { sdk, client } = await manager(call);
        const { SecretId, VersionId } = partsOf(call);
        // AWSCURRENT cannot be taken off a version; it goes with the secret, or moves with the next value.
        for (const VersionStage of texts(call.state["versionStages"]).filter((stage) => stage !== "AWSCURRENT" && stage !== "AWSPREVIOUS"))
            await client.send(new sdk.UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId: VersionId }));
    },
};

/** Source: https://www.pulumi.com/registry/packages/aws/api-docs/secretsmanager/ and the Secrets Manager API reference. */
export const secretsManagerTypes: Readonly<Record<string, Entry>> = {
    "secretsmanager/secret:Secret": secret,
    "secretsmanager/secretVersion:SecretVersion": secretVersion,
};
