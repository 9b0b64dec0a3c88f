import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";
import { awsFailure, errorCode, errorStatus } from "./answers.ts";

/** An object as it was read, with the ETag that a replacement must name. */
export interface Stored {
    text: string;
    etag: string;
}

/**
 * The coordination bucket (standby region): a few small objects, each written on a condition, so that of any number of writers one wins.
 * Every call is over within the limits of `backup/clients.ts`. @throws Failure where the bucket does not answer or refuses.
 */
export interface CoordinationBucket {
    /** The object, or undefined where there is none. */
    get(key: string, signal?: AbortSignal): Promise<Stored | undefined>;
    /** Writes an object that must not be there yet. True also where it is there with exactly this text: a repeat after a lost answer. */
    create(key: string, text: string): Promise<boolean>;
    /** Replaces the object that was read with this ETag. False where somebody was faster. */
    replace(key: string, text: string, etag: string): Promise<boolean>;
    /** Writes an object whatever is there: one that nothing is decided by. */
    put(key: string, text: string): Promise<void>;
    /** Keys under a prefix, in order of their names; `delimiter` folds what follows it, as S3 does. */
    list(prefix: string, delimiter?: string): Promise<string[]>;
}

/** 412: the condition does not hold. 409: another conditional write is under way; what came of it shows in a read. */
const lost = (error: unknown): boolean =>
    errorStatus(error) === 412 || errorStatus(error) === 409 || errorCode(error) === "PreconditionFailed";

export function coordinationBucket(s3: S3Client, bucket: string): CoordinationBucket {
    const get = async (key: string, signal?: AbortSignal): Promise<Stored | undefined> => {
        try {
            const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), signal ? { abortSignal: signal } : {});
            return { text: (await answer.Body?.transformToString()) ?? "", etag: answer.ETag ?? "" };
        } catch (error) {
            if (errorCode(error) === "NoSuchKey") return undefined;
            throw awsFailure(error, `reading ${key} in ${bucket}`);
        }
    };
    /** True when the write is in the bucket. The SDK repeats a call whose answer was lost: then its own first try makes the second one lose. */
    const putIf = async (key: string, text: string, condition: { IfNoneMatch: "*" } | { IfMatch: string }): Promise<boolean> => {
        try {
            await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: "application/json", ...condition }));
            return true;
        } catch (error) {
            if (!lost(error)) throw awsFailure(error, `writing ${key} in ${bucket}`);
            return (await get(key))?.text === text;
        }
    };
    return {
        get,
        create: (key, text) => putIf(key, text, { IfNoneMatch: "*" }),
        replace: (key, text, etag) => putIf(key, text, { IfMatch: etag }),
        async put(key, text) {
            try {
                await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: "application/json" }));
            } catch (error) {
                throw awsFailure(error, `writing ${key} in ${bucket}`);
            }
        },
        async list(prefix, delimiter) {
            try {
                const keys: string[] = [];
                const query = { Bucket: bucket, Prefix: prefix, ...(delimiter === undefined ? {} : { Delimiter: delimiter }) };
                for await (const page of paginateListObjectsV2({ client: s3 }, query)) {
                    for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
                    for (const { Prefix } of page.CommonPrefixes ?? []) if (Prefix !== undefined) keys.push(Prefix);
                }
                return keys.sort();
            } catch (error) {
                throw awsFailure(error, `listing ${prefix} in ${bucket}`);
            }
        },
    };
}
