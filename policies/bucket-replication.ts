import { byBucket, field, receivesLogs, type Setting } from "./buckets.ts";
import { at, broken, cannotTell, holds, notApplicable, unknown, type Plain, type Rule } from "./stack.ts";

/** What a rule of S3 lacks to carry every recovery point over, and nothing but recovery points. */
function lacks(rule: Plain): string | undefined | typeof unknown {
    const status = at(rule, "status");
    const prefix = at(rule, "filter", "prefix");
    const tagged = at(rule, "filter", "tag") ?? at(rule, "filter", "and");
    const encrypted = at(rule, "sourceSelectionCriteria", "sseKmsEncryptedObjects", "status");
    const markers = at(rule, "deleteMarkerReplication", "status");
    if ([status, prefix, tagged, encrypted, markers].includes(unknown)) return unknown;
    if (status !== "Enabled") return "is not enabled";
    if ((prefix ?? "") !== "" || tagged !== undefined) return "leaves objects out; filter by an empty prefix";
    if (encrypted !== "Enabled") return "leaves encrypted objects out; enable sseKmsEncryptedObjects";
    if (markers === "Enabled") return "carries deletions over; disable deleteMarkerReplication";
    return undefined;
}

/** The inline form says "enabled" where the other has a status, and a status where the other has an object. */
function asConfig(rule: Plain): Plain {
    const filter = field(rule, "filter", "filters");
    const criteria = field(rule, "sourceSelectionCriteria", "sourceSelectionCriterias");
    const encrypted = field(field(criteria, "sseKmsEncryptedObjects"), "enabled");
    return {
        status: at(rule, "status"),
        filter: { prefix: field(filter, "prefix") ?? at(rule, "prefix"), tag: field(filter, "tags") },
        sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: encrypted === true ? "Enabled" : encrypted } },
        deleteMarkerReplication: { status: at(rule, "deleteMarkerReplicationStatus") },
    };
}

const replication: Setting = {
    type: "BucketReplicationConfig",
    inline(bucket) {
        const configured = field(bucket, "replicationConfiguration", "replicationConfigurations");
        if (configured === undefined) return undefined;
        const rules = at(configured, "rules");
        return { rules: Array.isArray(rules) ? (rules as readonly Plain[]).map(asConfig) : rules };
    },
};

export const bucketReplication: Rule = {
    name: "bucket-replication",
    description: "The primary's vault is copied whole to the other site, deletions excepted.",
    judge: (stack) =>
        byBucket(stack, replication, (bucket, setting) => {
            if (receivesLogs(stack, bucket)) return notApplicable(bucket, "it holds access logs, not recovery points");
            if (stack.name === "dr") return notApplicable(bucket, "it is the copy");
            const rules = setting && at(setting, "rules");
            if (rules === unknown) return cannotTell(bucket, "its replication is known only after the update");
            if (!Array.isArray(rules) || rules.length === 0) return broken(bucket, "is not copied anywhere; add a BucketReplicationConfig");
            const faults = (rules as readonly Plain[]).map(lacks);
            if (faults.includes(undefined)) return holds(bucket);
            if (faults.includes(unknown)) return cannotTell(bucket, "its replication is known only after the update");
            return broken(bucket, `has a replication that ${String(faults[0])}`);
        }),
};
