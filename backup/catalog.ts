import type { z } from "zod";
import { expiry, recoveryPoint, rejection, type Expiry, type RecoveryPoint, type Rejection } from "../model/manifest.ts";
import { coordination, names } from "../model/names.ts";
import { awsClients } from "./clients.ts";
import { timeOf } from "./point.ts";
import { createRecord, listObjects, readText, type Standpoint } from "./vault.ts";

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
        return schema.parse(JSON.parse(text));
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

    /** The newest verified point whose snapshot is not after `at`, or undefined. */
    async newest(store: string, at?: Date): Promise<RecoveryPoint | undefined> {
        const { verified } = await this.index(store);
        const candidates = Map.groupBy(
            [...verified].filter((point) => !at || timeOf(point) <= at),
            (point) => timeOf(point).getTime(),
        );
        // A point's name tells the second only; which of two in one second is the newer one, and whether it is too new, its manifest tells.
        for (const second of [...candidates.keys()].sort((a, b) => b - a)) {
            const records = await Promise.all(candidates.get(second)!.map((point) => this.verified(store, point)));
            const started = ({ manifest }: RecoveryPoint) => Date.parse(manifest.startedAt);
            const [newest] = records.filter((record) => !at || started(record) <= at.getTime()).sort((a, b) => started(b) - started(a));
            if (newest) return newest;
        }
        return undefined;
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
        const states: PointState[] = [];
        for (let from = 0; from < jobs.length; from += readers)
            states.push(...(await Promise.all(jobs.slice(from, from + readers).map(([, job]) => job()))));
        return states;
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
