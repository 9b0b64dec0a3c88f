import { createHash, type KeyObject } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { machine, tmpdir, type } from "node:os";
import { join } from "node:path";
import { DeleteObjectsCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { awsClients } from "../../backup/clients.ts";
import { listObjects, readRanges, sizeOf } from "../../backup/vault.ts";
import {
    bundleManifest,
    bundleText,
    releaseKeys,
    releaseRecord,
    withRelease,
    type BundleManifest,
    type Layer,
    type ReleaseRecord,
} from "../../model/bundle.ts";
import type { Estate } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { names } from "../../model/names.ts";
import { bytes, formatSize } from "../../model/units.ts";
import { awsFailure } from "../answers.ts";
import { coordinationBucket } from "../conditional-bucket.ts";
import { signatureText, signBytes } from "../evidence/signature.ts";
import { operator } from "../runner.ts";
import { getScript } from "./get-script.ts";
import { packLayer, type LayerContents } from "./layer.ts";

export interface PublishOptions {
    estate: Estate;
    account: string;
    /** What the manifest says of itself, besides its layers. */
    about: Omit<BundleManifest, "version" | "estate" | "platform" | "layers">;
    layers: readonly LayerContents[];
    /** Ed25519, private: signs the manifest, and with it every byte that it names. */
    key: KeyObject;
    /** The present moment. */
    now: Date;
    note: (line: string) => void;
    signal: AbortSignal;
}

export interface Published {
    bundle: string;
    manifest: BundleManifest;
    /** Bytes that were uploaded: layers that lay there already are not put again. */
    uploaded: number;
    /** Objects of older bundles that were deleted. */
    deleted: number;
}

/** Parts of an upload. A call has 45 s: enough for one at 3 Mbit/s. */
const partSize = 16 * 1_048_576;
/** Younger objects may belong to a bundle that somebody is putting this moment. */
const undisturbedMs = 24 * 3_600_000;

/** The release bucket, in the standby region. */
function releaseBucket(estate: Estate, account: string): { s3: S3Client; bucket: string; region: string } {
    const { s3, region } = awsClients(estate.sites.standby.region);
    return { s3, region, bucket: names(estate, account).releaseBucket };
}

/** The record of releases, with the ETag that a replacement must name. @throws Failure where it cannot be read or is none. */
export async function readReleases(estate: Estate, account: string): Promise<{ record: ReleaseRecord; etag: string } | undefined> {
    const { s3, bucket } = releaseBucket(estate, account);
    const found = await coordinationBucket(s3, bucket).get(releaseKeys.current);
    if (found === undefined) return undefined;
    try {
        const record = releaseRecord.parse(JSON.parse(found.text));
        if (record.estate !== estate.name) throw new Error(`it is of the estate ${record.estate}`);
        return { record, etag: found.etag };
    } catch (error) {
        throw new Failure(
            "no",
            `${releaseKeys.current} in ${bucket} is no record of releases of ${estate.name}`,
            `put back an older version of it (the bucket keeps them), or delete it and run \`lifeboat bundle\``,
            { cause: error },
        );
    }
}

/**
 * Packs a bundle and puts it into the release bucket: layers, manifest with its signature, `get.sh`, and last of all the record that names it as the present one. Whatever
 * ends it before leaves the former bundle the present one.
 * @throws Failure where the bucket is missing, refuses or does not answer.
 */
export async function publishBundle(options: PublishOptions): Promise<Published> {
    const { estate, account, about, key, note, signal } = options;
    const { s3, bucket, region } = releaseBucket(estate, account);
    const folder = mkdtempSync(join(tmpdir(), "lifeboat-bundle-"));
    const put = async <Result>(what: string, call: () => Promise<Result>): Promise<Result> => {
        signal.throwIfAborted();
        try {
            return await call();
        } catch (error) {
            if (signal.aborted) throw signal.reason;
            throw awsFailure(error, `putting ${what} into ${bucket} in ${region}`);
        }
    };
    try {
        // A record that nobody can read is told before the work, not after it.
        await readReleases(estate, account);
        const layers: Layer[] = [];
        let uploaded = 0;
        for (const contents of options.layers) {
            const file = join(folder, contents.name);
            const layer = await packLayer(contents, file);
            const isNew = await put(`the layer ${layer.name}`, () => putLayer(s3, bucket, layer, file, signal));
            if (isNew) uploaded += layer.bytes;
            layers.push(layer);
            rmSync(file);
            const size = `${formatSize(bytes(layer.bytes))}, ${layer.files} files, ${formatSize(bytes(layer.unpacked))} unpacked`;
            note(`${isNew ? "put      " : "was there"}  ${layer.name.padEnd(18)} ${size}`);
        }
        const manifest = bundleManifest.parse({ version: 1, estate: estate.name, ...about, platform: `${type()} ${machine()}`, layers });
        const text = bundleText(manifest);
        const bundle = createHash("sha256").update(text).digest("hex");
        const objects = [
            { Key: releaseKeys.manifest(bundle), Body: text, ContentType: "application/json" },
            { Key: releaseKeys.signature(bundle), Body: signatureText(signBytes(Buffer.from(text), key)), ContentType: "application/json" },
            { Key: releaseKeys.get, Body: getScript(estate, account), ContentType: "text/x-shellscript" },
        ];
        for (const object of objects) await put(object.Key, () => s3.send(new PutObjectCommand({ Bucket: bucket, ...object })));
        const record = await put(releaseKeys.current, () => nameAsPresent(options, bundle, manifest));
        const deleted = await put("what is left of older bundles", () => deleteUnnamed(s3, bucket, record, options.now));
        await put("the bundle", () => checkWhole(s3, bucket, manifest));
        return { bundle, manifest, uploaded, deleted };
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        throw new Failure("prerequisite", `${tmpdir()} is full`, "make room there, or set TMPDIR to another place", { cause: error });
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** True where it was put, false where it lay there. What lies there is read: a damaged one is replaced. */
async function putLayer(s3: S3Client, bucket: string, { sha256, bytes: size }: Layer, file: string, signal: AbortSignal): Promise<boolean> {
    const Key = releaseKeys.layer(sha256);
    if ((await sizeOf(s3, bucket, Key)) === size && (await hashOf(readRanges(s3, bucket, Key, size, signal))) === sha256) return false;
    const upload = new Upload({
        client: s3,
        params: { Bucket: bucket, Key, Body: createReadStream(file), ContentType: "application/gzip", ChecksumAlgorithm: "SHA256" },
        partSize,
        queueSize: 3,
        leavePartsOnError: false,
    });
    const abort = () => void upload.abort();
    signal.addEventListener("abort", abort, { once: true });
    try {
        await upload.done();
        return true;
    } finally {
        signal.removeEventListener("abort", abort);
    }
}

async function hashOf(source: AsyncIterable<Buffer>): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of source) hash.update(chunk);
    return hash.digest("hex");
}

/** Puts the bundle at the head of the record. Of two releases at once both are in it, whichever came last at its head. */
async function nameAsPresent(
    { estate, account, now }: PublishOptions,
    bundle: string,
    { release }: BundleManifest,
): Promise<ReleaseRecord> {
    const { s3, bucket } = releaseBucket(estate, account);
    const store = coordinationBucket(s3, bucket);
    for (let attempt = 1; attempt <= 5; attempt += 1) {
        const found = await readReleases(estate, account);
        const next = withRelease(found?.record, estate.name, { bundle, release, at: now.toISOString(), by: operator() });
        const text = bundleText(next);
        const written =
            found === undefined ? store.create(releaseKeys.current, text) : store.replace(releaseKeys.current, text, found.etag);
        if (await written) return next;
    }
    throw new Failure("refused", "others release at the same time, again and again", "repeat the command when they are done");
}

/** Deletes what no bundle of the record needs. The bucket keeps deleted versions for some days more. */
async function deleteUnnamed(s3: S3Client, bucket: string, record: ReleaseRecord, now: Date): Promise<number> {
    const store = coordinationBucket(s3, bucket);
    const needed = new Set<string>();
    for (const { bundle } of record.bundles) {
        const key = releaseKeys.manifest(bundle);
        const found = await store.get(key);
        const manifest = manifestIn(found?.text);
        // Without its manifest nobody can tell what it needs: then nothing is deleted.
        if (manifest === undefined) return 0;
        needed.add(key).add(releaseKeys.signature(bundle));
        for (const { sha256 } of manifest.layers) needed.add(releaseKeys.layer(sha256));
    }
    const unnamed: { Key: string }[] = [];
    for (const prefix of [releaseKeys.manifests, releaseKeys.layers])
        for await (const { key, at } of listObjects(s3, bucket, prefix))
            if (!needed.has(key) && at !== undefined && now.getTime() - at.getTime() > undisturbedMs) unnamed.push({ Key: key });
    for (let from = 0; from < unnamed.length; from += 1000)
        await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: unnamed.slice(from, from + 1000), Quiet: true } }));
    return unnamed.length;
}

/** Undefined where it is missing, damaged, or of a version that is not ours. */
function manifestIn(text: string | undefined): BundleManifest | undefined {
    try {
        return bundleManifest.parse(JSON.parse(text ?? ""));
    } catch {
        return undefined; // that is the answer
    }
}

/** Another release may have deleted a layer of ours that lay there for long, unnamed, before our record named it. */
async function checkWhole(s3: S3Client, bucket: string, { layers }: BundleManifest): Promise<void> {
    for (const { name, sha256, bytes: size } of layers)
        if ((await sizeOf(s3, bucket, releaseKeys.layer(sha256))) !== size)
            throw new Failure(
                "no",
                `the layer ${name} is not in ${bucket} any more: another release has cleaned up`,
                "run `lifeboat bundle` again",
            );
}
