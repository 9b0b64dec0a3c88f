import { z } from "zod";

/** SHA-256 in lower-case hex. */
export const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** A part of a bundle: one compressed tar, named by its own hash, so that a release puts only what has changed. */
export const layer = z.strictObject({
    /** "program", "dependencies", "node", "engine", "plugin-aws". */
    name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
    /** Of the compressed tar. */
    sha256: digest,
    bytes: z.int().positive(),
    files: z.int().positive(),
    /** Bytes of its files once unpacked. */
    unpacked: z.int().positive(),
});
export type Layer = z.output<typeof layer>;

/**
 * What a bundle is made of. Its id is the SHA-256 of this very file, so that whoever knows the id can check everything below it. It holds no time: the
 * same inputs make the same bundle.
 */
export const bundleManifest = z.strictObject({
    version: z.literal(1),
    estate: z.string(),
    /** Version of the program, and the commit where git names one: "0.1.0 1a2b3c4". */
    release: z.string(),
    /** Where it runs, as `uname` names it: "Linux x86_64". */
    platform: z.string(),
    node: z.string(),
    pulumi: z.string(),
    plugins: z.array(z.strictObject({ name: z.string(), version: z.string() })),
    /** What of the checkout it holds besides production's rooms: "sandbox" where its plugins are the stand-ins of one. */
    includes: z.array(z.string()),
    layers: z.array(layer).min(1),
});
export type BundleManifest = z.output<typeof bundleManifest>;

/** So many bundles are kept, the newest first. */
export const bundlesKept = 5;

const released = z.strictObject({
    /** Its id. */
    bundle: digest,
    release: z.string(),
    at: z.iso.datetime(),
    by: z.string(),
});
export type Released = z.output<typeof released>;

/** Which bundle is the present one (the first), and which came before it. Written last, on a condition. */
export const releaseRecord = z.strictObject({
    version: z.literal(1),
    estate: z.string(),
    bundles: z.array(released).min(1).max(bundlesKept),
});
export type ReleaseRecord = z.output<typeof releaseRecord>;

/** The record with one bundle more at its head. One that was there already only moves: it is not kept twice. */
export function withRelease(record: ReleaseRecord | undefined, estate: string, next: Released): ReleaseRecord {
    const others = (record?.bundles ?? []).filter(({ bundle }) => bundle !== next.bundle);
    return { version: 1, estate, bundles: [next, ...others].slice(0, bundlesKept) };
}

/** JSON with one name on a line: `get.sh` reads it without a parser. */
export const bundleText = (document: BundleManifest | ReleaseRecord): string => `${JSON.stringify(document, undefined, 2)}\n`;

/** Keys in the release bucket. */
export const releaseKeys = {
    current: "current.json",
    /** The program that a person starts at 03:00. */
    get: "get.sh",
    manifests: "bundles/",
    manifest: (bundle: string) => `bundles/${bundle}.json`,
    /** Of the manifest, by whoever released it. */
    signature: (bundle: string) => `bundles/${bundle}.json.sig`,
    layers: "layers/",
    layer: (sha256: string) => `layers/${sha256}.tar.gz`,
} as const;

/** As far as package-lock.json (version 3) says what production needs. */
export const packageLock = z.object({
    packages: z.record(
        z.string(),
        z.object({ dev: z.boolean().optional(), optional: z.boolean().optional(), link: z.boolean().optional() }),
    ),
});

/** Folders of the packages that production needs: "node_modules/zod". Those marked optional may not be there. */
export const productionPackages = ({ packages }: z.output<typeof packageLock>): { path: string; optional: boolean }[] =>
    Object.entries(packages).flatMap(([path, { dev, optional, link }]) =>
        path === "" || dev === true || link === true ? [] : [{ path, optional: optional === true }],
    );

/** Whether a package's file is read when the program runs: types and source maps are not, and are half of all bytes. */
export const isReadAtRunTime = (path: string): boolean => !/\.(?:d\.[cm]?ts|map)$/.test(path);

/** What the person at 03:00 types on an empty Linux machine that has AWS credentials: with the AWS CLI, and with curl alone. */
export function bundleCommands(bucket: string, region: string): { cli: string; curl: string; enter: string } {
    // S3 wants the header of the content's hash, which curl below 8 does not add by itself; and a token that is empty may not be signed.
    const sign = `--aws-sigv4 aws:amz:${region}:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H x-amz-content-sha256:UNSIGNED-PAYLOAD`;
    const token = `\${AWS_SESSION_TOKEN:+-H "x-amz-security-token: $AWS_SESSION_TOKEN"}`;
    return {
        cli: `aws s3 cp --region ${region} s3://${bucket}/${releaseKeys.get} - | sh`,
        curl: `curl -fsS ${sign} ${token} https://${bucket}.s3.${region}.amazonaws.com/${releaseKeys.get} | sh`,
        enter: "cd lifeboat-*/ && export PATH=$PWD:$PATH",
    };
}
