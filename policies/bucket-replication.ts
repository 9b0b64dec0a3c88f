import { byBucket, field, receivesLogs, type Setting } from "./buckets.ts";
import { at, broken, cannotTell, holds, notApplicable, unknown, type Plain, type Rule } from "./stack.ts";

type Fault = string | undefined | typeof unknown;

/** What a rule of S3 lacks to carry every recovery point over. */
function lacks(rule: Plain): Fault {
    const status = at(rule, "status");
    const prefixes = [at(rule, "prefix"), at(rule, "filter", "prefix")];
    const tagged = at(rule, "filter", "tag") ?? at(rule, "filter", "and");
    const encrypted = at(rule, "sourceSelectionCriteria", "sseKmsEncryptedObjects", "status");
    if ([status, ...prefixes, tagged, encrypted].includes(unknown)) return unknown;
    if (status !== "Enabled") return "is not enabled";
    if (prefixes.some((prefix) => (prefix ?? "") !== "") || (tagged ?? undefined) !== undefined)
        return "leaves objects out; filter by an empty prefix";
    if (encrypted !== "Enabled") return "leaves encrypted objects out; enable sseKmsEncryptedObjects";
    return undefined;
}

/**
 * What a rule of S3 carries over that is no recovery point. One without filter is of the first version of such rules, which carries deletions.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html#replication-backward-compat-considerations
 */
function deletes(rule: Plain): Fault {
    const [status, filter, markers] = [at(rule, "status"), at(rule, "filter"), at(rule, "deleteMarkerReplication", "status")];
    if (status !== "Enabled" && status !== unknown) return undefined;
    if ((filter ?? undefined) === undefined || markers === "Enabled")
        return status === unknown ? unknown : "carries deletions over; filter by an empty prefix and disable deleteMarkerReplication";
    return [status, markers, filter].includes(unknown) ? unknown : undefined;
}

/** The inline form says "enabled" where the other has a status, and a status where the other has an object. */
function asConfig(rule: Plain): Plain {
    const filter = field(rule, "filter", "filters");
    const criteria = field(rule, "sourceSelectionCriteria", "sourceSelectionCriterias");
    const encrypted = field(field(criteria, "sseKmsEncryptedObjects"), "enabled");
    return {
        status: at(rule, "status"),
        prefix: at(rule, "prefix"),
        filter: filter === undefined || filter === unknown ? filter : { prefix: field(filter, "prefix"), tag: field(filter, "tags") },
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
            // One rule that carries everything is enough; one that carries deletions is too much.
            const [faults, deletions] = [(rules as readonly Plain[]).map(lacks), (rules as readonly Plain[]).map(deletes)];
            const deleting = deletions.find((each) => typeof each === "string");
            if (typeof deleting === "string") return broken(bucket, `has a replication that ${deleting}`);
            if (faults.includes(undefined) && !deletions.includes(unknown)) return holds(bucket);
            if (faults.includes(undefined) || faults.includes(unknown))
                return cannotTell(bucket, "its replication is known only after the update");
            return broken(bucket, `has a replication that ${String(faults[0])}`);
        }),
};
