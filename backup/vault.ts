import {
    GetObjectCommand,
    HeadObjectCommand,
    ListObjectsV2Command,
    NoSuchKey,
    NotFound,
    PutObjectCommand,
    type S3Client,
} from "@aws-sdk/client-s3";
import type { Estate, SiteName } from "../model/estate.ts";
import { manifest, type Manifest } from "../model/manifest.ts";
import { names, type Names } from "../model/names.ts";
import { awsClients, type AwsClients } from "./clients.ts";
import { isAside } from "./point.ts";

/** Where a command stands: what is declared, in which account, and in which site it runs. */
export interface Standpoint {
    estate: Estate;
    /** AWS account number, 12 digits. */
    account: string;
    site: SiteName;
}

/** The names, clients and bucket that follow from a standpoint. */
export function vaultOf({ estate, account, site }: Standpoint): { names: Names; clients: AwsClients; bucket: string; region: string } {
    const region = estate.sites[site].region;
    const derived = names(estate, account);
    return { names: derived, clients: awsClients(region), bucket: derived.vaultBucket(site), region };
}

export const dataKey = (store: string, point: string): string => `${store}/${point}/data`;
export const manifestKey = (store: string, point: string): string => `${store}/${point}/manifest.json`;

export const isMissing = (error: unknown): boolean =>
    error instanceof NoSuchKey || error instanceof NotFound || (error as { name?: string } | undefined)?.name === "NoSuchKey";

/** Every key below a prefix, with its size and the time it was put. */
export async function* listObjects(
    s3: S3Client,
    bucket: string,
    prefix: string,
): AsyncGenerator<{ key: string; bytes: number; at: Date | undefined }> {
    for (let token: string | undefined; ;) {
        const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }));
        for (const { Key, Size, LastModified } of page.Contents ?? []) if (Key) yield { key: Key, bytes: Size ?? 0, at: LastModified };
        token = page.NextContinuationToken;
        if (!page.IsTruncated || !token) return;
    }
}

/** What lies in a vault of one store, by point; what was saved aside is no point. */
export async function listPoints(s3: S3Client, bucket: string, store: string): Promise<Map<string, { data?: Date; manifest?: Date }>> {
    const points = new Map<string, { data?: Date; manifest?: Date }>();
    for await (const { key, at } of listObjects(s3, bucket, `${store}/`)) {
        const [, point, part] = key.split("/");
        if (!point || isAside(point) || (part !== "data" && part !== "manifest.json")) continue;
        const known = points.get(point) ?? {};
        points.set(point, { ...known, [part === "data" ? "data" : "manifest"]: at ?? new Date(0) });
    }
    return points;
}

/** Small objects only: a record of ours. Undefined when there is none. */
export async function readText(s3: S3Client, bucket: string, key: string): Promise<string | undefined> {
    try {
        const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return await answer.Body?.transformToString();
    } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
    }
}

/** Puts a record where none is. @returns false when there was one already */
export async function createRecord(s3: S3Client, bucket: string, key: string, record: unknown): Promise<boolean> {
    try {
        await s3.send(
            new PutObjectCommand({
                Bucket: bucket,
                Key: key,
                Body: `${JSON.stringify(record, undefined, 2)}\n`,
                ContentType: "application/json",
                IfNoneMatch: "*",
            }),
        );
        return true;
    } catch (error) {
        if ((error as { name?: string }).name === "PreconditionFailed") return false;
        throw error;
    }
}

/** Size of an object, or undefined when it is not there. */
export async function sizeOf(s3: S3Client, bucket: string, key: string): Promise<number | undefined> {
    try {
        const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return ContentLength ?? 0;
    } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
    }
}

/** A manifest as it was put, checked against the place that it lies in. @throws Error that says what is wrong with it */
export function parseManifest(text: string, store: string, point: string): Manifest {
    const read = manifest.parse(JSON.parse(text));
    if (read.store !== store || read.point !== point || read.key !== dataKey(store, point))
        throw new Error(`the manifest at ${manifestKey(store, point)} describes ${read.store} ${read.point} at ${read.key}`);
    return read;
}

const rangeBytes = 16 * 1_048_576;
const rangeAttempts = 4;

/**
 * An object's bytes, fetched range by range with one range ahead: a slow reader keeps no connection waiting, a broken one costs one range, and no
 * more than two ranges are in memory.
 * @param bytes the size it must have
 */
export async function* readRanges(s3: S3Client, bucket: string, key: string, bytes: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    const fetch = async (from: number): Promise<Buffer> => {
        const to = Math.min(from + rangeBytes, bytes) - 1;
        for (let attempt = 1; ; attempt += 1)
            try {
                const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${from}-${to}` }), {
                    abortSignal: signal,
                });
                const body = Buffer.from(await answer.Body!.transformToByteArray());
                if (body.length !== to - from + 1)
                    throw new Error(`${key}: ${body.length} bytes came where ${to - from + 1} were asked for`);
                return body;
            } catch (error) {
                if (attempt === rangeAttempts || signal.aborted || isMissing(error)) throw error;
            }
    };
    let next = bytes > 0 ? fetch(0) : undefined;
    for (let from = 0; next; from += rangeBytes) {
        const current = await next;
        next = from + rangeBytes < bytes ? fetch(from + rangeBytes) : undefined;
        // Its failure shows when it is awaited; until then it is not an unhandled one.
        next?.catch(() => {});
        yield current;
    }
}
