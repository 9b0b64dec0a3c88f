import { PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { awsClients } from "../backup/clients.ts";
import type { Estate } from "../model/estate.ts";
import { latchRecord, type LatchRecord } from "../model/epoch.ts";
import { Failure } from "../model/failure.ts";
import { coordination, names } from "../model/names.ts";
import { awsFailure } from "./answers.ts";
import type { CoordinationBucket } from "./conditional-bucket.ts";

/** Reads the latch record, with the ETag that a change must name. @throws Failure where there is none or it is damaged. */
export async function readLatch(bucket: CoordinationBucket): Promise<{ record: LatchRecord; etag: string }> {
    const stored = await bucket.get(coordination.latch);
    if (!stored) throw new Failure("prerequisite", "there is no latch record", "run `lifeboat bootstrap`: it writes the first one");
    try {
        return { record: latchRecord.parse(JSON.parse(stored.text)), etag: stored.etag };
    } catch (error) {
        throw new Failure(
            "refused",
            `the latch record is damaged: ${(error as Error).message}`,
            `bring back the object's last good version: aws s3api list-object-versions --prefix ${coordination.latch}`,
            { cause: error },
        );
    }
}

/**
 * Puts the latch's metric in the standby region: 1 while thrown, else 0. The health checks of the failover records read the metric's data,
 * not the alarm's state, so this alone moves users; it has to be repeated every minute, since a datum ages out.
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
 */
export async function publishLatch(estate: Estate, record: LatchRecord): Promise<void> {
    const clients = awsClients(estate.sites.standby.region);
    const { namespace, name, dimension } = names(estate, "").latchMetric;
    const datum = { MetricName: name, Dimensions: [dimension], Value: record.thrown ? 1 : 0, Unit: "None" as const, Timestamp: new Date() };
    try {
        await clients.cloudwatch.send(new PutMetricDataCommand({ Namespace: namespace, MetricData: [datum] }));
    } catch (error) {
        throw awsFailure(error, `publishing the latch's metric in ${clients.region}`);
    }
}

/** Writes the record as an epoch wants it, then publishes it. Harmless to repeat. @throws Failure where a newer epoch has written it. */
export async function setLatch(estate: Estate, bucket: CoordinationBucket, wanted: LatchRecord): Promise<LatchRecord> {
    const { thrown, epoch } = wanted;
    for (let round = 0; ; round++) {
        const { record, etag } = await readLatch(bucket);
        if (record.epoch > epoch)
            throw new Failure(
                "refused",
                `the latch was last set by epoch ${record.epoch}, and this activation holds ${epoch}`,
                "run `lifeboat epoch` to see who is active",
            );
        if (record.thrown === thrown && record.epoch === epoch) {
            await publishLatch(estate, record);
            return record;
        }
        if (await bucket.replace(coordination.latch, JSON.stringify(wanted), etag)) {
            await publishLatch(estate, wanted);
            return wanted;
        }
        if (round > 3) throw new Failure("unavailable", "others keep changing the latch record", "repeat the command");
    }
}
