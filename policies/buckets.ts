import { at, broken, cannotTell, unknown, type Plain, type Resource, type Stack, type Verdict } from "./stack.ts";

/** Spellings of a type of the provider's s3 module: `Bucket` and, from its version 6, `BucketV2`. */
const spellings = (name: string): readonly string[] =>
    [name, `${name}V2`].map((each) => `aws:s3/${each[0]!.toLowerCase()}${each.slice(1)}:${each}`);

const ofKind = (stack: Stack, name: string): Resource[] => stack.resources.filter(({ type }) => spellings(name).includes(type));

/** Whether a bucket's setting, a resource of its own, belongs to a bucket. `unknown` where that shows only after the update. */
function belongs(setting: Resource, bucket: Resource): boolean | typeof unknown {
    const from = setting.from["bucket"] ?? [];
    if (from.length > 0) return from.includes(bucket.urn);
    const name = setting.props["bucket"];
    if (name === unknown || bucket.props["bucket"] === unknown) return unknown;
    return name !== undefined && name === bucket.props["bucket"];
}

/** What a setting says, wherever it is written. */
export type Props = { readonly [key: string]: Plain };

export interface Setting {
    /** Name of its type, without the version: "BucketVersioning". */
    readonly type: string;
    /**
     * The same said on the bucket itself, in the form of that type; undefined where it says nothing. It is looked at only where no resource of the type belongs to the bucket: the provider shows there
     * what such a resource made.
     */
    inline(bucket: Props): Props | undefined;
}

/**
 * Judges each bucket by its setting. `judge` is given what it says, or undefined where the bucket has none. A bucket with several is judged by each, and all have to hold: which of them the provider
 * applies last nobody can say.
 */
export function byBucket(
    stack: Stack,
    { type, inline }: Setting,
    judge: (bucket: Resource, setting: Props | undefined) => Verdict,
): Verdict[] {
    const settings = ofKind(stack, type);
    return ofKind(stack, "Bucket").map((bucket) => {
        const own = settings.filter((candidate) => belongs(candidate, bucket) === true);
        const perhaps = settings.some((candidate) => belongs(candidate, bucket) === unknown);
        if (own.length === 0 && perhaps) return cannotTell(bucket, "which bucket a setting belongs to shows only after the update");
        if (own.length === 0) return judge(bucket, inline(bucket.props));
        const verdicts = own.map(({ props }) => judge(bucket, props));
        const worst = verdicts.find(({ answer }) => answer === "broken") ?? verdicts.find(({ answer }) => answer === "cannot tell yet");
        if (worst?.answer === "broken" && own.length > 1)
            return broken(
                bucket,
                `has ${own.length} resources of type ${type} (${own.map(({ name }) => name).join(", ")}), and by one of them it ${worst.because}`,
            );
        return worst ?? verdicts[0]!;
    });
}

/** A field under any of its names; of a list of one, which the two forms of a type do not agree on, the one. */
export function field(value: Plain, ...names: readonly string[]): Plain {
    const here = Array.isArray(value) ? (value as readonly Plain[])[0] : value;
    if (here === unknown) return unknown;
    const found = names.map((name) => at(here, name)).find((each) => each !== undefined && each !== null);
    return Array.isArray(found) && found.length < 2 ? (found as readonly Plain[])[0] : found;
}

/** Whether a bucket receives another one's access log. S3 delivers to no bucket with object lock or a key of ours. */
export const receivesLogs = (stack: Stack, bucket: Resource): boolean =>
    ofKind(stack, "BucketLogging").some(({ from, props }) => leadsTo(bucket, from["targetBucket"], props["targetBucket"])) ||
    ofKind(stack, "Bucket").some(({ from, props }) =>
        leadsTo(bucket, from["logging"] ?? from["loggings"], field(field(props, "logging", "loggings"), "targetBucket")),
    );

const leadsTo = (bucket: Resource, from: readonly string[] | undefined, name: Plain): boolean =>
    from?.includes(bucket.urn) === true || (name !== undefined && name !== unknown && name === bucket.props["bucket"]);
