import { z } from "zod";
import { siteNames } from "./estate.ts";

/**
 * What a backup is: its manifest. It is put after the data, and describes what was put (`STORE/POINT/manifest.json` in the vault).
 * `point` is the start of the snapshot, `YYYYMMDDTHHMMSSZ-xxxx` (UTC, 4 random hex digits), so that names sort by time.
 */
export const manifest = z.strictObject({
    version: z.literal(1),
    store: z.string(),
    engine: z.string(),
    point: z.string().regex(/^\d{8}T\d{6}Z-[0-9a-f]{4}$/),
    site: z.enum(siteNames),
    /** Instant that the snapshot shows, RFC 3339 UTC: writes acknowledged before `startedAt` are in it. */
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    /** Object in the vault. */
    key: z.string(),
    compression: z.literal("zstd"),
    encryption: z.strictObject({ scheme: z.literal("aws-encryption-sdk"), keyAlias: z.string() }),
    /** Of the stored (encrypted) bytes. */
    stored: z.strictObject({ bytes: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
    /** Of the dump before compression. */
    dump: z.strictObject({ bytes: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
    server: z.strictObject({ version: z.string(), position: z.string().optional() }),
});
export type Manifest = z.output<typeof manifest>;

/** What the verifier says of a point, in the catalog. */
export const recoveryPoint = z.strictObject({
    manifest,
    verified: z.strictObject({ at: z.iso.datetime(), site: z.enum(siteNames), seconds: z.number() }),
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
