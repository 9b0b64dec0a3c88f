import { text, type Props } from "../values.ts";

import { ifThere } from "./services.ts";
import { amount, fromSdk, steering, json, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const iam = (call: Call) => call.aws.use("iam");
const tagList = (call: Call) => Object.entries(call.tags).map(([Key, Value]) => ({ Key, Value }));

const roleFields: Fields = {
    name: words("RoleName"),
    assumeRolePolicy: json("AssumeRolePolicyDocument"),
    description: words(),
    path: words(undefined, { assumed: "/" }),
    maxSessionDuration: amount(undefined, { assumed: 3600 }),
    permissionsBoundary: words(),
};
/** `managedPolicyArns` and `inlinePolicies` are refused: deprecated in favour of resources of their own. */
const role: Entry = {
    fields: { ...roleFields, forceDetachPolicies: steering },
    required: ["assumeRolePolicy"],
    outputs: ["arn", "createDate", "uniqueId"],
    replace: ["path"],
    global: true,
    tagged: true,
    named: { property: "name", limit: 64, prefixed: true },
    untold: ["forceDetachPolicies"],
    async create(call) {
        const { sdk, client } = await iam(call);
        const Tags = tagList(call);
        await client.send(
            new sdk.CreateRoleCommand({
                ...toSdk<{ RoleName: string; AssumeRolePolicyDocument: string }>(roleFields, call.inputs),
                ...(Tags.length > 0 && { Tags }),
            }),
        );
        return text(call.inputs["name"]);
    },
    async read(call) {
        const { sdk, client } = await iam(call);
        const found = (await ifThere(client.send(new sdk.GetRoleCommand({ RoleName: call.id }))))?.Role;
        if (!found) return undefined;
        return {
            ...fromSdk(roleFields, { ...found, PermissionsBoundary: found.PermissionsBoundary?.PermissionsBoundaryArn }),
            arn: found.Arn!,
            uniqueId: found.RoleId!,
            createDate: found.CreateDate!.toISOString(),
            tags: Object.fromEntries((found.Tags ?? []).map(({ Key, Value }) => [Key!, Value!])),
        };
    },
    async update(call) {
        const { sdk, client } = await iam(call);
        const RoleName = call.id;
        if (call.changed("assumeRolePolicy")) {
            const { AssumeRolePolicyDocument } = toSdk<{ AssumeRolePolicyDocument: string }>(roleFields, call.inputs, ["assumeRolePolicy"]);
            await client.send(new sdk.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: AssumeRolePolicyDocument }));
        }
        if (call.changed("description", "maxSessionDuration"))
            await client.send(
                new sdk.UpdateRoleCommand({
                    RoleName,
                    Description: text(call.inputs["description"]),
                    MaxSessionDuration: Number(call.inputs["maxSessionDuration"] ?? 3600),
                }),
            );
        if (call.changed("permissionsBoundary")) {
            const boundary = call.inputs["permissionsBoundary"];
            await (boundary === undefined
                ? client.send(new sdk.DeleteRolePermissionsBoundaryCommand({ RoleName }))
                : client.send(new sdk.PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: text(boundary) })));
        }
        if (call.changed("tags")) {
            const gone = Object.keys((call.state["tagsAll"] ?? {}) as Props).filter((name) => !(name in call.tags));
            if (gone.length > 0) await client.send(new sdk.UntagRoleCommand({ RoleName, TagKeys: gone }));
            if (tagList(call).length > 0) await client.send(new sdk.TagRoleCommand({ RoleName, Tags: tagList(call) }));
        }
    },
    async delete(call) {
        const { sdk, client } = await iam(call);
        if (call.state["forceDetachPolicies"] === true)
            for (const PolicyName of (await client.send(new sdk.ListRolePoliciesCommand({ RoleName: call.id }))).PolicyNames ?? [])
                await client.send(new sdk.DeleteRolePolicyCommand({ RoleName: call.id, PolicyName }));
        await client.send(new sdk.DeleteRoleCommand({ RoleName: call.id }));
    },
};

const rolePolicyFields: Fields = { name: words("PolicyName"), role: words("RoleName"), policy: json("PolicyDocument") };
const at = (call: Call): { RoleName: string; PolicyName: string } => {
    const [RoleName = "", PolicyName = ""] = call.id.split(":");
    return { RoleName, PolicyName };
};
async function putRolePolicy(call: Call): Promise<string> {
    const { sdk, client } = await iam(call);
    await client.send(new sdk.PutRolePolicyCommand(toSdk(rolePolicyFields, call.inputs)));
    return `${text(call.inputs["role"])}:${text(call.inputs["name"])}`;
}
const rolePolicy: Entry = {
    fields: rolePolicyFields,
    required: ["role", "policy"],
    replace: ["role"],
    global: true,
    named: { property: "name", limit: 128, prefixed: true },
    create: putRolePolicy,
    async read(call) {
        const { sdk, client } = await iam(call);
        const found = await ifThere(client.send(new sdk.GetRolePolicyCommand(at(call))));
        return found && fromSdk(rolePolicyFields, found);
    },
    update: async (call) => void (await putRolePolicy(call)),
    async delete(call) {
        const { sdk, client } = await iam(call);
        await client.send(new sdk.DeleteRolePolicyCommand(at(call)));
    },
};

/** Source: https://www.pulumi.com/registry/packages/aws/api-docs/iam/ and the IAM API reference. */
export const iamTypes: Readonly<Record<string, Entry>> = { "iam/role:Role": role, "iam/rolePolicy:RolePolicy": rolePolicy };
