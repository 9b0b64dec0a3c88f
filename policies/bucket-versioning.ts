import { byBucket } from "./buckets.ts";
import { at, broken, cannotTell, holds, unknown, type Rule } from "./stack.ts";

export const bucketVersioning: Rule = {
    name: "bucket-versioning",
    description: "A bucket keeps the versions of its objects: an overwritten or deleted one can be had back.",
    judge: (stack) =>
        byBucket(stack, "aws:s3/bucketVersioning:BucketVersioning", (bucket, setting) => {
            const status = setting && at(setting.props, "versioningConfiguration", "status");
            if (status === unknown) return cannotTell(bucket, "the state of its versioning is known only after the update");
            return status === "Enabled"
                ? holds(bucket)
                : broken(
                      bucket,
                      `keeps no versions (${String(status ?? "no BucketVersioning")}); set versioningConfiguration.status to Enabled`,
                  );
        }),
};
