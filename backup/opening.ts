import { chown, mkdir } from "node:fs/promises";
import { Writable } from "node:stream";
import type { Manifest } from "../model/manifest.ts";
import { kindOf } from "../stores/registry.ts";
import { receive } from "./pipeline.ts";
import { vaultOf, type Standpoint } from "./vault.ts";

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

/** A program that stops reading breaks the pipe: its own words are the cause. */
export async function causeOfBreak(error: unknown, ended: Promise<void> | undefined): Promise<unknown> {
    const { code } = error as { code?: string };
    if (!ended || (code !== "EPIPE" && code !== "ERR_STREAM_PREMATURE_CLOSE")) return error;
    return await ended.then(
        () => error,
        (died: unknown) => died,
    );
}

/**
 * Reads a point's data from this site's vault: decrypted, unpacked, hashed, and held against its manifest.
 * @param directory made, and filled with the copy; undefined: the bytes are only looked at
 * @throws Error that says what is wrong with the data; nothing of the directory may be used then
 */
export async function openData(
    standpoint: Standpoint,
    manifest: Manifest,
    directory: string | undefined,
    signal: AbortSignal,
): Promise<void> {
    const { clients, bucket } = vaultOf(standpoint);
    const { store, point, key, stored, dump } = manifest;
    const kind = kindOf(manifest);
    if (directory !== undefined) {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        // A server refuses to be root: it is run as the directory's owner.
        if (process.getuid?.() === 0) await chown(directory, kind.server.uid, kind.server.uid);
    }
    const program = directory === undefined ? undefined : kind.operations.physical.unpack(directory, signal);
    program?.stdout.resume();
    const read = await receive({
        ...{ s3: clients.s3, kms: clients.kms, account: standpoint.account, bucket, key, bytes: stored.bytes, signal },
        context: { store, point },
        sink: program?.stdin ?? nowhere(),
    }).catch(async (error: unknown) => {
        const cause = await causeOfBreak(error, program?.ended);
        program?.kill();
        throw cause;
    });
    await program?.ended;
    if (read.stored.sha256 !== stored.sha256)
        throw new Error("the stored bytes are not those that the manifest describes (SHA-256 differs)");
    if (read.dump.bytes !== dump.bytes || read.dump.sha256 !== dump.sha256)
        throw new Error("the copy is not the one that the manifest describes (size or SHA-256 differs)");
}
