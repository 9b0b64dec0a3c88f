import type { AutoScalingGroup } from "@aws-sdk/client-auto-scaling";
import { list, record, text, texts, type Props } from "../values.ts";
import { amount, flag, fromSdk, items, setOf, steering, struct, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const put: Fields = {
    name: words("AutoScalingGroupName"),
    minSize: amount(),
    maxSize: amount(),
    desiredCapacity: amount(undefined, { computed: true }),
    defaultCooldown: amount(undefined, { computed: true }),
    defaultInstanceWarmup: amount(),
    healthCheckType: words(undefined, { computed: true }),
    healthCheckGracePeriod: amount(undefined, { assumed: 300, computed: true }),
    capacityRebalance: flag(),
    maxInstanceLifetime: amount(),
    protectFromScaleIn: flag("NewInstancesProtectedFromScaleIn"),
    serviceLinkedRoleArn: words("ServiceLinkedRoleARN", { computed: true }),
    terminationPolicies: items(words(), undefined, { computed: true }),
    launchTemplate: struct({
        id: words("LaunchTemplateId", { computed: true }),
        name: words("LaunchTemplateName", { computed: true }),
        version: words(undefined, { assumed: "$Default" }),
    }),
};
const fields: Fields = {
    ...put,
    vpcZoneIdentifiers: setOf(words(), undefined, { computed: true }),
    availabilityZones: setOf(words(), undefined, { computed: true }),
    targetGroupArns: setOf(words(), "TargetGroupARNs"),
    tags: setOf(struct({ key: words(), value: words(), propagateAtLaunch: flag() })),
    forceDelete: steering,
    waitForCapacityTimeout: words(),
};
const autoscaling = (call: Call) => call.aws.use("autoscaling", call.region);

const parameters = (call: Call): { AutoScalingGroupName: string; MinSize: number; MaxSize: number } => ({
    ...toSdk<{ AutoScalingGroupName: string; MinSize: number; MaxSize: number }>(put, call.inputs),
    ...(call.inputs["vpcZoneIdentifiers"] !== undefined && { VPCZoneIdentifier: texts(call.inputs["vpcZoneIdentifiers"]).join(",") }),
    ...(call.inputs["availabilityZones"] !== undefined && { AvailabilityZones: texts(call.inputs["availabilityZones"]) }),
});
/** A group's tags are a list of their own form; the provider's default tags do not reach them. */
const tagsOf = (call: Call, tags = call.inputs["tags"]) =>
    list(tags)
        .map(record)
        .map((tag) => ({
            ResourceId: text(call.inputs["name"] ?? call.id),
            ResourceType: "auto-scaling-group",
            Key: text(tag["key"]),
            Value: text(tag["value"]),
            PropagateAtLaunch: tag["propagateAtLaunch"] === true,
        }));

async function find(call: Call): Promise<AutoScalingGroup | undefined> {
    const { sdk, client } = await autoscaling(call);
    const answer = await client.send(new sdk.DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [call.id] }));
    return answer.AutoScalingGroups?.find(({ Status }) => Status === undefined);
}

/** Go's notation of a duration, as `10m` or `1h30m`, in ms. */
const duration = (given: string): number =>
    [...given.matchAll(/(\d+(?:\.\d+)?)(h|m(?!s)|s|ms)/g)].reduce(
        (sum, [, number, unit]) => sum + Number(number) * { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }[unit as "h"],
        0,
    );

/**
 * Waits, 10 minutes by default, until as many instances are in service and healthy as are wanted.
 * Source: `waitForCapacityTimeout` of https://www.pulumi.com/registry/packages/aws/api-docs/autoscaling/group/
 */
async function capacity(call: Call): Promise<void> {
    const limit = duration(text(call.inputs["waitForCapacityTimeout"] ?? "10m"));
    const wanted = Number(call.inputs["desiredCapacity"] ?? call.inputs["minSize"] ?? 0);
    for (const until = Date.now() + limit; limit > 0; await new Promise((resolve) => setTimeout(resolve, 1000))) {
        const healthy = (await find(call))?.Instances?.filter(
            (one) => one.LifecycleState === "InService" && /^healthy$/i.test(one.HealthStatus ?? ""),
        );
        const have = healthy?.length ?? 0;
        if (call.inputs["desiredCapacity"] === undefined ? have >= wanted : have === wanted) return;
        if (Date.now() > until)
            throw new Error(`${have} of ${wanted} instances are in service after ${text(call.inputs["waitForCapacityTimeout"] ?? "10m")}`);
    }
}

const group: Entry = {
    fields,
    required: ["minSize", "maxSize"],
    outputs: ["arn", "predictedCapacity", "warmPoolSize"],
    replace: ["availabilityZones"],
    named: { property: "name", limit: 255, prefixed: true },
    untold: ["forceDelete", "waitForCapacityTimeout"],
    check: ({ launchTemplate }) =>
        launchTemplate === undefined ? [{ property: "launchTemplate", reason: "a group needs a launchTemplate here" }] : [],
    async create(call) {
        const { sdk, client } = await autoscaling(call);
        const Tags = tagsOf(call);
        const TargetGroupARNs = texts(call.inputs["targetGroupArns"]);
        await client.send(
            new sdk.CreateAutoScalingGroupCommand({
                ...parameters(call),
                ...(Tags.length > 0 && { Tags }),
                ...(TargetGroupARNs.length > 0 && { TargetGroupARNs }),
            }),
        );
        const id = text(call.inputs["name"]);
        call.made(id);
        await capacity({ ...call, id });
        return id;
    },
    async read(call) {
        const found = await find(call);
        if (!found) return undefined;
        const zones = found.VPCZoneIdentifier ? found.VPCZoneIdentifier.split(",") : [];
        const given = record(call.inputs["launchTemplate"] ?? call.state["launchTemplate"]);
        const template = { ...record(fromSdk(put, found)["launchTemplate"]) };
        // The program may name the template by id or by name: the service answers both.
        for (const name of ["id", "name"]) if (Object.keys(given).length > 0 && given[name] === undefined) delete template[name];
        return {
            ...fromSdk(fields, {
                ...found,
                Tags: (found.Tags ?? []).map(({ Key, Value, PropagateAtLaunch }) => ({ Key, Value, PropagateAtLaunch })),
            }),
            ...(zones.length > 0 && { vpcZoneIdentifiers: zones }),
            launchTemplate: template as Props,
            arn: found.AutoScalingGroupARN!,
            predictedCapacity: found.PredictedCapacity ?? 0,
            warmPoolSize: found.WarmPoolSize ?? 0,
        };
    },
    async update(call) {
        const { sdk, client } = await autoscaling(call);
        await client.send(new sdk.UpdateAutoScalingGroupCommand(parameters(call)));
        if (call.changed("tags")) {
            const kept = new Set(tagsOf(call).map(({ Key }) => Key));
            const gone = tagsOf(call, call.state["tags"]).filter(({ Key }) => !kept.has(Key));
            if (gone.length > 0) await client.send(new sdk.DeleteTagsCommand({ Tags: gone }));
            if (kept.size > 0) await client.send(new sdk.CreateOrUpdateTagsCommand({ Tags: tagsOf(call) }));
        }
        if (call.changed("targetGroupArns")) {
            const AutoScalingGroupName = call.id;
            const [before, now] = [texts(call.state["targetGroupArns"]), texts(call.inputs["targetGroupArns"])];
            const [gone, added] = [before.filter((arn) => !now.includes(arn)), now.filter((arn) => !before.includes(arn))];
            if (gone.length > 0)
                await client.send(new sdk.DetachLoadBalancerTargetGroupsCommand({ AutoScalingGroupName, TargetGroupARNs: gone }));
            if (added.length > 0)
                await client.send(new sdk.AttachLoadBalancerTargetGroupsCommand({ AutoScalingGroupName, TargetGroupARNs: added }));
        }
        if (call.changed("minSize", "maxSize", "desiredCapacity")) await capacity(call);
    },
    async delete(call) {
        const { sdk, client } = await autoscaling(call);
        const AutoScalingGroupName = call.id;
        // The official provider drains the group to 0 and waits for it, or lets the service do both at once with forceDelete.
        if (call.state["forceDelete"] !== true) {
            await client.send(new sdk.UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MinSize: 0, MaxSize: 0, DesiredCapacity: 0 }));
            for (
                const until = Date.now() + 600_000;
                ((await find(call))?.Instances ?? []).length > 0;
                await new Promise((resolve) => setTimeout(resolve, 1000))
            )
                if (Date.now() > until) throw new Error("its instances are still there after 10 minutes");
        }
        await client.send(new sdk.DeleteAutoScalingGroupCommand({ AutoScalingGroupName, ForceDelete: call.state["forceDelete"] === true }));
    },
};

/** Source: https://www.pulumi.com/registry/packages/aws/api-docs/autoscaling/group/ and the Auto Scaling API reference. */
export const autoscalingTypes: Readonly<Record<string, Entry>> = { "autoscaling/group:Group": group };
