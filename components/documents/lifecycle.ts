import { expiredTag } from "../../model/manifest.ts";
import type { Seconds } from "../../model/units.ts";

const days = (span: Seconds) => Math.max(1, Math.ceil(span / 86_400));

/**
 * Lifecycle of a vault, one rule a store and two for all of it.
 *
 * Age alone deletes nothing: it only moves what has outlived `coldAfter` to a cheaper tier. Glacier Instant Retrieval is that tier, since a last
 * good point that has grown old must not cost hours of retrieval inside an RTO. What carries the expirer's tag goes a day after it was tagged,
 * its versions a day later; object lock still keeps whatever is locked. Versions that somebody hid under a delete marker carry no tag, and stay.
 * @param stores store name -> age after which its points move to the cold tier.
 */
export function vaultLifecycle(stores: Readonly<Record<string, Seconds>>) {
    return [
        ...Object.entries(stores).map(([store, coldAfter]) => ({
            id: `cold-${store}`,
            status: "Enabled",
            filter: { prefix: `${store}/` },
            transitions: [{ days: days(coldAfter), storageClass: "GLACIER_IR" }],
        })),
        {
            id: "expire-tagged",
            status: "Enabled",
            filter: { tag: { key: expiredTag.Key, value: expiredTag.Value } },
            expiration: { days: 1 },
            noncurrentVersionExpiration: { noncurrentDays: 1 },
        },
        {
            id: "abandoned",
            status: "Enabled",
            filter: { prefix: "" },
            // The next backup of the store finds the orphans of a killed one; this is for stores that are gone.
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
            expiration: { expiredObjectDeleteMarker: true },
        },
    ];
}

/** Access logs: cheap after a quarter, gone after seven years. */
export const logLifecycle = [
    {
        id: "audit",
        status: "Enabled",
        filter: { prefix: "" },
        transitions: [{ days: 90, storageClass: "GLACIER" }],
        expiration: { days: 7 * 365 },
        noncurrentVersionExpiration: { noncurrentDays: 30 },
    },
];

/** Days of the vault's default object lock: the longest that any of its stores asks for. Object lock counts in whole days. */
export const lockDays = (locks: readonly Seconds[]) => days(Math.max(...locks) as Seconds);
