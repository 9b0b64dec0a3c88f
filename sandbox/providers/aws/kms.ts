import type { KMSClient, KeyMetadata } from "@aws-sdk/client-kms";
import { text, type Props } from "../values.ts";
import { ifThere } from "./services.ts";
import { amount, flag, json, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const kms = (call: Call, region = call.region) => call.aws.use("kms", region);
const tagList = (call: Call) => Object.entries(call.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));

/** What both sorts of key answer alike; undefined once the key is to be deleted, as the official provider sees it. */
async function describe(
    call: Call,
): Promise<
    | { key: KeyMetadata; props: Props; rotation: { KeyRotationEnabled?: boolean | undefined; RotationPeriodInDays?: number | undefined } }
    | undefined
> {
    const { sdk, client } = await kms(call);
    const key = (await ifThere(client.send(new sdk.DescribeKeyCommand({ KeyId: call.id }))))?.KeyMetadata;
    if (!key || key.KeyState === "PendingDeletion" || key.KeyState === "PendingReplicaDeletion") return undefined;
    const KeyId = key.KeyId!;
    const policy = await client.send(new sdk.GetKeyPolicyCommand({ KeyId, PolicyName: "default" }));
    const tags = await client.send(new sdk.ListResourceTagsCommand({ KeyId }));
    const rotation = await client.send(new sdk.GetKeyRotationStatusCommand({ KeyId }));
    const props = {
        arn: key.Arn!,
        keyId: KeyId,
        description: key.Description ?? "",
        keyUsage: key.KeyUsage,
        policy: policy.Policy,
        tags: Object.fromEntries((tags.Tags ?? []).map(({ TagKey, TagValue }) => [TagKey!, TagValue!])),
    };
    return { key, props, rotation };
}

async function retag(call: Call, client: KMSClient): Promise<void> {
    if (!call.changed("tags")) return;
    const { sdk } = await kms(call);
    const before = Object.keys((call.state["tagsAll"] ?? {}) as Props).filter((name) => !(name in call.tags));
    if (before.length > 0) await client.send(new sdk.UntagResourceCommand({ KeyId: call.id, TagKeys: before }));
    if (tagList(call).length > 0) await client.send(new sdk.TagResourceCommand({ KeyId: call.id, Tags: tagList(call) }));
}

/** Description, policy, state and tags are changed alike for both sorts of key. */
async function revise(call: Call, enabled: string): Promise<void> {
    const { sdk, client } = await kms(call);
    const KeyId = call.id;
    if (call.changed("description"))
        await client.send(new sdk.UpdateKeyDescriptionCommand({ KeyId, Description: text(call.inputs["description"]) }));
    if (call.changed("policy") && call.inputs["policy"] !== undefined)
        await client.send(new sdk.PutKeyPolicyCommand({ KeyId, PolicyName: "default", Policy: text(call.inputs["policy"]) }));
    if (call.changed(enabled) && call.inputs[enabled] !== undefined) {
        const on = call.inputs[enabled] === true;
        await client.send(on ? new sdk.EnableKeyCommand({ KeyId }) : new sdk.DisableKeyCommand({ KeyId }));
    }
    await retag(call, client);
}

async function rotate(call: Call): Promise<void> {
    const { sdk, client } = await kms(call);
    const KeyId = call.id;
    const days = call.inputs["rotationPeriodInDays"];
    await (call.inputs["enableKeyRotation"] === true
        ? client.send(new sdk.EnableKeyRotationCommand({ KeyId, ...(days !== undefined && { RotationPeriodInDays: Number(days) }) }))
        : client.send(new sdk.DisableKeyRotationCommand({ KeyId })));
}

/** Waits 7 to 30 days by itself, so a key that is gone from the state can still be saved. */
async function schedule(call: Call): Promise<void> {
    const { sdk, client } = await kms(call);
    await client.send(
        new sdk.ScheduleKeyDeletionCommand({ KeyId: call.id, PendingWindowInDays: Number(call.state["deletionWindowInDays"] ?? 30) }),
    );
}

const common: Fields = {
    description: words(undefined, { computed: true }),
    policy: json(undefined, { computed: true }),
    deletionWindowInDays: amount(),
};
const keyFields: Fields = {
    ...common,
    keyUsage: words(undefined, { assumed: "ENCRYPT_DECRYPT" }),
    customerMasterKeySpec: words("KeySpec", { assumed: "SYMMETRIC_DEFAULT" }),
    multiRegion: flag(undefined, { assumed: false, computed: true }),
    bypassPolicyLockoutSafetyCheck: flag(),
};
const key: Entry = {
    fields: {
        ...keyFields,
        isEnabled: flag(undefined, { assumed: true }),
        enableKeyRotation: flag(undefined, { assumed: false }),
        rotationPeriodInDays: amount(undefined, { computed: true }),
    },
    outputs: ["arn", "keyId"],
    replace: ["keyUsage", "customerMasterKeySpec", "multiRegion"],
    tagged: true,
    untold: ["deletionWindowInDays", "bypassPolicyLockoutSafetyCheck"],
    async create(call) {
        const { sdk, client } = await kms(call);
        const made = await client.send(
            new sdk.CreateKeyCommand({
                ...toSdk<object>(
                    keyFields,
                    call.inputs,
                    Object.keys(keyFields).filter((name) => name !== "deletionWindowInDays"),
                ),
                ...(tagList(call).length > 0 && { Tags: tagList(call) }),
            }),
        );
        const id = made.KeyMetadata!.KeyId!;
        call.made(id);
        if (call.inputs["enableKeyRotation"] === true) await rotate({ ...call, id });
        if (call.inputs["isEnabled"] === false) await client.send(new sdk.DisableKeyCommand({ KeyId: id }));
        return id;
    },
    async read(call) {
        const found = await describe(call);
        if (!found) return undefined;
        return {
            ...found.props,
            customerMasterKeySpec: found.key.KeySpec,
            multiRegion: found.key.MultiRegion === true,
            isEnabled: found.key.Enabled,
            enableKeyRotation: found.rotation.KeyRotationEnabled === true,
            ...(found.rotation.KeyRotationEnabled && { rotationPeriodInDays: found.rotation.RotationPeriodInDays ?? 365 }),
        };
    },
    async update(call) {
        await revise(call, "isEnabled");
        if (call.changed("enableKeyRotation", "rotationPeriodInDays")) await rotate(call);
    },
    delete: schedule,
};

const replicaKey: Entry = {
    fields: { ...common, primaryKeyArn: words(), enabled: flag(undefined, { assumed: true }), bypassPolicyLockoutSafetyCheck: flag() },
    required: ["primaryKeyArn"],
    outputs: ["arn", "keyId", "keyRotationEnabled", "keySpec", "keyUsage"],
    replace: ["primaryKeyArn"],
    tagged: true,
    untold: ["deletionWindowInDays", "bypassPolicyLockoutSafetyCheck"],
    async create(call) {
        const PrimaryArn = text(call.inputs["primaryKeyArn"]);
        // A replica is asked for in the primary key's region. Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
        const { sdk, client } = await kms(call, PrimaryArn.split(":")[3]);
        const made = await client.send(
            new sdk.ReplicateKeyCommand({
                KeyId: PrimaryArn,
                ReplicaRegion: call.region,
                ...toSdk<object>(replicaKey.fields, call.inputs, ["description", "policy", "bypassPolicyLockoutSafetyCheck"]),
                ...(tagList(call).length > 0 && { Tags: tagList(call) }),
            }),
        );
        const id = made.ReplicaKeyMetadata!.KeyId!;
        call.made(id);
        if (call.inputs["enabled"] === false) await (await kms(call)).client.send(new sdk.DisableKeyCommand({ KeyId: id }));
        return id;
    },
    async read(call) {
        const found = await describe(call);
        if (!found) return undefined;
        return {
            ...found.props,
            primaryKeyArn: found.key.MultiRegionConfiguration?.PrimaryKey?.Arn,
            enabled: found.key.Enabled,
            keyRotationEnabled: found.rotation.KeyRotationEnabled === true,
            keySpec: found.key.KeySpec,
        };
    },
    update: (call) => revise(call, "enabled"),
    delete: schedule,
};

const bare = (keyIdOrArn: string): string => keyIdOrArn.replace(/^arn:.*:key\//, "");
const alias: Entry = {
    fields: { name: words("AliasName"), targetKeyId: words() },
    required: ["targetKeyId"],
    outputs: ["arn", "targetKeyArn"],
    named: { property: "name", limit: 250, prefixed: true, form: (name) => (name.startsWith("alias/") ? name : `alias/${name}`) },
    check: ({ name }) =>
        text(name).startsWith("alias/") ? [] : [{ property: "name", reason: `an alias is named "alias/...", not "${text(name)}"` }],
    async create(call) {
        const { sdk, client } = await kms(call);
        await client.send(
            new sdk.CreateAliasCommand({ AliasName: text(call.inputs["name"]), TargetKeyId: text(call.inputs["targetKeyId"]) }),
        );
        return text(call.inputs["name"]);
    },
    async read(call) {
        const { sdk, client } = await kms(call);
        for await (const { Aliases } of sdk.paginateListAliases({ client }, {})) {
            const found = Aliases?.find(({ AliasName }) => AliasName === call.id);
            if (!found) continue;
            const arn = found.AliasArn!;
            const given = text(call.inputs["targetKeyId"] ?? call.state["targetKeyId"]);
            const target = found.TargetKeyId!;
            const targetKeyArn = arn.replace(/:alias\/.*$/, `:key/${target}`);
            return {
                name: call.id,
                arn,
                targetKeyArn,
                targetKeyId: bare(given) === target ? given : given.startsWith("arn:") ? targetKeyArn : target,
            };
        }
        return undefined;
    },
    async update(call) {
        const { sdk, client } = await kms(call);
        await client.send(new sdk.UpdateAliasCommand({ AliasName: call.id, TargetKeyId: text(call.inputs["targetKeyId"]) }));
    },
    async delete(call) {
        const { sdk, client } = await kms(call);
        await client.send(new sdk.DeleteAliasCommand({ AliasName: call.id }));
    },
};

/** Source: https://www.pulumi.com/registry/packages/aws/api-docs/kms/ and the KMS API reference. */
export const kmsTypes: Readonly<Record<string, Entry>> = {
    "kms/key:Key": key,
    "kms/replicaKey:ReplicaKey": replicaKey,
    "kms/alias:Alias": alias,
};
