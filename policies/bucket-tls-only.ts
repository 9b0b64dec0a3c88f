import { byBucket, type Setting } from "./buckets.ts";
import { at, broken, cannotTell, holds, unknown, type Plain, type Rule } from "./stack.ts";

/** Whether something is so. `unknown` where what is known does not settle it. */
type Perhaps = boolean | typeof unknown;

const all = (parts: readonly Perhaps[]): Perhaps => (parts.includes(false) ? false : parts.includes(unknown) ? unknown : true);
const some = (parts: readonly Perhaps[]): Perhaps => (parts.includes(true) ? true : parts.includes(unknown) ? unknown : false);

const list = (value: Plain): readonly Plain[] => (Array.isArray(value) ? (value as readonly Plain[]) : [value]);

/** Whether one of the texts (a list, or one alone) is right. */
const oneOf = (texts: Plain, right: (text: string) => Perhaps): Perhaps =>
    some(list(texts).map((text) => (text === unknown ? unknown : typeof text === "string" && right(text))));

/** The one entry of an object, by a name that it may have; `undefined` where it has others, or more. */
function only(value: Plain, ...names: readonly string[]): Plain {
    if (value === unknown) return unknown;
    const entries = typeof value === "object" && value !== null ? Object.entries(value as { readonly [key: string]: Plain }) : [];
    return entries.length === 1 && names.includes(entries[0]![0].toLowerCase()) ? entries[0]![1] : undefined;
}

function everybody(principal: Plain): Perhaps {
    const names = typeof principal === "object" && principal !== null ? at(principal, "AWS") : principal;
    return oneOf(names, (name) => name === "*");
}

/** That plain HTTP is the one condition: a second one, beside it or in the same operator, would have to hold too. */
function withoutTls(condition: Plain): Perhaps {
    const value = only(only(condition, "bool", "boolifexists"), "aws:securetransport");
    if (value === unknown) return unknown;
    return some(list(value).map((each) => (each === unknown ? unknown : String(each) === "false")));
}

/** Whether resources take in all that begins with an ARN, or that one alone. */
const covers = (resources: Plain, name: Plain, suffix: "" | "/*"): Perhaps =>
    oneOf(resources, (resource) => {
        if (resource === "*") return true;
        if (name === unknown) return unknown;
        const arn = `arn:aws:s3:::${String(name)}${suffix}`;
        return resource === arn || (resource.endsWith("*") && arn.startsWith(resource.slice(0, -1)));
    });

/** Whether a statement denies everything to everybody who comes without TLS, on the bucket and on its objects. */
const deniesPlainHttp = (statement: Plain, name: Plain): Perhaps =>
    all([
        oneOf(at(statement, "Effect"), (effect) => effect === "Deny"),
        everybody(at(statement, "Principal")),
        oneOf(at(statement, "Action"), (action) => action === "s3:*" || action === "*"),
        withoutTls(at(statement, "Condition")),
        covers(at(statement, "Resource"), name, ""),
        covers(at(statement, "Resource"), name, "/*"),
    ]);

const policyOf: Setting = {
    type: "BucketPolicy",
    inline: ({ policy }) => (policy === undefined || policy === null || policy === "" ? undefined : { policy }),
};

/** @returns undefined for what is no document */
function parsed(policy: Plain): Plain {
    if (typeof policy !== "string") return policy;
    try {
        return JSON.parse(policy) as Plain;
    } catch {
        return undefined; // told as what it is
    }
}

export const bucketTlsOnly: Rule = {
    name: "bucket-tls-only",
    description: "A bucket's policy turns away whoever comes by plain HTTP.",
    judge: (stack) =>
        byBucket(stack, policyOf, (bucket, setting) => {
            if (!setting) return broken(bucket, "has no policy, so plain HTTP is let in; deny s3:* where aws:SecureTransport is false");
            const policy = parsed(setting["policy"]);
            if (policy === unknown) return cannotTell(bucket, "its policy is known only after the update");
            if (typeof policy !== "object" || policy === null) return broken(bucket, "has a policy that is no JSON document; mend it");
            const denies = some(list(at(policy, "Statement")).map((each) => deniesPlainHttp(each, bucket.props["bucket"])));
            if (denies === unknown) return cannotTell(bucket, "a part of its policy is known only after the update");
            return denies
                ? holds(bucket)
                : broken(bucket, "lets plain HTTP in; deny s3:* on the bucket and its objects where aws:SecureTransport is false");
        }),
};
