import { PutObjectTaggingCommand, GetObjectTaggingCommand, type S3Client } from "@aws-sdk/client-s3";
import { siteNames, type SiteName, type Store } from "../model/estate.ts";
import { expiredTag } from "../model/manifest.ts";
import { storeOf } from "./backup.ts";
import { Catalog } from "./catalog.ts";
import { checkClock } from "./clock.ts";
import { logToExpire, tagLog } from "./log/expire.ts";
import type { GivenUp } from "./log/expiry.ts";
import { timeOf } from "./point.ts";
import { contentsKey, dataKey, isMissing, listPoints, manifestKey, vaultOf, type Standpoint } from "./vault.ts";

/** Why retention keeps a point. */
export type Reason = "newest verified" | "recent" | "newest of its day" | "not yet verified" | "kept to be looked into";

export interface ExpiryPlan {
    keep: { point: string; because: Reason }[];
    expire: string[];
}

const day = 86_400_000;

/**
 * What retention keeps and gives up, by names and times alone.
 *
 * Kept are: the newest verified point, always; every point younger than `retention.all`; the newest of each UTC day, for `retention.daily`. What is
 * no recovery point (rejected, or left by a killed run) goes once it is older than `retention.all`.
 * @param points name of each point that has objects, and whether it is verified
 */
export function planExpiry(
    points: ReadonlyMap<string, "verified" | "unverified" | "bad">,
    retention: Store["backup"]["retention"],
    now: Date,
): ExpiryPlan {
    const plan: ExpiryPlan = { keep: [], expire: [] };
    const newestFirst = [...points].sort(([a], [b]) => (a < b ? 1 : -1));
    const newest = newestFirst.find(([, state]) => state === "verified")?.[0];
    const days = new Set<number>();
    for (const [point, state] of newestFirst) {
        const age = now.getTime() - timeOf(point).getTime();
        const recent = age <= retention.all * 1000;
        const of = Math.floor(timeOf(point).getTime() / day);
        const keep = (because: Reason) => plan.keep.push({ point, because });
        switch (state) {
            case "bad":
                if (recent || newest === undefined) keep("kept to be looked into");
                else plan.expire.push(point);
                break;
            case "unverified":
                // The verifier's affair, however old: giving up what nobody has looked at would hide that it never ran.
                keep("not yet verified");
                break;
            case "verified":
                if (point === newest) keep("newest verified");
                else if (recent) keep("recent");
                else if (!days.has(of) && age <= retention.daily * 1000) keep("newest of its day");
                else plan.expire.push(point);
                days.add(of);
                break;
            default:
                state satisfies never;
        }
    }
    return plan;
}

export interface ExpiryReport extends ExpiryPlan {
    /** Files of the log that no kept point needs. */
    log: readonly GivenUp[];
    /** Objects that were tagged, by site. */
    tagged: Record<SiteName, number>;
    /** Sites whose vault did not answer: tagged by the next run. */
    unreachable: SiteName[];
}

async function tag(s3: S3Client, bucket: string, key: string): Promise<boolean> {
    try {
        const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key }));
        if (TagSet?.some(({ Key, Value }) => Key === expiredTag.Key && Value === expiredTag.Value)) return false;
        await s3.send(new PutObjectTaggingCommand({ Bucket: bucket, Key: key, Tagging: { TagSet: [expiredTag] } }));
        return true;
    } catch (error) {
        if (isMissing(error)) return false;
        throw error;
    }
}

/** The states that planning needs, of every point that has objects in this site. */
async function survey(standpoint: Standpoint, store: string, now: Date) {
    const { clients, bucket } = vaultOf(standpoint);
    const known = await new Catalog(standpoint).index(store);
    const points = await listPoints(clients.s3, bucket, store);
    checkClock(clients.s3);
    const limit = storeOf(standpoint, store).backup.limit * 1000;
    const states = new Map<string, "verified" | "unverified" | "bad">();
    for (const [point, { manifest }] of points) {
        if (known.expired.has(point)) continue;
        const left = !manifest && now.getTime() - timeOf(point).getTime() > limit;
        states.set(point, known.verified.has(point) ? "verified" : known.rejected.has(point) || left ? "bad" : "unverified");
    }
    return { states, known };
}

/** What `expire` would do now. */
export async function previewExpiry(
    standpoint: Standpoint,
    store: string,
    now: Date,
): Promise<Pick<ExpiryReport, "keep" | "expire" | "log">> {
    const { states } = await survey(standpoint, store, now);
    const plan = planExpiry(states, storeOf(standpoint, store).backup.retention, now);
    return { ...plan, log: await logToExpire(standpoint, store, plan.keep, now) };
}

/**
 * Gives up what retention no longer needs: notes it in the catalog, then tags its objects in both sites' vaults; the vaults' lifecycle deletes what is
 * tagged, and only that. What an earlier run could not tag is tagged now.
 */
export async function expire(standpoint: Standpoint, store: string, now: Date, note: (line: string) => void): Promise<ExpiryReport> {
    const catalog = new Catalog(standpoint);
    const { states, known } = await survey(standpoint, store, now);
    const plan = planExpiry(states, storeOf(standpoint, store).backup.retention, now);
    for (const point of plan.expire) await catalog.expire({ store, point, at: now.toISOString() });
    const log = await logToExpire(standpoint, store, plan.keep, now);
    const report: ExpiryReport = { ...plan, log, tagged: { primary: 0, standby: 0 }, unreachable: [] };
    const given = new Set([...plan.expire, ...known.expired]);
    for (const site of siteNames) {
        const { clients, bucket } = vaultOf({ ...standpoint, site });
        try {
            const points = await listPoints(clients.s3, bucket, store);
            for (const [point, parts] of points) {
                if (!given.has(point)) continue;
                if (parts.manifest && (await tag(clients.s3, bucket, manifestKey(store, point)))) report.tagged[site] += 1;
                if (parts.contents && (await tag(clients.s3, bucket, contentsKey(store, point)))) report.tagged[site] += 1;
                if (parts.data && (await tag(clients.s3, bucket, dataKey(store, point)))) report.tagged[site] += 1;
            }
            report.tagged[site] += await tagLog(standpoint, site, store, log, (key) => tag(clients.s3, bucket, key));
        } catch (error) {
            // Its own site must answer; the other one may be lost.
            if (site === standpoint.site) throw error;
            report.unreachable.push(site);
            note(`the ${site} site's vault does not answer (${(error as Error).message}); the next run tags there`);
        }
    }
    return report;
}
