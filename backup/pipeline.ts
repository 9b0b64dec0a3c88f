import type { KMS } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { PassThrough, type Duplex, type Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { compressing, decompressing } from "./compression.ts";
import { decrypting, type EnvelopeContext } from "./envelope.ts";
import { Meter, type Measure } from "../stores/meter.ts";
import type { Program } from "../stores/program.ts";
import { readRanges } from "./vault.ts";

const MiB = 1_048_576;
/** S3 takes so many parts. */
const mostParts = 10_000;
/** Parts under way at a time: with the parts' size, the memory that an upload takes. */
const partsAtOnce = 3;

/** Smallest part that an object of `expected` bytes, and twice that, fits into. */
export const partBytes = (expected: number): number => Math.max(16 * MiB, Math.ceil((expected * 2) / mostParts / MiB) * MiB);

export interface Outgoing {
    /** Its stdout is what is sent. */
    source: Program;
    /** Asked after the program has ended well. @throws Error where what it wrote is not whole */
    whole(): Promise<void>;
    envelope: Duplex;
    s3: S3Client;
    bucket: string;
    key: string;
    partBytes: number;
    signal: AbortSignal;
}

export interface Sent {
    /** Before compression. */
    dump: Measure;
    /** As it lies in the bucket. */
    stored: Measure;
}

/**
 * Program -> zstd -> envelope -> SHA-256 -> S3, all of it streamed. The stream's end is let through only after the program has ended well and what it
 * wrote is whole: nothing that is cut off becomes an object. A failed upload is aborted.
 */
export async function send({ source: program, whole, envelope, s3, bucket, key, signal, ...sizes }: Outgoing): Promise<Sent> {
    const [before, after] = [new Meter(), new Meter()];
    program.stdin.end();

    const flow = pipeline(
        program.stdout,
        before,
        async function* (source: AsyncIterable<Buffer>) {
            yield* source;
            await program.ended;
            await whole();
        },
        compressing(),
        envelope,
        after,
        { signal },
    );
    const upload = new Upload({
        client: s3,
        params: { Bucket: bucket, Key: key, Body: after, ContentType: "application/octet-stream", ChecksumAlgorithm: "SHA256" },
        partSize: sizes.partBytes,
        queueSize: partsAtOnce,
        leavePartsOnError: false,
    });
    // What failed first is the cause; the other side only fails because of it.
    const causes: unknown[] = [];
    const cause = (error: unknown) => {
        causes.push(error);
        program.kill();
        after.destroy(error as Error);
        throw error;
    };
    await Promise.allSettled([flow.catch(cause), upload.done().catch(cause)]);
    if (causes.length > 0) {
        // The program's own words say more than "the pipe broke".
        const died = await program.ended.then(
            () => undefined,
            (error: unknown) => error,
        );
        const [first] = causes;
        throw (first as { code?: string }).code === "ERR_STREAM_PREMATURE_CLOSE" && died ? died : first;
    }
    return { dump: before.measure(), stored: after.measure() };
}

/** A stream of ours where a program stands otherwise: what breaks it shows at the stream. */
export const asProgram = (name: string, stdout: Readable): Program => ({
    name,
    stdin: new PassThrough().resume(),
    stdout,
    ended: Promise.resolve(),
    said: () => "",
    kill: () => void stdout.destroy(),
});

export interface Incoming {
    s3: S3Client;
    kms: KMS;
    account: string;
    bucket: string;
    key: string;
    /** What the object must have been made for. */
    context: EnvelopeContext;
    /** Of the stored object. */
    bytes: number;
    /** Where the contents go. */
    sink: Writable;
    signal: AbortSignal;
}

/** KMS refused the data key, or did not answer: says nothing about the data. */
export class KeyUnavailable extends Error {
    override readonly name = "KeyUnavailable";
}

/** KMS says of the wrapped key itself that it is not what it should be. */
const faultsOfTheData = ["InvalidCiphertextException", "IncorrectKeyException"];

/** S3 -> SHA-256 -> envelope -> unzstd -> sink. Fails on a changed, cut-off or foreign object; the caller compares the measures. */
export async function receive({ s3, kms, account, bucket, key, context, bytes, sink, signal }: Incoming): Promise<Sent> {
    const [stored, dump] = [new Meter(), new Meter()];
    const opening = decrypting(kms, account, context);
    try {
        await pipeline(readRanges(s3, bucket, key, bytes, signal), stored, opening.stream, decompressing(), dump, sink, { signal });
    } catch (error) {
        const failure = opening.keyFailure();
        if (failure && !faultsOfTheData.includes(failure.name))
            throw new KeyUnavailable(`the envelope's key cannot be used: ${failure.name}: ${failure.message}`, { cause: failure });
        throw error;
    }
    return { dump: dump.measure(), stored: stored.measure() };
}
