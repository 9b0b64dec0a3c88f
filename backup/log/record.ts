import { PutObjectCommand } from "@aws-sdk/client-s3";
import { logRecord, type LogRecord } from "../../model/log-record.ts";
import { coordination, names } from "../../model/names.ts";
import { awsClients } from "../clients.ts";
import { listObjects, readText, type Standpoint } from "../vault.ts";

const bucketOf = ({ estate, account }: Pick<Standpoint, "estate" | "account">) => ({
    s3: awsClients(estate.sites.standby.region).s3,
    bucket: names(estate, account).coordinationBucket,
});

export async function readRecord(standpoint: Standpoint, store: string, history: string): Promise<LogRecord | undefined> {
    const { s3, bucket } = bucketOf(standpoint);
    const text = await readText(s3, bucket, coordination.log(store, history));
    return text === undefined ? undefined : logRecord.parse(JSON.parse(text));
}

/** The verifier's to call. */
export async function writeRecord(standpoint: Standpoint, record: LogRecord): Promise<void> {
    const { s3, bucket } = bucketOf(standpoint);
    const Body = `${JSON.stringify(logRecord.parse(record), undefined, 2)}\n`;
    const Key = coordination.log(record.store, record.history);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType: "application/json" }));
}

/** How far each history of a store's log is known to be good, oldest first: what can be recovered besides the moments of full copies. */
export async function logReach(standpoint: Standpoint, store: string): Promise<LogRecord[]> {
    const { s3, bucket } = bucketOf(standpoint);
    const records: LogRecord[] = [];
    for await (const { key } of listObjects(s3, bucket, coordination.log(store, "").replace(/\.json$/, ""))) {
        const record = await readRecord(standpoint, store, key.slice(key.lastIndexOf("/") + 1).replace(/\.json$/, ""));
        if (record) records.push(record);
    }
    return records;
}

/** Replication may be so late before a gap is somebody's affair, in milliseconds. */
const late = 5 * 60_000;

/** Why nothing behind the good part of a history can be recovered, in words; undefined where nothing is wrong, or no more than a late copy. */
export function troubleOf({ gap, damaged }: Pick<LogRecord, "gap" | "damaged">, now: Date): string | undefined {
    if (damaged) return `is damaged: ${damaged.why}`;
    return gap !== undefined && now.getTime() - Date.parse(gap.since) > late ? `has a gap since ${gap.since}: ${gap.why}` : undefined;
}

/** A history's reach in words, for a person; `trouble` where one should look. */
export function tellReach(record: LogRecord, now: Date): { line: string; trouble: boolean } {
    const { history, site, good, gap, damaged, at } = record;
    const trouble = troubleOf(record, now) !== undefined;
    const newest = good?.committedAt === undefined ? "" : `, committed ${good.committedAt}`;
    const reach = good === undefined ? "nothing of it is good" : `good up to ${good.position ?? `${good.file}:${good.bytes}`}${newest}`;
    const wrong = damaged ? `; DAMAGED behind it: ${damaged.why}` : gap ? `; ${trouble ? "GAP" : "not all here yet"}: ${gap.why}` : "";
    return { line: `log ${history} of the ${site} site: ${reach} (looked at ${at})${wrong}`, trouble };
}
