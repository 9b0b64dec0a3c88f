import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";

export interface ObjectsRequest {
    region: string;
    bucket: string;
    prefix: string;
}

/** Reads all objects under a prefix, as text by key; keys ascend. For small records: catalog, journal, epoch. */
export async function objects(_: unknown, { region, bucket, prefix }: ObjectsRequest): Promise<Record<string, string>> {
    const s3 = new S3Client({ region });
    const found: Record<string, string> = {};
    let next: string | undefined;
    do {
        const page = await s3.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(next === undefined ? {} : { ContinuationToken: next }) }),
        );
        for (const { Key } of page.Contents ?? [])
            found[Key!] = await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: Key! }))).Body!.transformToString();
        next = page.NextContinuationToken;
    } while (next !== undefined);
    return found;
}
