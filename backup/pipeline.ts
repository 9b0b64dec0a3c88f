import type { KMS } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Duplex, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { decrypting } from "./envelope.ts";
import { Meter, type Measure } from "../stores/meter.ts";
import type { Program } from "../stores/program.ts";
import { dataKey, readRanges } from "./vault.ts";

const MiB = 1_048_576;
/** S3 takes so many parts. */
const mostParts = 10_000;
/** Parts under way at a time: with the parts' size, the memory that an upload takes. */
const partsAtOnce = 3;

/** Smallest part that an object of `expected` bytes, and twice that, fits into. */
export const partBytes = (expected: number): number => Math.max(16 * MiB, Math.ceil((expected * 2) / mostParts / MiB) * MiB);

export interface Outgoing {
    dump: Program;
    /** Whether these last bytes end a whole dump. */
    isWhole(tail: Buffer): boolean;
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
    /** First and last bytes of the dump, some KiB each. */
    head: Buffer;
    tail: Buffer;
}

/**
 * Dump -> zstd -> envelope -> SHA-256 -> S3, all of it streamed. The stream's end is let through only after the dump's program has ended well and
 * its end marker was seen: nothing that is cut off becomes an object. A failed upload is aborted.
 */
export async function send({ dump, isWhole, envelope, s3, bucket, key, signal, ...sizes }: Outgoing): Promise<Sent> {
    const [before, after] = [new Meter(), new Meter()];
    // Level 1: compression is the bottleneck. Never nbWorkers: Node's stream dies of it.
    const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } });
    dump.stdin.end();

    const flow = pipeline(
        dump.stdout,
        before,
        async function* (source: AsyncIterable<Buffer>) {
            yield* source;
            await dump.ended;
            if (!isWhole(before.tail)) throw new Error(`${dump.name} ended well, but its output lacks the end marker: it is cut off`);
        },
        compress,
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
        dump.kill();
        after.destroy(error as Error);
        throw error;
    };
    await Promise.allSettled([flow.catch(cause), upload.done().catch(cause)]);
    if (causes.length > 0) {
        // The program's own words say more than "the pipe broke".
        const died = await dump.ended.then(
            () => undefined,
            (error: unknown) => error,
        );
        const [first] = causes;
        throw (first as { code?: string }).code === "ERR_STREAM_PREMATURE_CLOSE" && died ? died : first;
    }
    return { dump: before.measure(), stored: after.measure(), head: before.head, tail: before.tail };
}

export interface Incoming {
    s3: S3Client;
    kms: KMS;
    account: string;
    bucket: string;
    store: string;
    point: string;
    /** Of the stored object. */
    bytes: number;
    /** Where the dump goes. */
    sink: Writable;
    signal: AbortSignal;
}

export interface Received {
    dump: Measure;
    stored: Measure;
    tail: Buffer;
}

/** KMS refused the data key, or did not answer: says nothing about the data. */
export class KeyUnavailable extends Error {
    override readonly name = "KeyUnavailable";
}

/** KMS says of the wrapped key itself that it is not what it should be. */
const faultsOfTheData = ["InvalidCiphertextException", "IncorrectKeyException"];

/** S3 -> SHA-256 -> envelope -> unzstd -> sink. Fails on a changed, cut-off or foreign object; the caller compares the measures. */
export async function receive({ s3, kms, account, bucket, store, point, bytes, sink, signal }: Incoming): Promise<Received> {
    const [stored, dump] = [new Meter(), new Meter()];
    const opening = decrypting(kms, account, { store, point });
    try {
        await pipeline(
            readRanges(s3, bucket, dataKey(store, point), bytes, signal),
            stored,
            opening.stream,
            createZstdDecompress(),
            dump,
            sink,
            { signal },
        );
    } catch (error) {
        const failure = opening.keyFailure();
        if (failure && !faultsOfTheData.includes(failure.name))
            throw new KeyUnavailable(`the envelope's key cannot be used: ${failure.name}: ${failure.message}`, { cause: failure });
        throw error;
    }
    return { dump: dump.measure(), stored: stored.measure(), tail: dump.tail };
}
