import type { RequestLaunchTemplateData } from "@aws-sdk/client-ec2";
import { topOf } from "../differences.ts";
import { record, text, type Props } from "../values.ts";
import { ifThere } from "./services.ts";
import { amount, flag, fromSdk, items, setOf, steering, struct, tagMap, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

/** What a version of a template holds: members of RequestLaunchTemplateData. */
const data: Fields = {
    imageId: words(),
    instanceType: words(),
    keyName: words(),
    userData: words(),
    ebsOptimized: flag(),
    disableApiTermination: flag(),
    instanceInitiatedShutdownBehavior: words(),
    vpcSecurityGroupIds: setOf(words(), "SecurityGroupIds"),
    iamInstanceProfile: struct({ arn: words(), name: words() }),
    monitoring: struct({ enabled: flag() }),
    metadataOptions: struct(
        {
            httpEndpoint: words(undefined, { computed: true }),
            httpTokens: words(undefined, { computed: true }),
            httpPutResponseHopLimit: amount(undefined, { computed: true }),
            httpProtocolIpv6: words(undefined, { computed: true }),
            instanceMetadataTags: words(undefined, { computed: true }),
        },
        undefined,
        { computed: true },
    ),
    blockDeviceMappings: items(
        struct({
            deviceName: words(),
            noDevice: words(),
            virtualName: words(),
            ebs: struct({
                deleteOnTermination: flag(),
                encrypted: flag(),
                iops: amount(),
                kmsKeyId: words(),
                snapshotId: words(),
                throughput: amount(),
                volumeSize: amount(),
                volumeType: words(),
            }),
        }),
    ),
    networkInterfaces: items(
        struct({
            associatePublicIpAddress: flag(),
            deleteOnTermination: flag(),
            description: words(),
            deviceIndex: amount(undefined, { assumed: 0 }),
            securityGroups: setOf(words(), "Groups"),
            subnetId: words(),
        }),
    ),
    tagSpecifications: items(struct({ resourceType: words(), tags: tagMap() })),
};
const ec2 = (call: Call) => call.aws.use("ec2", call.region);
const dataOf = (call: Call): RequestLaunchTemplateData => toSdk(data, call.inputs);
const ofData = new Set([...Object.keys(data), "description"]);

async function retag(call: Call): Promise<void> {
    const { sdk, client } = await ec2(call);
    const gone = Object.keys(record(call.state["tagsAll"])).filter((name) => !(name in call.tags));
    if (gone.length > 0) await client.send(new sdk.DeleteTagsCommand({ Resources: [call.id], Tags: gone.map((Key) => ({ Key })) }));
    const Tags = Object.entries(call.tags).map(([Key, Value]) => ({ Key, Value }));
    if (Tags.length > 0) await client.send(new sdk.CreateTagsCommand({ Resources: [call.id], Tags }));
}

/** A change of what it holds makes a new version; the default version follows when `updateDefaultVersion` says so. */
const launchTemplate: Entry = {
    fields: {
        name: words(),
        description: words(),
        updateDefaultVersion: steering,
        defaultVersion: amount(undefined, { computed: true }),
        ...data,
    },
    outputs: ["arn", "latestVersion"],
    tagged: true,
    named: { property: "name", limit: 125, prefixed: true },
    untold: ["updateDefaultVersion"],
    volatile: (found) => {
        const moved = found.some(({ path }) => ofData.has(topOf(path)));
        return moved ? ["latestVersion", "defaultVersion"] : [];
    },
    async create(call) {
        const { sdk, client } = await ec2(call);
        const made = await client.send(
            new sdk.CreateLaunchTemplateCommand({
                LaunchTemplateName: text(call.inputs["name"]),
                LaunchTemplateData: dataOf(call),
                ...(call.inputs["description"] !== undefined && { VersionDescription: text(call.inputs["description"]) }),
            }),
        );
        const id = made.LaunchTemplate!.LaunchTemplateId!;
        call.made(id);
        // Not with the creation: moto would take the template's own tags for its instances', and no instance could be run from it.
        await retag({ ...call, id });
        return id;
    },
    async read(call) {
        const { sdk, client } = await ec2(call);
        const found = (await ifThere(client.send(new sdk.DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [call.id] }))))
            ?.LaunchTemplates?.[0];
        if (!found) return undefined;
        const latest = found.LatestVersionNumber!;
        const versions = await client.send(
            new sdk.DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: call.id, Versions: [String(latest)] }),
        );
        const version = versions.LaunchTemplateVersions?.[0];
        const tags = Object.fromEntries((found.Tags ?? []).map(({ Key, Value }) => [Key!, Value!]));
        return {
            ...(fromSdk(data, version?.LaunchTemplateData) as Props),
            ...(version?.VersionDescription !== undefined && { description: version.VersionDescription }),
            name: found.LaunchTemplateName,
            arn: `arn:aws:ec2:${call.region}:${await call.aws.account()}:launch-template/${call.id}`,
            latestVersion: latest,
            defaultVersion: found.DefaultVersionNumber,
            tags,
        };
    },
    async update(call) {
        const { sdk, client } = await ec2(call);
        let latest = Number(call.state["latestVersion"]);
        if (call.changed(...ofData)) {
            const made = await client.send(
                new sdk.CreateLaunchTemplateVersionCommand({
                    LaunchTemplateId: call.id,
                    LaunchTemplateData: dataOf(call),
                    ...(call.inputs["description"] !== undefined && { VersionDescription: text(call.inputs["description"]) }),
                }),
            );
            latest = made.LaunchTemplateVersion!.VersionNumber!;
        }
        const wanted = call.inputs["updateDefaultVersion"] === true ? latest : call.inputs["defaultVersion"];
        if (wanted !== undefined && Number(wanted) !== Number(call.state["defaultVersion"]))
            await client.send(new sdk.ModifyLaunchTemplateCommand({ LaunchTemplateId: call.id, DefaultVersion: String(wanted) }));
        if (call.changed("tags")) await retag(call);
    },
    async delete(call) {
        const { sdk, client } = await ec2(call);
        await client.send(new sdk.DeleteLaunchTemplateCommand({ LaunchTemplateId: call.id }));
    },
};

/** Source: https://www.pulumi.com/registry/packages/aws/api-docs/ec2/launchtemplate/ and the EC2 API reference. */
export const ec2Types: Readonly<Record<string, Entry>> = { "ec2/launchTemplate:LaunchTemplate": launchTemplate };
