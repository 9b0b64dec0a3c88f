import { byBucket, field, receivesLogs, type Setting } from "./buckets.ts";
import { at, broken, cannotTell, holds, notApplicable, unknown, type Rule } from "./stack.ts";

const lock: Setting = {
    type: "BucketObjectLockConfiguration",
    inline(bucket) {
        const retention = field(field(field(bucket, "objectLockConfiguration"), "rule", "rules"), "defaultRetention", "defaultRetentions");
        return retention === undefined ? undefined : { rule: { defaultRetention: retention } };
    },
};

export const bucketLock: Rule = {
    name: "bucket-lock",
    description: "What is put into a bucket is immutable for a time: object lock in compliance mode, for a day at least.",
    judge: (stack) =>
        byBucket(stack, lock, (bucket, setting) => {
            if (receivesLogs(stack, bucket))
                return notApplicable(bucket, "it receives access logs, and S3 delivers none to a locked bucket");
            const retention = setting && at(setting, "rule", "defaultRetention");
            const [mode, days, years] = [at(retention, "mode"), at(retention, "days"), at(retention, "years")];
            if ([retention, mode, days, years].includes(unknown)) return cannotTell(bucket, "its lock is known only after the update");
            if (retention === undefined)
                return broken(bucket, "locks nothing by default; add a BucketObjectLockConfiguration with defaultRetention");
            if (mode !== "COMPLIANCE")
                return broken(bucket, `locks in ${String(mode)} mode, which an administrator can lift; use COMPLIANCE`);
            return Number(days ?? 0) >= 1 || Number(years ?? 0) >= 1
                ? holds(bucket)
                : broken(bucket, "locks for less than a day; set days");
        }),
};
