import { byBucket, field, type Setting } from "./buckets.ts";
import { at, broken, cannotTell, holds, unknown, type Rule } from "./stack.ts";

const versioning: Setting = {
    type: "BucketVersioning",
    inline(bucket) {
        const inline = field(bucket, "versioning", "versionings");
        if (inline === undefined) return undefined;
        const enabled = field(inline, "enabled");
        return { versioningConfiguration: { status: enabled === unknown ? unknown : enabled === true ? "Enabled" : "Suspended" } };
    },
};

export const bucketVersioning: Rule = {
    name: "bucket-versioning",
    description: "A bucket keeps the versions of its objects: an overwritten or deleted one can be had back.",
    judge: (stack) =>
        byBucket(stack, versioning, (bucket, setting) => {
            const status = setting && at(setting, "versioningConfiguration", "status");
            if (status === unknown) return cannotTell(bucket, "the state of its versioning is known only after the update");
            return status === "Enabled"
                ? holds(bucket)
                : broken(
                      bucket,
                      `keeps no versions (${String(status ?? "no BucketVersioning")}); set versioningConfiguration.status to Enabled`,
                  );
        }),
};
