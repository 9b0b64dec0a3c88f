import { byBucket, field, receivesLogs, type Setting } from "./buckets.ts";
import { at, broken, cannotTell, holds, unknown, type Rule } from "./stack.ts";

const encryption: Setting = {
    type: "BucketServerSideEncryptionConfiguration",
    inline(bucket) {
        const rule = field(field(bucket, "serverSideEncryptionConfiguration", "serverSideEncryptionConfigurations"), "rule", "rules");
        if (rule === undefined) return undefined;
        const applied = field(rule, "applyServerSideEncryptionByDefault", "applyServerSideEncryptionByDefaults");
        return { rules: [{ applyServerSideEncryptionByDefault: applied }] };
    },
};

export const bucketEncryption: Rule = {
    name: "bucket-encryption",
    description: "A bucket is encrypted under a key of ours by default; one that receives access logs, which cannot be, by S3's own.",
    judge: (stack) =>
        byBucket(stack, encryption, (bucket, setting) => {
            if (!setting) return broken(bucket, "has no default encryption; add a BucketServerSideEncryptionConfiguration");
            const byDefault = at(setting, "rules", 0, "applyServerSideEncryptionByDefault");
            const algorithm = at(byDefault, "sseAlgorithm");
            if (algorithm === unknown) return cannotTell(bucket, "its algorithm is known only after the update");
            if (receivesLogs(stack, bucket))
                return algorithm === "AES256"
                    ? holds(bucket, "it receives access logs, so S3's own key is what it can have")
                    : broken(
                          bucket,
                          `receives access logs, and S3 delivers none to a bucket encrypted by ${String(algorithm)}; use AES256`,
                      );
            if (algorithm !== "aws:kms" && algorithm !== "aws:kms:dsse")
                return broken(
                    bucket,
                    `is encrypted by ${String(algorithm)}, under a key that is not ours; use aws:kms with a key of the estate`,
                );
            const key = at(byDefault, "kmsMasterKeyId");
            if (key === unknown) return cannotTell(bucket, "its key is known only after the update");
            return typeof key === "string" && key !== "" && !/(^|:)alias\/aws\//.test(key)
                ? holds(bucket)
                : broken(bucket, "names no key of ours: it falls to the account's aws/s3 key");
        }),
};
