import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Seconds } from "../model/units.ts";
import { timeOf } from "./point.ts";
import { listPoints } from "./vault.ts";

/** What runs that were killed left behind. */
export interface Orphans {
    /** Unfinished uploads, aborted now: their parts were paid for and seen by nobody. */
    aborted: string[];
    /** Points that have data and no manifest: no recovery points. The writer may not delete them; the expirer tags them. */
    withoutManifest: string[];
}

/**
 * Finds what killed runs of a store left. A run ends itself after `limit`, so what is older than that belongs to nobody; younger work may be
 * somebody's who is still at it. A point's age is in its name.
 */
export async function findOrphans(s3: S3Client, bucket: string, store: string, limit: Seconds, now: Date): Promise<Orphans> {
    const before = now.getTime() - limit * 1000;
    const aborted: string[] = [];
    let page = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `${store}/` }));
    for (;;) {
        for (const { Key, UploadId } of page.Uploads ?? [])
            if (Key?.startsWith(`${store}/`) && UploadId && timeOf(Key.split("/")[1] ?? "").getTime() < before) {
                await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
                aborted.push(Key);
            }
        if (!page.IsTruncated) break;
        page = await s3.send(
            new ListMultipartUploadsCommand({
                Bucket: bucket,
                Prefix: `${store}/`,
                KeyMarker: page.NextKeyMarker,
                UploadIdMarker: page.NextUploadIdMarker,
            }),
        );
    }
    const points = await listPoints(s3, bucket, store);
    const left = [...points].filter(([, { data, manifest }]) => data && !manifest).map(([point]) => point);
    return { aborted, withoutManifest: left.filter((point) => timeOf(point).getTime() < before) };
}
