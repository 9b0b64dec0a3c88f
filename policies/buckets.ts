import { at, broken, cannotTell, unknown, type Plain, type Resource, type Stack, type Verdict } from "./stack.ts";

/** Spellings of a type of the provider's s3 module: `Bucket` and, from its version 6, `BucketV2`. */
const spellings = (name: string): readonly string[] =>
    [name, `${name}V2`].map((each) => `aws:s3/${each[0]!.toLowerCase()}${each.slice(1)}:${each}`);

const ofKind = (stack: Stack, name: string): Resource[] => stack.resources.filter(({ type }) => spellings(name).includes(type));

/** Whether a bucket's setting, a resource of its own, belongs to a bucket. `unknown` where that shows only after the update. */
function belongs(stack: Stack, setting: Resource, bucket: Resource): boolean | typeof unknown {
    // A name may have come from something else that gave it to both.
    const from = ofKind(stack, "Bucket").filter(({ urn }) => setting.from["bucket"]?.includes(urn) === true);
    if (from.length > 0) return from.includes(bucket);
    const name = setting.props["bucket"];
    if (name === unknown || bucket.props["bucket"] === unknown) return unknown;
    return name !== undefined && name === bucket.props["bucket"];
}

/** What a setting says, wherever it is written. */
export type Props = { readonly [key: string]: Plain };

export interface Setting {
    /** Name of its type, without the version: "BucketVersioning". */
    readonly type: string;
    /** The same said on the bucket itself, in the form of that type; undefined where it says nothing. */
    inline(bucket: Props): Props | undefined;
}

const said = ({ declared, props }: Resource): Props => declared ?? props;

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
        const own = settings.filter((candidate) => belongs(stack, candidate, bucket) === true);
        const perhaps = settings.some((candidate) => belongs(stack, candidate, bucket) === unknown);
        // What only the provider tells of may be what such a resource made, so beside one it says nothing of its own.
        const here = bucket.declared || own.length === 0 ? inline(said(bucket)) : undefined;
        const says = own.map((setting) => ({ where: setting.name, verdict: judge(bucket, said(setting)) }));
        if (here) says.push({ where: "the bucket itself", verdict: judge(bucket, here) });
        if (says.length === 0 && !perhaps) says.push({ where: "", verdict: judge(bucket, undefined) });

        const verdicts = says.map(({ verdict }) => verdict);
        const worst = verdicts.find(({ answer }) => answer === "broken");
        if (worst && says.length > 1) {
            const places = says.map(({ where }) => where).join(", ");
            return broken(bucket, `says ${says.length} things of ${type} (${places}), and by one of them it ${worst.because}; keep one`);
        }
        if (worst) return worst;
        if (perhaps) return cannotTell(bucket, "which bucket a setting belongs to shows only after the update");
        return verdicts.find(({ answer }) => answer === "cannot tell yet") ?? verdicts[0]!;
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
    ofKind(stack, "Bucket").some((logged) =>
        leadsTo(
            bucket,
            logged.from["logging"] ?? logged.from["loggings"],
            field(field(said(logged), "logging", "loggings"), "targetBucket"),
        ),
    );

const leadsTo = (bucket: Resource, from: readonly string[] | undefined, name: Plain): boolean =>
    from?.includes(bucket.urn) === true || (name !== undefined && name !== unknown && name === bucket.props["bucket"]);
