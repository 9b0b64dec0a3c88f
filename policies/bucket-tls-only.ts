import { byBucket, type Setting } from "./buckets.ts";
import { broken, cannotTell, holds, partlyUnknown, unknown, type Plain, type Resource, type Rule } from "./stack.ts";

interface Statement {
    Effect?: unknown;
    Principal?: unknown;
    Action?: unknown;
    Resource?: unknown;
    Condition?: { Bool?: Record<string, unknown> };
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value]);

/** Whether a statement denies everything to everybody who comes without TLS, on the bucket and on its objects. */
function deniesPlainHttp(statement: Statement, bucket: Resource): boolean {
    const name = bucket.props["bucket"];
    const covers = (suffix: string) =>
        list(statement.Resource).some(
            (resource) => resource === "*" || (typeof resource === "string" && resource === `arn:aws:s3:::${String(name)}${suffix}`),
        );
    const principal = statement.Principal as { AWS?: unknown } | string | undefined;
    return (
        statement.Effect === "Deny" &&
        (principal === "*" || (typeof principal === "object" && list(principal.AWS).includes("*"))) &&
        list(statement.Action).some((action) => action === "s3:*" || action === "*") &&
        String(statement.Condition?.Bool?.["aws:SecureTransport"]) === "false" &&
        Object.keys(statement.Condition ?? {}).length === 1 &&
        covers("") &&
        covers("/*")
    );
}

const policyOf: Setting = {
    type: "BucketPolicy",
    inline: ({ policy }) => (policy === undefined || policy === null || policy === "" ? undefined : { policy }),
};

/** @returns undefined for what is no document */
function parsed(policy: Plain): { Statement?: Statement | Statement[] } | undefined {
    if (typeof policy !== "string") return policy as { Statement?: Statement | Statement[] } | undefined;
    try {
        return JSON.parse(policy) as { Statement?: Statement | Statement[] };
    } catch {
        return undefined; // told as what it is: no policy that denies anything
    }
}

export const bucketTlsOnly: Rule = {
    name: "bucket-tls-only",
    description: "A bucket's policy turns away whoever comes by plain HTTP.",
    judge: (stack) =>
        byBucket(stack, policyOf, (bucket, setting) => {
            if (!setting) return broken(bucket, "has no policy, so plain HTTP is let in; deny s3:* where aws:SecureTransport is false");
            const text = setting["policy"];
            if (text === unknown || bucket.props["bucket"] === unknown)
                return cannotTell(bucket, "its policy is known only after the update");
            if (list(parsed(text)?.Statement).some((statement) => deniesPlainHttp((statement ?? {}) as Statement, bucket)))
                return holds(bucket);
            // What is not known yet may be the very denial.
            if (partlyUnknown(text)) return cannotTell(bucket, "a part of its policy is known only after the update");
            return broken(bucket, "lets plain HTTP in; deny s3:* on the bucket and its objects where aws:SecureTransport is false");
        }),
};
