import { randomUUID } from "node:crypto";
import type { Change, ListResourceRecordSetsCommandOutput, ResourceRecordSet } from "@aws-sdk/client-route-53";
import { list, record as recordOf, text, texts, type Props } from "../values.ts";
import { ifThere } from "./services.ts";
import { amount, flag, fromSdk, items, setOf, steering, struct, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const route53 = (call: Call) => call.aws.use("route53");
/** Route 53 answers names with a trailing dot, lower case, and `*` as `\052`. */
const plainName = (name: string): string => name.replace(/\.$/, "").replaceAll("\\052", "*").toLowerCase();

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

/** Makes changes and waits until Route 53 says INSYNC, as the official provider does. */
async function changeRecords(call: Call, HostedZoneId: string, Changes: Change[]): Promise<void> {
    const { sdk, client } = await route53(call);
    const { ChangeInfo } = await client.send(new sdk.ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
    const Id = ChangeInfo?.Id?.split("/").pop();
    for (let status = ChangeInfo?.Status; Id !== undefined && status !== "INSYNC";) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        status = (await client.send(new sdk.GetChangeCommand({ Id }))).ChangeInfo?.Status;
    }
}

async function* recordsOf(call: Call, HostedZoneId: string): AsyncGenerator<ResourceRecordSet> {
    const { sdk, client } = await route53(call);
    for (let from: object | undefined = {}; from;) {
        const page: ListResourceRecordSetsCommandOutput = await client.send(
            new sdk.ListResourceRecordSetsCommand({ HostedZoneId, ...from }),
        );
        yield* page.ResourceRecordSets ?? [];
        const { NextRecordName: StartRecordName, NextRecordType: StartRecordType, NextRecordIdentifier: StartRecordIdentifier } = page;
        from = page.IsTruncated
            ? { StartRecordName, StartRecordType, ...(StartRecordIdentifier !== undefined && { StartRecordIdentifier }) }
            : undefined;
    }
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

const recordFields: Fields = {
    zoneId: words(),
    name: words(undefined, { fold: true }),
    type: words(),
    ttl: amount("TTL"),
    records: setOf(words()),
    aliases: items(struct({ name: words("DNSName", { fold: true }), zoneId: words("HostedZoneId"), evaluateTargetHealth: flag() })),
    setIdentifier: words(),
    healthCheckId: words(),
    failoverRoutingPolicies: items(struct({ type: words() })),
    weightedRoutingPolicies: items(struct({ weight: amount() })),
    allowOverwrite: flag(undefined, { computed: true }),
};

async function fqdn(call: Call, zoneId: string, name: string): Promise<string> {
    const { sdk, client } = await route53(call);
    const suffix = plainName((await client.send(new sdk.GetHostedZoneCommand({ Id: zoneId }))).HostedZone!.Name!);
    const own = plainName(name);
    return own === "" ? suffix : own === suffix || own.endsWith(`.${suffix}`) ? own : `${own}.${suffix}`;
}
function recordSet(props: Props, Name: string): ResourceRecordSet {
    const [aliasTarget] = list(props["aliases"]);
    const [failover] = list(props["failoverRoutingPolicies"]);
    const [weighted] = list(props["weightedRoutingPolicies"]);
    return {
        Name,
        ...toSdk<{ Type: "A" }>(recordFields, props, ["type", "ttl", "setIdentifier", "healthCheckId"]),
        ...(props["records"] !== undefined && {
            ResourceRecords: texts(props["records"]).map((Value) => ({ Value: props["type"] === "TXT" ? `"${Value}"` : Value })),
        }),
        ...(aliasTarget !== undefined && {
            AliasTarget: {
                HostedZoneId: text(recordOf(aliasTarget)["zoneId"]),
                DNSName: text(recordOf(aliasTarget)["name"]),
                EvaluateTargetHealth: recordOf(aliasTarget)["evaluateTargetHealth"] === true,
            },
        }),
        ...(failover !== undefined && { Failover: text(recordOf(failover)["type"]) as "PRIMARY" }),
        ...(weighted !== undefined && { Weight: Number(recordOf(weighted)["weight"]) }),
    };
}
/** Where a record is: from the state, else from an imported id, `ZONE_NAME_TYPE[_SET]`. */
function placeOf(call: Call): { zoneId: string; name: string; type: string; set: string } {
    const { zoneId, name, type, setIdentifier } = Object.keys(call.inputs).length > 0 ? call.inputs : call.state;
    if (zoneId !== undefined) return { zoneId: text(zoneId), name: text(name), type: text(type), set: text(setIdentifier) };
    const [, zone = "", own = "", kind = "", set = ""] = /^([^_]+)_(.*?)_([A-Z]+)(?:_(.*))?$/.exec(call.id) ?? [];
    return { zoneId: zone, name: own, type: kind, set };
}
async function findRecord(call: Call): Promise<ResourceRecordSet | undefined> {
    const place = placeOf(call);
    const wanted = await fqdn(call, place.zoneId, place.name);
    for await (const found of recordsOf(call, place.zoneId))
        if (plainName(found.Name!) === wanted && found.Type === place.type && (found.SetIdentifier ?? "") === place.set) return found;
    return undefined;
}
async function putRecord(call: Call, Action: "CREATE" | "UPSERT"): Promise<string> {
    const { zoneId, name, type, set } = placeOf(call);
    const Name = await fqdn(call, zoneId, name);
    await changeRecords(call, zoneId, [{ Action, ResourceRecordSet: recordSet(call.inputs, Name) }]);
    return [zoneId, plainName(name), type, ...(set === "" ? [] : [set])].join("_");
}
const record: Entry = {
    fields: recordFields,
    required: ["zoneId", "name", "type"],
    outputs: ["fqdn"],
    replace: ["zoneId", "name", "type", "setIdentifier"],
    global: true,
    untold: ["allowOverwrite"],
    check: (inputs) => {
        const failures = [];
        if (inputs["aliases"] === undefined && (inputs["ttl"] === undefined || inputs["records"] === undefined))
            failures.push({ property: "records", reason: "a record needs ttl and records, or aliases" });
        if ((inputs["failoverRoutingPolicies"] ?? inputs["weightedRoutingPolicies"]) !== undefined && inputs["setIdentifier"] === undefined)
            failures.push({ property: "setIdentifier", reason: "a record with a routing policy needs a setIdentifier" });
        return failures;
    },
    create: (call) => putRecord(call, call.inputs["allowOverwrite"] === true ? "UPSERT" : "CREATE"),
    async read(call) {
        const place = placeOf(call);
        const zoneThere = await ifThere(findRecord(call));
        if (!zoneThere) return undefined;
        const found = zoneThere;
        return {
            zoneId: place.zoneId,
            name: place.name,
            type: found.Type,
            ...fromSdk(recordFields, { TTL: found.TTL, SetIdentifier: found.SetIdentifier, HealthCheckId: found.HealthCheckId }),
            ...((found.ResourceRecords ?? []).length > 0 && {
                records: found.ResourceRecords!.map(({ Value }) => (found.Type === "TXT" ? Value!.replace(/^"|"$/g, "") : Value!)),
            }),
            ...(found.AliasTarget && {
                aliases: [
                    {
                        name: plainName(found.AliasTarget.DNSName!),
                        zoneId: found.AliasTarget.HostedZoneId,
                        evaluateTargetHealth: found.AliasTarget.EvaluateTargetHealth === true,
                    },
                ],
            }),
            ...(found.Failover && { failoverRoutingPolicies: [{ type: found.Failover }] }),
            ...(found.Weight !== undefined && { weightedRoutingPolicies: [{ weight: found.Weight }] }),
            fqdn: plainName(found.Name!),
        };
    },
    update: async (call) => void (await putRecord(call, "UPSERT")),
    async delete(call) {
        const live = await findRecord(call);
        if (live) await changeRecords(call, placeOf(call).zoneId, [{ Action: "DELETE", ResourceRecordSet: live }]);
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
        const { Type: _type, ...rest } = healthCheckConfig(call);
        const { RequestInterval: _interval, MeasureLatency: _latency, ...config } = rest as Record<string, unknown>;
        if (!call.changed("tags") || call.changed(...Object.keys(checkFields), "cloudwatchAlarmName", "cloudwatchAlarmRegion"))
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
