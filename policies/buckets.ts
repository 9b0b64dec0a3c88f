import { cannotTell, ofType, unknown, type Resource, type Stack, type Verdict } from "./stack.ts";

export const bucketType = "aws:s3/bucket:Bucket";

/** Whether a bucket's setting, a resource of its own, belongs to a bucket. `unknown` where that shows only after the update. */
function belongs(setting: Resource, bucket: Resource): boolean | typeof unknown {
    const from = setting.from["bucket"] ?? [];
    if (from.length > 0) return from.includes(bucket.urn);
    const name = setting.props["bucket"];
    if (name === unknown || bucket.props["bucket"] === unknown) return unknown;
    return name !== undefined && name === bucket.props["bucket"];
}

/** Judges each bucket by its setting of a type. `judge` is given the setting, or undefined where the bucket has none. */
export function byBucket(stack: Stack, setting: string, judge: (bucket: Resource, setting: Resource | undefined) => Verdict): Verdict[] {
    const settings = ofType(stack, setting);
    return ofType(stack, bucketType).map((bucket) => {
        const own = settings.find((candidate) => belongs(candidate, bucket) === true);
        if (!own && settings.some((candidate) => belongs(candidate, bucket) === unknown))
            return cannotTell(bucket, "which bucket a setting belongs to shows only after the update");
        return judge(bucket, own);
    });
}

/** Whether a bucket receives another one's access log. S3 delivers to no bucket with object lock or a key of ours. */
export const receivesLogs = (stack: Stack, bucket: Resource): boolean =>
    ofType(stack, "aws:s3/bucketLogging:BucketLogging").some(
        ({ from, props }) =>
            from["targetBucket"]?.includes(bucket.urn) === true ||
            (props["targetBucket"] !== undefined && props["targetBucket"] !== unknown && props["targetBucket"] === bucket.props["bucket"]),
    );
