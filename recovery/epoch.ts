import { Failure } from "../model/failure.ts";
import { epochRecord, type EpochRecord } from "../model/epoch.ts";
import { coordination } from "../model/names.ts";
import type { CoordinationBucket } from "./conditional-bucket.ts";

const notBootstrapped = "run `lifeboat bootstrap`: it writes the first epoch record";

/** Reads the epoch record, with the ETag that a claim must name. @throws Failure where there is none or it is damaged. */
export async function readEpoch(bucket: CoordinationBucket, signal?: AbortSignal): Promise<{ record: EpochRecord; etag: string }> {
    const stored = await bucket.get(coordination.epoch, signal);
    if (!stored) throw new Failure("prerequisite", "there is no epoch record: nobody can say which site is active", notBootstrapped);
    return { record: parseEpoch(stored.text), etag: stored.etag };
}

/** @throws Failure where the text is no epoch record: nobody may guess who is active. */
export function parseEpoch(text: string, key: string = coordination.epoch): EpochRecord {
    try {
        return epochRecord.parse(JSON.parse(text));
    } catch (error) {
        throw new Failure(
            "refused",
            `${key === coordination.epoch ? "the epoch record" : `the copy of the epoch record, ${key},`} is damaged: ${(error as Error).message}`,
            `bring back the object's last good version: aws s3api list-object-versions --prefix ${key}`,
            { cause: error },
        );
    }
}

/**
 * Raises the epoch by one step and names who is active: at most one of any number of callers wins a step.
 * A claim that finds its own record (same epoch, same site, same activation) has been made before: that is success.
 * @param from the epoch that the caller decided on; when the record has moved since, the claim is refused
 * @throws Failure "refused" when somebody else moved the epoch.
 */
export async function claimEpoch(bucket: CoordinationBucket, from: number, wanted: Omit<EpochRecord, "epoch">): Promise<EpochRecord> {
    const claim: EpochRecord = epochRecord.parse({ epoch: from + 1, ...wanted });
    // Two rounds: a write that lost may have lost to its own earlier try, which only a second read can tell.
    for (let round = 0; ; round++) {
        const { record, etag } = await readEpoch(bucket);
        if (isOwn(record, claim)) return record;
        if (record.epoch !== from || round > 1) throw moved(record, from);
        if (await bucket.replace(coordination.epoch, JSON.stringify(claim), etag)) return claim;
    }
}

const isOwn = (record: EpochRecord, claim: EpochRecord): boolean =>
    record.epoch === claim.epoch &&
    record.active === claim.active &&
    claim.activation !== undefined &&
    record.activation === claim.activation;

const moved = (record: EpochRecord, from: number): Failure =>
    new Failure(
        "refused",
        `the epoch moved to ${record.epoch} while this activation held ${from}: ${record.active} was made active at ${record.at} by ${record.by}` +
            (record.activation === undefined ? "" : ` (activation ${record.activation})`),
        "run `lifeboat epoch` to see who is active, and speak with whoever that is before anything else",
    );
