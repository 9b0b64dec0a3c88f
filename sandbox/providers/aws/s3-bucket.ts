import { text } from "../values.ts";
import { ifThere } from "./services.ts";
import { flag, steering, toSdk, words } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const s3 = (call: Call) => call.aws.use("s3", call.region);

async function putTags(call: Call, bucket: string): Promise<void> {
    const { sdk, client } = await s3(call);
    const TagSet = Object.entries(call.tags).map(([Key, Value]) => ({ Key, Value }));
    await (TagSet.length > 0
        ? client.send(new sdk.PutBucketTaggingCommand({ Bucket: bucket, Tagging: { TagSet } }))
        : client.send(new sdk.DeleteBucketTaggingCommand({ Bucket: bucket })));
}

/** Deletes every version of every object, as `forceDestroy` promises; what is locked stays, and the service says so. */
async function empty(call: Call, bucket: string): Promise<void> {
    const { sdk, client } = await s3(call);
    for (;;) {
        const page = await client.send(new sdk.ListObjectVersionsCommand({ Bucket: bucket }));
        const Objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({ Key, VersionId }));
        if (Objects.length === 0) return;
        const { Errors = [] } = await client.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
        if (Errors.length > 0)
            throw new Error(`${Errors.length} objects of ${bucket} cannot be deleted: ${Errors[0]!.Message ?? Errors[0]!.Code}`);
    }
}

/** Hosted zones of S3's websites. Source: https://docs.aws.amazon.com/general/latest/gr/s3.html#s3_website_region_endpoints */
const websiteZones: Record<string, string> = {
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-central-1": "Z21DNDUVLTQW6Q",
};

/** The official `s3.Bucket` of v7 is the former BucketV2: its settings are side resources, and its deprecated inline settings are refused here. */
export const bucket: Entry = {
    fields: {
        bucket: words("Bucket"),
        forceDestroy: steering,
        objectLockEnabled: flag("ObjectLockEnabledForBucket", { assumed: false, computed: true }),
    },
    outputs: ["arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName", "hostedZoneId"],
    replace: ["objectLockEnabled"],
    tagged: true,
    named: { property: "bucket", limit: 63, prefixed: true, form: (name) => name.toLowerCase() },
    untold: ["forceDestroy"],
    async create(call) {
        const { sdk, client } = await s3(call);
        const Bucket = text(call.inputs["bucket"]);
        await client.send(
            new sdk.CreateBucketCommand({
                ...toSdk(bucket.fields, call.inputs, ["objectLockEnabled"]),
                Bucket,
                ...(call.region !== "us-east-1" && { CreateBucketConfiguration: { LocationConstraint: call.region as "us-west-2" } }),
            }),
        );
        call.made(Bucket);
        if (Object.keys(call.tags).length > 0) await putTags(call, Bucket);
        return Bucket;
    },
    async read(call) {
        const { sdk, client } = await s3(call);
        const Bucket = call.id;
        const head = await ifThere(client.send(new sdk.HeadBucketCommand({ Bucket })));
        if (!head) return undefined;
        const tags = await ifThere(client.send(new sdk.GetBucketTaggingCommand({ Bucket })));
        const lock = await ifThere(client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket })));
        const region = head.BucketRegion ?? call.region;
        return {
            bucket: Bucket,
            objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled",
            arn: `arn:aws:s3:::${Bucket}`,
            bucketDomainName: `${Bucket}.s3.amazonaws.com`,
            bucketRegion: region,
            bucketRegionalDomainName: `${Bucket}.s3.${region}.amazonaws.com`,
            hostedZoneId: websiteZones[region],
            tags: Object.fromEntries((tags?.TagSet ?? []).map(({ Key, Value }) => [Key!, Value!])),
        };
    },
    async update(call) {
        if (call.changed("tags") || call.changed("tagsAll")) await putTags(call, call.id);
    },
    async delete(call) {
        const { sdk, client } = await s3(call);
        if (call.state["forceDestroy"] === true) await empty(call, call.id);
        await client.send(new sdk.DeleteBucketCommand({ Bucket: call.id }));
    },
};
