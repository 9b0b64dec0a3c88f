import { byBucket } from "./buckets.ts";
import { broken, cannotTell, holds, unknown, type Resource, type Rule } from "./stack.ts";

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

export const bucketTlsOnly: Rule = {
    name: "bucket-tls-only",
    description: "A bucket's policy turns away whoever comes by plain HTTP.",
    judge: (stack) =>
        byBucket(stack, "aws:s3/bucketPolicy:BucketPolicy", (bucket, setting) => {
            if (!setting) return broken(bucket, "has no policy, so plain HTTP is let in; deny s3:* where aws:SecureTransport is false");
            const text = setting.props["policy"];
            if (text === unknown || bucket.props["bucket"] === unknown)
                return cannotTell(bucket, "its policy is known only after the update");
            const policy = (typeof text === "string" ? JSON.parse(text) : text) as { Statement?: Statement | Statement[] } | undefined;
            return list(policy?.Statement).some((statement) => deniesPlainHttp((statement ?? {}) as Statement, bucket))
                ? holds(bucket)
                : broken(bucket, "lets plain HTTP in; deny s3:* on the bucket and its objects where aws:SecureTransport is false");
        }),
};
