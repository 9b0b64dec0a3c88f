import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { awsClients } from "../../../backup/clients.ts";
import { releaseRecord, type ReleaseRecord } from "../../../model/bundle.ts";
import type { Estate } from "../../../model/estate.ts";
import { defineEstate } from "../../../stores/estate.ts";
import { names } from "../../../model/names.ts";
import { ensureBucket } from "../../../recovery/bootstrap/buckets.ts";
import { getScript } from "../../../recovery/bundle/get-script.ts";
import type { LayerContents } from "../../../recovery/bundle/layer.ts";
import { publishBundle, type Published } from "../../../recovery/bundle/publish.ts";
import { declaration } from "../../model/declaration.ts";
import { startCommand, type Ended } from "../../support/cli.ts";

export const account = "123456789012";
/** A region of its own: clients are kept by region. */
const region = "ap-southeast-2";

/** Whose bundles are trusted here. */
export const { privateKey: key } = generateKeyPairSync("ed25519");

/** A release bucket of a test's own, and an empty machine beside it. */
export interface Shelf {
    estate: Estate;
    bucket: string;
    publish(layers: readonly LayerContents[], now?: Date, signer?: KeyObject): Promise<Published>;
    read(key: string): Promise<Buffer>;
    put(key: string, body: string | Uint8Array): Promise<void>;
    delete(key: string): Promise<void>;
    record(): Promise<ReleaseRecord>;
    /** Runs `get.sh` in an empty directory. */
    get(options?: { args?: string[]; env?: NodeJS.ProcessEnv; script?: string; cwd?: string }): Promise<Ended & { cwd: string }>;
}

/** @param scratch directory for what is unpacked */
export async function makeShelf(name: string, scratch: string): Promise<Shelf> {
    const estate = defineEstate(
        declaration((each) => {
            each.name = name;
            each.sites = { primary: { region: "eu-north-1" }, standby: { region } };
        }),
    );
    const { s3 } = awsClients(region);
    const Bucket = names(estate, account).releaseBucket;
    await ensureBucket(s3, { name: Bucket, region });
    const read = async (Key: string) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
    };
    return {
        estate,
        bucket: Bucket,
        read,
        publish: (layers, now = new Date(), signer = key) =>
            publishBundle({
                estate,
                account,
                about: { release: "0.1.0 abc", node: process.version, pulumi: "v3.0.0", plugins: [], includes: [] },
                layers,
                key: signer,
                now,
                note: () => {},
                signal: new AbortController().signal,
            }),
        put: async (Key, Body) => void (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))),
        delete: async (Key) => void (await s3.send(new DeleteObjectCommand({ Bucket, Key }))),
        record: async () => releaseRecord.parse(JSON.parse((await read("current.json")).toString())),
        async get({ args = [], env = {}, script = getScript(estate, account), cwd = mkdtempSync(join(scratch, "empty-")) } = {}) {
            mkdirSync(join(scratch, "home"), { recursive: true });
            const command = ["sh", "-c", 'printf %s "$SCRIPT" | sh -s -- "$@"', "sh", ...args];
            const whole = { ...process.env, HOME: join(scratch, "home"), PATH: "/usr/bin:/bin", SCRIPT: script, ...env };
            return { ...(await startCommand(command, { cwd, env: whole }).ended), cwd };
        },
    };
}

export const scratchDirectory = (): string => mkdtempSync(join(tmpdir(), "lifeboat-bundles-"));

/** A layer of one file. */
export const textLayer = (name: string, text: string): LayerContents => ({
    name,
    entries: [{ path: `${name}/file`, content: { text } }],
});
