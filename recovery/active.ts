import type { SiteName } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import type { CoordinationBucket } from "./conditional-bucket.ts";
import { readEpoch } from "./epoch.ts";

/** The record is waited for so long (ms): a dead standby region keeps no backup waiting. */
const answerLimit = 5_000;

/**
 * Refuses a backup of a site that is passive. One that comes back after it was lost still has its schedule: what it holds is no longer the truth, and would become the newest recovery
 * point. Where nobody can say who is active, a backup is better than none.
 * @throws Failure("refused") where the epoch record names the other site
 */
export async function checkMayBackUp(bucket: CoordinationBucket, site: SiteName, note: (line: string) => void): Promise<void> {
    const record = await readEpoch(bucket, AbortSignal.timeout(answerLimit)).then(
        (found) => found.record,
        (error: Error) => void note(`nobody says which site is active (${error.message}); the backup is made all the same`),
    );
    if (record === undefined || record.active === site) return;
    throw new Failure(
        "refused",
        `epoch ${record.epoch} makes the ${record.active} active: what the ${site} holds is no recovery point`,
        "`pulumi up` of this site's stack puts its backups to sleep; `lifeboat failback` makes it whole again",
    );
}
