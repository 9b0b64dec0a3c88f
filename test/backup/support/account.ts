/**
 * An AWS account for tests of backups: the sandbox's moto on 127.0.0.1, with the buckets and keys that bootstrap and the stacks would make.
 * One a test process. Its regions are not those of stacks/estate.ts, so that no other test shares its memoised clients.
 */
import { CopyObjectCommand, CreateBucketCommand, GetObjectCommand, PutBucketVersioningCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { CreateAliasCommand, CreateKeyCommand, ReplicateKeyCommand } from "@aws-sdk/client-kms";
import { after } from "mocha";
import { awsClients } from "../../../backup/clients.ts";
import { listObjects, type Standpoint } from "../../../backup/vault.ts";
import { siteNames, type SiteName } from "../../../model/estate.ts";
import { defineEstate } from "../../../stores/estate.ts";
import { coordination, names } from "../../../model/names.ts";
import { startMoto, type Moto } from "../../support/moto.ts";

export const account = "123456789012";

export const estate = defineEstate({
    name: "shop",
    domain: "shop.example",
    sites: { primary: { region: "eu-west-1" }, standby: { region: "eu-central-1" } },
    decision: "5 min",
    stores: {
        "shop-mariadb": { engine: "mariadb", database: "shop", objective: { rto: "1 h", rpo: "15 min" }, backup: { every: "5 min" } },
        "shop-postgres": { engine: "postgres", database: "shop", objective: { rto: "1 h", rpo: "15 min" }, backup: { every: "5 min" } },
    },
    services: {},
});

export const derived = names(estate, account);
export const at = (site: SiteName): Standpoint => ({ estate, account, site });
export const clientsOf = (site: SiteName) => awsClients(estate.sites[site].region);

async function furnish(): Promise<void> {
    const standby = clientsOf("standby");
    const buckets = [
        ["standby", derived.coordinationBucket],
        ["primary", derived.vaultBucket("primary")],
        ["standby", derived.vaultBucket("standby")],
    ] as const;
    for (const [site, Bucket] of buckets) {
        const { s3, region } = clientsOf(site);
        await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region as "eu-west-1" } }));
        await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    }
    for (const store of Object.keys(estate.stores)) {
        const made = await standby.kms.send(new CreateKeyCommand({ MultiRegion: true }));
        const KeyId = made.KeyMetadata!.KeyId!;
        await standby.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: estate.sites.primary.region }));
        for (const site of siteNames)
            await clientsOf(site).kms.send(new CreateAliasCommand({ AliasName: derived.envelopeKeyAlias(store), TargetKeyId: KeyId }));
    }
}

let started: Promise<Moto> | undefined;
// Outside any suite: after the last of them.
after(async () => (await started)?.stop());

/** Makes the standard AWS environment that of the account; call it in `before`. @returns what puts the former environment back, for `after` */
export async function enterAccount(): Promise<() => void> {
    const wanted: Record<string, string> = {
        AWS_ACCESS_KEY_ID: "AKIATEST",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_EC2_METADATA_DISABLED: "true",
    };
    const before = Object.fromEntries([...Object.keys(wanted), "AWS_ENDPOINT_URL"].map((name) => [name, process.env[name]]));
    Object.assign(process.env, wanted);
    const first = started === undefined;
    started ??= startMoto();
    process.env["AWS_ENDPOINT_URL"] = (await started).url;
    if (first) await furnish();
    return () => {
        for (const [name, value] of Object.entries(before))
            if (value === undefined) delete process.env[name];
            else process.env[name] = value;
    };
}

/** What the buckets' replication does: copies a point from one vault to the other, whole or in part. */
export async function replicate(
    store: string,
    point: string,
    parts: readonly ("data" | "contents" | "manifest.json")[] = ["data", "contents", "manifest.json"],
) {
    for (const part of parts)
        await clientsOf("standby").s3.send(
            new CopyObjectCommand({
                Bucket: derived.vaultBucket("standby"),
                Key: `${store}/${point}/${part}`,
                CopySource: `${derived.vaultBucket("primary")}/${store}/${point}/${part}`,
            }),
        );
}

/** Changes an object's bytes in the standby's vault, as no honest party would. */
export async function tamper(key: string, change: (bytes: Buffer) => Buffer): Promise<void> {
    const { s3 } = clientsOf("standby");
    const Bucket = derived.vaultBucket("standby");
    const found = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
    const Body = change(Buffer.from(await found.Body!.transformToByteArray()));
    await s3.send(new PutObjectCommand({ Bucket, Key: key, Body }));
}

export async function keysIn(site: SiteName, prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of listObjects(clientsOf(site).s3, derived.vaultBucket(site), prefix)) keys.push(key);
    return keys;
}

/** Whether the catalog holds a point. */
export async function isInCatalog(store: string, point: string): Promise<boolean> {
    const wanted = coordination.catalog(store, point);
    for await (const { key } of listObjects(clientsOf("standby").s3, derived.coordinationBucket, wanted)) if (key === wanted) return true;
    return false;
}
