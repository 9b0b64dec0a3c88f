import { createHash } from "node:crypto";
import { topOf } from "../differences.ts";
import { text } from "../values.ts";

import { ifThere } from "./services.ts";
import { flag, fromSdk, steering, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

/** Headers that GetObject answers as PutObject took them. */
const headers: Fields = {
    contentType: words(undefined, { computed: true }),
    cacheControl: words(),
    contentDisposition: words(),
    contentEncoding: words(),
    contentLanguage: words(),
    serverSideEncryption: words(undefined, { computed: true }),
    kmsKeyId: words("SSEKMSKeyId", { computed: true }),
    bucketKeyEnabled: flag(undefined, { computed: true }),
    storageClass: words(undefined, { computed: true }),
};
const place = (call: Call): { Bucket: string; Key: string } => {
    const slash = call.id.indexOf("/");
    return {
        Bucket: text(call.inputs["bucket"] ?? call.state["bucket"] ?? call.id.slice(0, slash)),
        Key: text(call.inputs["key"] ?? call.state["key"] ?? call.id.slice(slash + 1)),
    };
};
const bodyOf = (call: Call): Buffer =>
    call.inputs["contentBase64"] === undefined
        ? Buffer.from(text(call.inputs["content"]))
        : Buffer.from(text(call.inputs["contentBase64"]), "base64");

async function put(call: Call): Promise<string> {
    const { sdk, client } = await call.aws.use("s3", call.region);
    const { Bucket, Key } = place(call);
    const Tagging = new URLSearchParams(call.tags).toString();
    await client.send(
        new sdk.PutObjectCommand({
            Bucket,
            Key,
            Body: bodyOf(call),
            ...toSdk<object>(headers, call.inputs),
            ...(Tagging !== "" && { Tagging }),
        }),
    );
    return `${Bucket}/${Key}`;
}

/** A small object that the program gives whole; what lies there is compared by its content. `source` (a file) is refused. */
export const bucketObject: Entry = {
    fields: { bucket: words(), key: words(), content: words(), contentBase64: words(), ...headers, forceDestroy: steering },
    required: ["bucket", "key"],
    outputs: ["arn", "etag", "versionId", "checksumSha256"],
    replace: ["bucket", "key"],
    tagged: true,
    untold: ["forceDestroy"],
    check: ({ content, contentBase64 }) =>
        content !== undefined && contentBase64 !== undefined
            ? [{ property: "contentBase64", reason: "content and contentBase64 cannot both be given" }]
            : [],
    volatile: (found) => (found.some(({ path }) => topOf(path) !== "forceDestroy") ? ["etag", "versionId", "checksumSha256"] : []),
    create: put,
    async read(call) {
        const { sdk, client } = await call.aws.use("s3", call.region);
        const { Bucket, Key } = place(call);
        const answer = await ifThere(client.send(new sdk.GetObjectCommand({ Bucket, Key })));
        if (!answer) return undefined;
        const body = Buffer.from(await answer.Body!.transformToByteArray());
        const tags = await client.send(new sdk.GetObjectTaggingCommand({ Bucket, Key }));
        const encoded = call.inputs["contentBase64"] !== undefined || call.state["contentBase64"] !== undefined;
        return {
            bucket: Bucket,
            key: Key,
            ...(encoded ? { contentBase64: body.toString("base64") } : { content: body.toString("utf8") }),
            storageClass: "STANDARD",
            ...fromSdk(headers, answer),
            arn: `arn:aws:s3:::${Bucket}/${Key}`,
            etag: (answer.ETag ?? "").replaceAll('"', ""),
            versionId: answer.VersionId ?? "",
            checksumSha256: createHash("sha256").update(body).digest("base64"),
            tags: Object.fromEntries((tags.TagSet ?? []).map(({ Key: name, Value }) => [name!, Value!])),
        };
    },
    update: async (call) => void (await put(call)),
    async delete(call) {
        const { sdk, client } = await call.aws.use("s3", call.region);
        const { Bucket, Key } = place(call);
        const versions = await client.send(new sdk.ListObjectVersionsCommand({ Bucket, Prefix: Key }));
        const own = [...(versions.Versions ?? []), ...(versions.DeleteMarkers ?? [])].filter((version) => version.Key === Key);
        for (const { VersionId } of own)
            await client.send(new sdk.DeleteObjectCommand({ Bucket, Key, ...(VersionId !== undefined && { VersionId }) }));
    },
};
