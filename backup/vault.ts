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
import { Failure } from "../model/failure.ts";
import { manifest, type Manifest } from "../model/manifest.ts";
import { names, type Names } from "../model/names.ts";
import { awsClients, type AwsClients } from "./clients.ts";
import { unsummed } from "./sum.ts";
import { isPoint } from "./point.ts";

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
/** What the source held when the point was made. */
export const contentsKey = (store: string, point: string): string => `${store}/${point}/contents`;
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

const partOf = { data: "data", contents: "contents", "manifest.json": "manifest" } as const;
/** When each object of a point was put. */
export type PointObjects = { [Part in (typeof partOf)[keyof typeof partOf]]?: Date };

/** What lies in a vault of one store, by point; what was saved aside is no point, nor is the log. */
export async function listPoints(s3: S3Client, bucket: string, store: string): Promise<Map<string, PointObjects>> {
    const points = new Map<string, PointObjects>();
    // Keys come in order, and a point begins with a digit: the log, which has many, is behind them all.
    for await (const { key, at } of listObjects(s3, bucket, `${store}/`)) {
        const [, point = "", name = ""] = key.split("/");
        if (point > ":") break;
        if (!isPoint(point) || !Object.hasOwn(partOf, name)) continue;
        points.set(point, { ...points.get(point), [partOf[name as keyof typeof partOf]]: at ?? new Date(0) });
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

/** A manifest of an older release describes a dump as text, which this one has no loader for. @throws Failure("refused") then */
export function refuseOlder(record: unknown, store: string, point: string): void {
    if ((record as { version?: unknown } | undefined)?.version === 1)
        throw new Failure(
            "refused",
            `${store} ${point} is a dump as text that an older release made`,
            "restore it with that release, or choose a newer point",
        );
}

/** A manifest as it was put, checked against the place that it lies in. @throws Error that says what is wrong with it */
export function parseManifest(text: string, store: string, point: string): Manifest {
    const record: unknown = JSON.parse(text);
    refuseOlder(record, store, point);
    const read = manifest.parse(unsummed(record));
    if (read.store !== store || read.point !== point || read.key !== dataKey(store, point))
        throw new Error(`the manifest at ${manifestKey(store, point)} describes ${read.store} ${read.point} at ${read.key}`);
    if (read.contents && read.contents.key !== contentsKey(store, point))
        throw new Error(`the manifest at ${manifestKey(store, point)} names ${read.contents.key} as its contents`);
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
