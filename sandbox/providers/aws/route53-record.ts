import type { Change, ListResourceRecordSetsCommandOutput, ResourceRecordSet } from "@aws-sdk/client-route-53";
import { list, record as recordOf, text, texts, type Props } from "../values.ts";
import { ifThere } from "./services.ts";
import { amount, flag, fromSdk, items, setOf, struct, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const route53 = (call: Call) => call.aws.use("route53");
/** Route 53 answers names with a trailing dot, lower case, and `*` as `\052`. */
export const plainName = (name: string): string => name.replace(/\.$/, "").replaceAll("\\052", "*").toLowerCase();

/** Makes changes and waits until Route 53 says INSYNC, as the official provider does. */
export async function changeRecords(call: Call, HostedZoneId: string, Changes: Change[]): Promise<void> {
    const { sdk, client } = await route53(call);
    const { ChangeInfo } = await client.send(new sdk.ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
    const Id = ChangeInfo?.Id?.split("/").pop();
    for (let status = ChangeInfo?.Status; Id !== undefined && status !== "INSYNC";) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        status = (await client.send(new sdk.GetChangeCommand({ Id }))).ChangeInfo?.Status;
    }
}

export async function* recordsOf(call: Call, HostedZoneId: string): AsyncGenerator<ResourceRecordSet> {
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
/** A record, simple, weighted or failover, by value or alias; other routing policies are refused. */
export const record: Entry = {
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
        const found = await ifThere(findRecord(call));
        if (!found) return undefined;
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
