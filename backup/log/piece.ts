import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { KMS } from "@aws-sdk/client-kms";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { decrypting, encrypting } from "../envelope.ts";
import { KeyUnavailable } from "../pipeline.ts";
import { readRanges, vaultOf, type Standpoint } from "../vault.ts";
import { pieceKey, pieceName, type Piece } from "./key.ts";

/** KMS says of the wrapped key itself that it is not what it should be. */
const faultsOfTheData = ["InvalidCiphertextException", "IncorrectKeyException"];

/**
 * Compresses and seals bytes of a file. The sealed piece is in memory, no more than that: it has to be known whole before one call puts it.
 * @throws Error where the file does not have the bytes
 */
export async function sealPiece(standpoint: Standpoint, store: string, piece: Piece, path: string, signal: AbortSignal): Promise<Buffer> {
    const { clients, names, region } = vaultOf(standpoint);
    const key = `arn:aws:kms:${region}:${standpoint.account}:${names.envelopeKeyAlias(store)}`;
    const length = piece.to - piece.from;
    const source = length === 0 ? Readable.from([]) : createReadStream(path, { start: piece.from, end: piece.to - 1 });
    const sealed: Buffer[] = [];
    let read = 0;
    await pipeline(
        source,
        async function* (chunks: AsyncIterable<Buffer>) {
            for await (const chunk of chunks) {
                read += chunk.length;
                yield chunk;
            }
            if (read !== length) throw new Error(`${piece.file} has ${piece.from + read} bytes where ${piece.to} were received`);
        },
        createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } }),
        encrypting(clients.kms, key, { store, point: pieceName(piece) }),
        new Writable({
            write(chunk: Buffer, _encoding, done) {
                sealed.push(chunk);
                done();
            },
        }),
        { signal },
    );
    return Buffer.concat(sealed);
}

/** Puts a sealed piece where none of that name is. A name says which bytes of which log: what is there already is the same. */
export async function putPiece(standpoint: Standpoint, store: string, piece: Piece, sealed: Buffer, signal: AbortSignal): Promise<void> {
    const { clients, bucket } = vaultOf(standpoint);
    try {
        await clients.s3.send(
            new PutObjectCommand({
                Bucket: bucket,
                Key: pieceKey(store, piece),
                Body: sealed,
                ContentType: "application/octet-stream",
                ChecksumAlgorithm: "SHA256",
                IfNoneMatch: "*",
            }),
            { abortSignal: signal },
        );
    } catch (error) {
        if ((error as { name?: string }).name !== "PreconditionFailed") throw error;
    }
}

export interface StoredPiece extends Piece {
    /** As it lies in the bucket. */
    readonly stored: number;
}

/** Where pieces are read: the vault of the reading site. */
export interface Reading {
    readonly s3: S3Client;
    readonly kms: KMS;
    readonly account: string;
    readonly bucket: string;
    readonly store: string;
}

/**
 * Opens a piece and writes its bytes to their place in the file. Bytes that are there already, of the piece before it, have to be the same.
 * @param known up to which byte the file holds what earlier pieces brought
 * @throws Error where it is cut off, changed, another piece than its name says, or has another length
 * @throws KeyUnavailable where KMS does not open the envelope
 */
export async function openPiece(from: Reading, piece: StoredPiece, into: FileHandle, known: number, signal: AbortSignal): Promise<void> {
    const { s3, kms, account, bucket, store } = from;
    const opening = decrypting(kms, account, { store, point: pieceName(piece) });
    let at = piece.from;
    const place = async (chunk: Buffer) => {
        if (at + chunk.length > piece.to) throw new Error(`more than ${piece.to - piece.from} bytes are in it`);
        const twice = Math.min(chunk.length, Math.max(0, known - at));
        if (twice > 0) {
            const there = Buffer.alloc(twice);
            const { bytesRead } = await into.read(there, 0, twice, at);
            if (bytesRead !== twice || !there.equals(chunk.subarray(0, twice)))
                throw new Error("two pieces of it hold different bytes for the same place");
        }
        if (twice < chunk.length) await into.write(chunk, twice, chunk.length - twice, at + twice);
        at += chunk.length;
    };
    try {
        await pipeline(
            readRanges(s3, bucket, pieceKey(store, piece), piece.stored, signal),
            opening.stream,
            createZstdDecompress(),
            new Writable({
                write(chunk: Buffer, _encoding, done) {
                    place(chunk).then(() => done(), done);
                },
            }),
            { signal },
        );
        if (at !== piece.to) throw new Error(`${at - piece.from} bytes are in it, and ${piece.to - piece.from} belong there`);
    } catch (error) {
        signal.throwIfAborted();
        const failure = opening.keyFailure();
        if (failure && !faultsOfTheData.includes(failure.name))
            throw new KeyUnavailable(`the envelope's key cannot be used: ${failure.name}: ${failure.message}`, { cause: failure });
        throw error;
    }
}
