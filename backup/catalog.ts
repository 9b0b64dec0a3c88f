import type { z } from "zod";
import { expiry, recoveryPoint, rejection, type Expiry, type RecoveryPoint, type Rejection } from "../model/manifest.ts";
import { coordination, names } from "../model/names.ts";
import { awsClients } from "./clients.ts";
import { createRecord, listObjects, readText, refuseOlder, type Standpoint } from "./vault.ts";

/** What became of a backup. */
export type PointState =
    /** Its manifest lies in the vault; nobody has read it back yet: no recovery point. */
    | { state: "unverified"; store: string; point: string }
    | { state: "verified"; store: string; point: string; record: RecoveryPoint }
    | { state: "rejected"; store: string; point: string; rejection: Rejection }
    /** Retention gave it up: its objects may be gone. */
    | { state: "expired"; store: string; point: string; expiry: Expiry };

/** Records that are read at once. */
const readers = 16;

async function inTurns<Result>(jobs: readonly (() => Promise<Result>)[]): Promise<Result[]> {
    const results: Result[] = [];
    for (let from = 0; from < jobs.length; from += readers)
        results.push(...(await Promise.all(jobs.slice(from, from + readers).map((job) => job()))));
    return results;
}

/** A point's name tells the second only; which of two in one second is the newer one, their manifests tell. */
const newestFirst = (records: readonly RecoveryPoint[]): RecoveryPoint[] =>
    records.toSorted((a, b) => Date.parse(b.manifest.startedAt) - Date.parse(a.manifest.startedAt));

/** The catalog: small records in the coordination bucket, in the standby region. A record is written once and never changed. */
export class Catalog {
    readonly #s3;
    readonly #bucket: string;

    constructor({ estate, account }: Pick<Standpoint, "estate" | "account">) {
        this.#s3 = awsClients(estate.sites.standby.region).s3;
        this.#bucket = names(estate, account).coordinationBucket;
    }

    async #points(folder: keyof typeof folders, store: string): Promise<string[]> {
        const prefix = folders[folder](store, "").replace(/\.json$/, "");
        const points: string[] = [];
        for await (const { key } of listObjects(this.#s3, this.#bucket, prefix))
            points.push(key.slice(prefix.length).replace(/\.json$/, ""));
        return points;
    }

    async #read<Schema extends z.ZodType>(folder: keyof typeof folders, schema: Schema, store: string, point: string) {
        const key = folders[folder](store, point);
        const text = await readText(this.#s3, this.#bucket, key);
        if (text === undefined) throw new Error(`${key} was in the catalog a moment ago and is gone`);
        const record: unknown = JSON.parse(text);
        refuseOlder((record as { manifest?: unknown } | null)?.manifest, store, point);
        return schema.parse(record);
    }

    /** Names of the points in each state. A point that was given up is in `expired` only. */
    async index(store: string): Promise<{ verified: Set<string>; rejected: Set<string>; expired: Set<string> }> {
        const [verified, rejected, expired] = await Promise.all([
            this.#points("verified", store),
            this.#points("rejected", store),
            this.#points("expired", store),
        ]);
        const gone = new Set(expired);
        return {
            verified: new Set(verified.filter((point) => !gone.has(point))),
            rejected: new Set(rejected.filter((point) => !gone.has(point))),
            expired: gone,
        };
    }

    /** The newest verified point, or undefined. */
    async newest(store: string): Promise<RecoveryPoint | undefined> {
        const { verified } = await this.index(store);
        const second = [...verified]
            .map((point) => point.slice(0, point.indexOf("-")))
            .sort()
            .at(-1);
        return newestFirst(
            await this.#verifiedOf(store, second === undefined ? [] : [...verified].filter((point) => point.startsWith(second))),
        )[0];
    }

    /** Every verified point, newest first. */
    async recoveryPoints(store: string): Promise<RecoveryPoint[]> {
        const { verified } = await this.index(store);
        return newestFirst(await this.#verifiedOf(store, [...verified]));
    }

    #verifiedOf(store: string, points: readonly string[]): Promise<RecoveryPoint[]> {
        return inTurns(points.map((point) => () => this.verified(store, point)));
    }

    verified(store: string, point: string): Promise<RecoveryPoint> {
        return this.#read("verified", recoveryPoint, store, point);
    }

    /** Every point that the catalog knows, oldest first. */
    async states(store: string): Promise<PointState[]> {
        const { verified, rejected, expired } = await this.index(store);
        const jobs: [string, () => Promise<PointState>][] = [
            ...[...verified].map((point): [string, () => Promise<PointState>] => [
                point,
                async () => ({ state: "verified", store, point, record: await this.verified(store, point) }),
            ]),
            ...[...rejected].map((point): [string, () => Promise<PointState>] => [
                point,
                async () => ({ state: "rejected", store, point, rejection: await this.#read("rejected", rejection, store, point) }),
            ]),
            ...[...expired].map((point): [string, () => Promise<PointState>] => [
                point,
                async () => ({ state: "expired", store, point, expiry: await this.#read("expired", expiry, store, point) }),
            ]),
        ];
        jobs.sort(([a], [b]) => (a < b ? -1 : 1));
        return await inTurns(jobs.map(([, job]) => job));
    }

    /** The verifier's to call. @returns false when somebody else was faster */
    enter(record: RecoveryPoint): Promise<boolean> {
        return createRecord(this.#s3, this.#bucket, coordination.catalog(record.manifest.store, record.manifest.point), record);
    }

    /** The verifier's to call. */
    reject(found: Rejection): Promise<boolean> {
        return createRecord(this.#s3, this.#bucket, coordination.rejected(found.store, found.point), found);
    }

    /** The expirer's to call, before it tags anything. */
    expire(given: Expiry): Promise<boolean> {
        return createRecord(this.#s3, this.#bucket, coordination.expired(given.store, given.point), given);
    }
}

const folders = { verified: coordination.catalog, rejected: coordination.rejected, expired: coordination.expired } as const;
