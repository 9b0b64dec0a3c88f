import type { SiteName } from "../../model/estate.ts";
import { coordination, witness } from "../../model/names.ts";
import { bucketArn, objectsArn, policyDocument, type PolicyDocument, type Statement } from "./statement.ts";

export interface VaultAccess {
    readonly vault: string;
    readonly coordinationBucket: string;
    /** Stores whose prefixes are meant. */
    readonly stores: readonly string[];
    /** Key of the vault's bucket encryption, in this region. */
    readonly bucketKeyArn: string;
    /** Keys of the envelopes, in this region. */
    readonly envelopeKeyArns: readonly string[];
}

const prefixes = (bucket: string, stores: readonly string[], under = "") => stores.map((store) => objectsArn(bucket, `${under}${store}/`));

const readEpoch = (bucket: string): Statement => ({
    Sid: "ReadEpoch",
    Effect: "Allow",
    Action: "s3:GetObject",
    Resource: `${bucketArn(bucket)}/${coordination.epoch}`,
});

/** What the verifier and the expirer tell each other and the rest: points that exist, that were refused, that retention gave up; how far logs are good. */
const shelves = ["catalog/", "rejected/", "expired/", "logs/"] as const;
type Shelf = (typeof shelves)[number];
const onShelves = (bucket: string, stores: readonly string[], which: readonly Shelf[]) =>
    which.flatMap((shelf) => prefixes(bucket, stores, shelf));

const readCatalog = (bucket: string, stores: readonly string[]): Statement[] => [
    { Sid: "ReadCatalog", Effect: "Allow", Action: "s3:GetObject", Resource: onShelves(bucket, stores, shelves) },
    {
        Sid: "ListCatalog",
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: bucketArn(bucket),
        Condition: { StringLike: { "s3:prefix": shelves.map((shelf) => `${shelf}*`) } },
    },
];

/**
 * The writer puts, and can make new data keys. It cannot read back, delete, tag, or decrypt an envelope: an intruder who has production has no
 * way to the backups. Decrypt on the bucket's key is what a multipart upload to an SSE-KMS bucket needs; that key opens no envelope.
 */
export const writerAccess = (o: VaultAccess): PolicyDocument =>
    policyDocument(
        { Sid: "PutPoints", Effect: "Allow", Action: "s3:PutObject", Resource: prefixes(o.vault, o.stores) },
        {
            Sid: "OwnUploads",
            Effect: "Allow",
            Action: ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            Resource: prefixes(o.vault, o.stores),
        },
        { Sid: "FindOrphans", Effect: "Allow", Action: ["s3:ListBucket", "s3:ListBucketMultipartUploads"], Resource: bucketArn(o.vault) },
        { Sid: "SealEnvelopes", Effect: "Allow", Action: "kms:GenerateDataKey", Resource: o.envelopeKeyArns },
        { Sid: "UseBucketKey", Effect: "Allow", Action: ["kms:GenerateDataKey", "kms:Decrypt"], Resource: o.bucketKeyArn },
        readEpoch(o.coordinationBucket),
    );

/** The verifier reads points back and opens them, and it alone writes the catalog. */
export const verifierAccess = (o: VaultAccess): PolicyDocument =>
    policyDocument(
        { Sid: "ReadPoints", Effect: "Allow", Action: "s3:GetObject", Resource: prefixes(o.vault, o.stores) },
        { Sid: "ListPoints", Effect: "Allow", Action: "s3:ListBucket", Resource: bucketArn(o.vault) },
        { Sid: "OpenEnvelopes", Effect: "Allow", Action: "kms:Decrypt", Resource: [...o.envelopeKeyArns, o.bucketKeyArn] },
        {
            Sid: "SayVerified",
            Effect: "Allow",
            Action: "s3:PutObject",
            Resource: onShelves(o.coordinationBucket, o.stores, ["catalog/", "rejected/", "logs/"]),
        },
        ...readCatalog(o.coordinationBucket, o.stores),
        readEpoch(o.coordinationBucket),
    );

export interface ExpiryAccess {
    /** Both vaults: the tag must reach each copy, and what an expirer tags in a copy does not travel to its original. */
    readonly vaults: readonly string[];
    readonly coordinationBucket: string;
    readonly stores: readonly string[];
}

/** The expirer tags what retention no longer needs, and says so; it can read no data and delete nothing itself. */
export const expirerAccess = (o: ExpiryAccess): PolicyDocument =>
    policyDocument(
        {
            Sid: "ListPoints",
            Effect: "Allow",
            Action: ["s3:ListBucket", "s3:ListBucketVersions"],
            Resource: o.vaults.map(bucketArn),
        },
        {
            Sid: "TagPoints",
            Effect: "Allow",
            Action: ["s3:PutObjectTagging", "s3:GetObjectTagging"],
            Resource: o.vaults.flatMap((vault) => prefixes(vault, o.stores)),
        },
        {
            Sid: "SayExpired",
            Effect: "Allow",
            Action: "s3:PutObject",
            Resource: onShelves(o.coordinationBucket, o.stores, ["expired/"]),
        },
        ...readCatalog(o.coordinationBucket, o.stores),
    );

/** Who asks an archive for a backup needs to know whether its site is active, and nothing else. */
export const callerAccess = (o: { coordinationBucket: string }): PolicyDocument => policyDocument(readEpoch(o.coordinationBucket));

export interface GuardAccess {
    readonly site: SiteName;
    readonly coordinationBucket: string;
    readonly witnessBucket: string;
}

/**
 * The guard beside a database learns who is active, from either record, and says that it holds the lease. The standby's guards keep the witness's copy of the
 * epoch up to date; the primary's may not touch it, because a high epoch there would close the standby.
 */
export const guardAccess = (o: GuardAccess): PolicyDocument =>
    policyDocument(
        readEpoch(o.coordinationBucket),
        { Sid: "ReadFence", Effect: "Allow", Action: "s3:GetObject", Resource: `${bucketArn(o.witnessBucket)}/${witness.fence}` },
        { Sid: "SayLease", Effect: "Allow", Action: "s3:PutObject", Resource: objectsArn(o.witnessBucket, witness.leases) },
        ...(o.site === "standby"
            ? [
                  {
                      Sid: "RaiseFence",
                      Effect: "Allow" as const,
                      Action: "s3:PutObject",
                      Resource: `${bucketArn(o.witnessBucket)}/${witness.fence}`,
                  },
              ]
            : []),
    );

/** What stands beside a server: the guard, and the archive with the writer's rights. */
export function databaseAccess(o: GuardAccess & VaultAccess): PolicyDocument {
    const guard = guardAccess(o).Statement;
    const known = new Set(guard.map(({ Sid }) => Sid));
    return policyDocument(...guard, ...writerAccess(o).Statement.filter(({ Sid }) => !known.has(Sid)));
}

/** The publisher of the latch reads its record and puts its metric. */
export const latchAccess = (o: { coordinationBucket: string; metricNamespace: string }): PolicyDocument =>
    policyDocument(
        {
            Sid: "ReadLatch",
            Effect: "Allow",
            Action: "s3:GetObject",
            Resource: `${bucketArn(o.coordinationBucket)}/${coordination.latch}`,
        },
        {
            Sid: "PutMetric",
            Effect: "Allow",
            Action: "cloudwatch:PutMetricData",
            Resource: "*",
            Condition: { StringEquals: { "cloudwatch:namespace": o.metricNamespace } },
        },
    );
