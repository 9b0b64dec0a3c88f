import { z } from "zod";
import { siteNames } from "./estate.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const measure = z.strictObject({ bytes: z.int(), sha256 });

/**
 * What a backup is: its manifest. It is put after the data and the contents, and describes what was put (`STORE/POINT/manifest.json` in the vault).
 * `point` is the start of the copy, `YYYYMMDDTHHMMSSZ-xxxx` (UTC, 4 random hex digits), so that names sort by time.
 */
export const manifest = z.strictObject({
    version: z.literal(2),
    store: z.string(),
    engine: z.string(),
    point: z.string().regex(/^\d{8}T\d{6}Z-[0-9a-f]{4}$/),
    site: z.enum(siteNames),
    /** RFC 3339 UTC: writes acknowledged before `startedAt` are in the copy. */
    startedAt: z.iso.datetime(),
    /** Writes that began after this are not in the copy. */
    copiedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    /** Object in the vault. */
    key: z.string(),
    compression: z.literal("zstd"),
    encryption: z.strictObject({ scheme: z.literal("aws-encryption-sdk"), keyAlias: z.string() }),
    /** Of the stored (encrypted) bytes. */
    stored: measure,
    /** Of the engine's stream before compression. */
    dump: measure,
    /** `position`: everything up to it is in the copy, and nothing after it. */
    server: z.strictObject({ version: z.string(), position: z.string() }),
    /** Where the log goes on that this copy does not have. Absent where none is shipped: then the copy is all that can be had. */
    log: z.strictObject({ history: z.string(), file: z.string(), offset: z.int() }).optional(),
    /** What the source held at `position`, which is the copy's or a later one; bytes and hash of the stored object. */
    contents: z.strictObject({ key: z.string(), bytes: z.int(), sha256, position: z.string() }).optional(),
    /** Why there are no contents. */
    withoutContents: z.string().optional(),
    /** What was on the server and is not in the copy. */
    unprotected: z.array(z.strictObject({ name: z.string(), why: z.string() })),
});
export type Manifest = z.output<typeof manifest>;

/** What the verifier says of a point, in the catalog. */
export const recoveryPoint = z.strictObject({
    manifest,
    verified: z.strictObject({
        at: z.iso.datetime(),
        site: z.enum(siteNames),
        seconds: z.number(),
        /** A server was started from it, replayed the log up to `reached`, and the engine's own check found nothing. Not so where the estate says `verify: "bytes"`. */
        started: z.boolean(),
        reached: z.string().optional(),
        /** Why what it held was not compared with what the source held; absent where both were the same. */
        notCompared: z.string().optional(),
    }),
    /** "one copy" while there is no peer to replicate to. */
    copies: z.int().min(1),
});
export type RecoveryPoint = z.output<typeof recoveryPoint>;

/** Tag of the objects that the vault's lifecycle may delete; nothing else is ever deleted. */
export const expiredTag = { Key: "lifeboat:expire", Value: "true" } as const;

/** The verifier's finding that a backup is no recovery point. */
export const rejection = z.strictObject({ store: z.string(), point: z.string(), at: z.iso.datetime(), reason: z.string() });
export type Rejection = z.output<typeof rejection>;

/** The expirer's note that a point is given up. */
export const expiry = z.strictObject({ store: z.string(), point: z.string(), at: z.iso.datetime() });
export type Expiry = z.output<typeof expiry>;
