import { randomUUID } from "node:crypto";
import { record as recordOf, text } from "../values.ts";
import { changeRecords, plainName, record, recordsOf } from "./route53-record.ts";
import { ifThere } from "./services.ts";
import { amount, flag, fromSdk, setOf, steering, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const route53 = (call: Call) => call.aws.use("route53");

async function tagsOf(call: Call, ResourceType: "hostedzone" | "healthcheck"): Promise<Record<string, string>> {
    const { sdk, client } = await route53(call);
    const { ResourceTagSet } = await client.send(new sdk.ListTagsForResourceCommand({ ResourceType, ResourceId: call.id }));
    return Object.fromEntries((ResourceTagSet?.Tags ?? []).map(({ Key, Value }) => [Key!, Value!]));
}
async function retag(call: Call, ResourceType: "hostedzone" | "healthcheck"): Promise<void> {
    const AddTags = Object.entries(call.tags).map(([Key, Value]) => ({ Key, Value }));
    const RemoveTagKeys = Object.keys(recordOf(call.state["tagsAll"])).filter((name) => !(name in call.tags));
    if (AddTags.length + RemoveTagKeys.length === 0) return;
    const { sdk, client } = await route53(call);
    const change = {
        ResourceType,
        ResourceId: call.id,
        ...(AddTags.length > 0 && { AddTags }),
        ...(RemoveTagKeys.length > 0 && { RemoveTagKeys }),
    };
    await client.send(new sdk.ChangeTagsForResourceCommand(change));
}

const zone: Entry = {
    fields: {
        name: words(undefined, { fold: true }),
        comment: words(undefined, { assumed: "Managed by Pulumi", computed: true }),
        forceDestroy: steering,
    },
    required: ["name"],
    outputs: ["arn", "nameServers", "primaryNameServer", "zoneId"],
    replace: ["name"],
    global: true,
    tagged: true,
    untold: ["forceDestroy"],
    async create(call) {
        const { sdk, client } = await route53(call);
        const made = await client.send(
            new sdk.CreateHostedZoneCommand({
                Name: text(call.inputs["name"]),
                CallerReference: randomUUID(),
                HostedZoneConfig: { Comment: text(call.inputs["comment"] ?? "Managed by Pulumi") },
            }),
        );
        const id = made.HostedZone!.Id!.split("/").pop()!;
        call.made(id);
        await retag({ ...call, id }, "hostedzone");
        return id;
    },
    async read(call) {
        const { sdk, client } = await route53(call);
        const found = await ifThere(client.send(new sdk.GetHostedZoneCommand({ Id: call.id })));
        if (!found) return undefined;
        const nameServers = [...(found.DelegationSet?.NameServers ?? [])].sort();
        return {
            name: plainName(found.HostedZone!.Name!),
            comment: found.HostedZone!.Config?.Comment ?? "",
            zoneId: call.id,
            arn: `arn:aws:route53:::hostedzone/${call.id}`,
            nameServers,
            primaryNameServer: nameServers[0],
            tags: await tagsOf(call, "hostedzone"),
        };
    },
    async update(call) {
        const { sdk, client } = await route53(call);
        if (call.changed("comment"))
            await client.send(
                new sdk.UpdateHostedZoneCommentCommand({ Id: call.id, Comment: text(call.inputs["comment"] ?? "Managed by Pulumi") }),
            );
        if (call.changed("tags")) await retag(call, "hostedzone");
    },
    async delete(call) {
        const { sdk, client } = await route53(call);
        if (call.state["forceDestroy"] === true)
            for await (const ResourceRecordSet of recordsOf(call, call.id))
                if (ResourceRecordSet.Type !== "NS" && ResourceRecordSet.Type !== "SOA")
                    await changeRecords(call, call.id, [{ Action: "DELETE", ResourceRecordSet }]);
        await client.send(new sdk.DeleteHostedZoneCommand({ Id: call.id }));
    },
};

const checkFields: Fields = {
    type: words(),
    fqdn: words("FullyQualifiedDomainName"),
    ipAddress: words("IPAddress"),
    port: amount(undefined, { computed: true }),
    resourcePath: words(),
    searchString: words(),
    failureThreshold: amount(undefined, { computed: true }),
    requestInterval: amount(undefined, { computed: true }),
    measureLatency: flag(),
    invertHealthcheck: flag("Inverted"),
    disabled: flag(),
    enableSni: flag("EnableSNI", { computed: true }),
    regions: setOf(words(), undefined, { computed: true }),
    childHealthchecks: setOf(words(), "ChildHealthChecks"),
    childHealthThreshold: amount("HealthThreshold"),
    insufficientDataHealthStatus: words(),
};
const referenceOf = (call: Call): string => {
    const start = text(call.inputs["referenceName"]);
    return start === "" ? randomUUID() : `${start}-${randomUUID().slice(0, 8)}`;
};
const healthCheckConfig = (call: Call) => {
    const { cloudwatchAlarmName: Name, cloudwatchAlarmRegion: Region } = call.inputs;
    return {
        ...toSdk<{ Type: "HTTPS" }>(checkFields, call.inputs),
        ...(Name !== undefined && { AlarmIdentifier: { Name: text(Name), Region: text(Region) as "us-west-2" } }),
    };
};
const healthCheck: Entry = {
    fields: { ...checkFields, cloudwatchAlarmName: words(), cloudwatchAlarmRegion: words(), referenceName: words() },
    required: ["type"],
    outputs: ["arn"],
    replace: ["type", "requestInterval", "measureLatency", "referenceName"],
    global: true,
    tagged: true,
    untold: ["referenceName"],
    check: ({ type, cloudwatchAlarmName, cloudwatchAlarmRegion, requestInterval }) => [
        ...(type === "CLOUDWATCH_METRIC" && (cloudwatchAlarmName === undefined || cloudwatchAlarmRegion === undefined)
            ? [{ property: "cloudwatchAlarmName", reason: "a CLOUDWATCH_METRIC check needs cloudwatchAlarmName and cloudwatchAlarmRegion" }]
            : []),
        ...(typeof requestInterval === "number" && requestInterval !== 10 && requestInterval !== 30
            ? [{ property: "requestInterval", reason: `requestInterval is 10 or 30, not ${requestInterval}` }]
            : []),
    ],
    async create(call) {
        const { sdk, client } = await route53(call);
        const made = await client.send(
            new sdk.CreateHealthCheckCommand({ CallerReference: referenceOf(call), HealthCheckConfig: healthCheckConfig(call) }),
        );
        const id = made.HealthCheck!.Id!;
        call.made(id);
        await retag({ ...call, id }, "healthcheck");
        return id;
    },
    async read(call) {
        const { sdk, client } = await route53(call);
        const found = (await ifThere(client.send(new sdk.GetHealthCheckCommand({ HealthCheckId: call.id }))))?.HealthCheck;
        if (!found) return undefined;
        const alarm = found.HealthCheckConfig!.AlarmIdentifier;
        return {
            ...fromSdk(checkFields, found.HealthCheckConfig),
            ...(alarm && { cloudwatchAlarmName: alarm.Name, cloudwatchAlarmRegion: alarm.Region }),
            arn: `arn:aws:route53:::healthcheck/${call.id}`,
            tags: await tagsOf(call, "healthcheck"),
        };
    },
    async update(call) {
        const { sdk, client } = await route53(call);
        // These three are fixed at its birth: their change makes a new one.
        const {
            Type: _type,
            RequestInterval: _interval,
            MeasureLatency: _latency,
            ...config
        } = healthCheckConfig(call) as Record<string, unknown>;
        if (call.changed(...Object.keys(checkFields), "cloudwatchAlarmName", "cloudwatchAlarmRegion"))
            await client.send(new sdk.UpdateHealthCheckCommand({ HealthCheckId: call.id, ...config }));
        if (call.changed("tags")) await retag(call, "healthcheck");
    },
    async delete(call) {
        const { sdk, client } = await route53(call);
        await client.send(new sdk.DeleteHealthCheckCommand({ HealthCheckId: call.id }));
    },
};

/** Source: https://www.pulumi.com/registry/packages/aws/api-docs/route53/ and the Route 53 API reference. */
export const route53Types: Readonly<Record<string, Entry>> = {
    "route53/zone:Zone": zone,
    "route53/record:Record": record,
    "route53/healthCheck:HealthCheck": healthCheck,
};
