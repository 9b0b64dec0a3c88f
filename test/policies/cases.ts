import { stackOf, type Answer, type Plain, type Resource, type Rule, type Stack } from "../../policies/stack.ts";

export const urn = (type: string, name: string, stack = "prod") => `urn:pulumi:${stack}::lifeboat::${type}::${name}`;

/** A resource of a stack. `from` maps a property to the resources that its value came from. */
export const resource = (
    type: string,
    name: string,
    props: Record<string, Plain> = {},
    from: Record<string, readonly Resource[]> = {},
    stack = "prod",
): Resource => ({
    urn: urn(type, name, stack),
    type,
    name,
    props,
    from: Object.fromEntries(Object.entries(from).map(([property, sources]) => [property, sources.map((source) => source.urn)])),
});

export const stack = (...resources: readonly Resource[]): Stack => ({ name: stackOf(resources[0]?.urn ?? ""), resources });

/** What a rule says, as name -> answer; resources of which it says nothing are absent. */
export const answers = (rule: Rule, ...resources: readonly Resource[]): Record<string, Answer> =>
    Object.fromEntries(rule.judge(stack(...resources)).map((verdict) => [verdict.urn.split("::").at(-1), verdict.answer]));

/** Why a rule says so of the resource called `name`. */
export const because = (rule: Rule, name: string, ...resources: readonly Resource[]): string =>
    rule.judge(stack(...resources)).find((verdict) => verdict.urn.endsWith(`::${name}`))?.because ?? "";

export const bucket = (name: string, props: Record<string, Plain> = {}, stackName = "prod") =>
    resource("aws:s3/bucket:Bucket", name, { bucket: `b-${name}`, ...props }, {}, stackName);

/** A setting of a bucket, tied to it as the engine ties it: by where its `bucket` came from. */
export const setting = (kind: string, of: Resource, props: Record<string, Plain>) => {
    const type = `aws:s3/${kind[0]!.toLowerCase()}${kind.slice(1)}:${kind}`;
    return resource(type, `${of.name}-${kind}`, { bucket: of.props["bucket"], ...props }, { bucket: [of] });
};

/** Makes `log` the receiver of the access log of `of`. */
export const logging = (of: Resource, log: Resource) =>
    resource("aws:s3/bucketLogging:BucketLogging", `${of.name}-logging`, {}, { bucket: [of], targetBucket: [log] });
