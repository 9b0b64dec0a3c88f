import * as pulumi from "@pulumi/pulumi";
import type { SiteName } from "../../model/estate.ts";

/** A resource as a program registered it. */
export interface Registered {
    type: string;
    name: string;
    inputs: Record<string, unknown>;
    options: pulumi.CustomResourceOptions & pulumi.ComponentResourceOptions;
    /** Logical name of its parent, if that is a component of ours. */
    parent?: string;
    /** Name of the provider resource that it was given, as in `urn…::NAME::id`. */
    provider?: string;
    custom: boolean;
}

export interface Invoked {
    token: string;
    inputs: Record<string, unknown>;
    provider?: string;
}

export interface Recording<Result> {
    resources: Registered[];
    invokes: Invoked[];
    result: Result;
    /** The only resource of a type, or of a type and name. */
    one(type: string, name?: string): Registered;
    all(type: string): Registered[];
}

export interface Surroundings {
    stack?: string;
    preview?: boolean;
    config?: Readonly<Record<string, string>>;
    /** Answers of invokes, by token. */
    invokes?: Readonly<Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>>>;
    /** Outputs beside the inputs. @default see `outputsOf` */
    outputs?: (resource: { type: string; name: string; inputs: Record<string, unknown> }) => Record<string, unknown>;
}

export const account = "123456789012";
export const siteOf: Readonly<Record<string, SiteName>> = { prod: "primary", dr: "standby" };

/** What AWS and Kubernetes would answer, as far as programs here read it. */
export function outputsOf({
    type,
    name,
    inputs,
}: {
    type: string;
    name: string;
    inputs: Record<string, unknown>;
}): Record<string, unknown> {
    if (type === "aws:kms/key:Key") return { arn: `arn:aws:kms:us-west-2:${account}:key/mrk-${name}`, keyId: `mrk-${name}` };
    if (type === "aws:kms/replicaKey:ReplicaKey")
        return { arn: String(inputs["primaryKeyArn"]).replace("us-west-2", "us-east-1"), keyId: `mrk-${name}` };
    if (type === "aws:iam/role:Role") return { arn: `arn:aws:iam::${account}:role/${String(inputs["name"])}` };
    if (type === "aws:route53/zone:Zone") return { zoneId: "Z123", nameServers: ["ns-1.example"] };
    if (type === "aws:ec2/launchTemplate:LaunchTemplate") return { latestVersion: 1 };
    if (type === "random:index/randomPassword:RandomPassword") return { result: `generated-${name}` };
    if (type === "kubernetes:core/v1:Service")
        return { status: { loadBalancer: { ingress: [{ hostname: `${name}.elb.amazonaws.com` }] } } };
    return {};
}

const providerName = (reference: string | undefined): string | undefined => reference?.split("::").at(-2);

/**
 * Runs a program under Pulumi's mocks and records what it registers, with the options that mocks do not see.
 * Transforms (`transforms`) never run under mocks; transformations do, and that is where the options come from.
 */
export async function record<Result>(surroundings: Surroundings, program: () => Result | Promise<Result>): Promise<Recording<Result>> {
    const registered = new Map<string, Registered>();
    const invokes: Invoked[] = [];
    const options = new Map<string, pulumi.ResourceOptions>();
    await pulumi.runtime.setMocks(
        {
            newResource({ type, name, inputs, provider, custom }) {
                const plain = inputs as Record<string, unknown>;
                const by = providerName(provider);
                registered.set(`${type}::${name}`, {
                    type,
                    name,
                    inputs: plain,
                    options: {},
                    custom: custom ?? true,
                    ...(by === undefined ? {} : { provider: by }),
                });
                const state = { ...plain, ...(surroundings.outputs ?? outputsOf)({ type, name, inputs: plain }) };
                return { id: `${String(plain["bucket"] ?? plain["name"] ?? name)}`, state };
            },
            call({ token, inputs, provider }) {
                const by = providerName(provider);
                invokes.push({ token, inputs: inputs as Record<string, unknown>, ...(by === undefined ? {} : { provider: by }) });
                const answer = surroundings.invokes?.[token];
                if (!answer) throw new Error(`the program invokes ${token}, and this test has no answer to it`);
                return answer(inputs as Record<string, unknown>);
            },
        },
        "lifeboat",
        surroundings.stack ?? "test",
        surroundings.preview ?? false,
    );
    pulumi.runtime.setAllConfig({ ...surroundings.config });
    let result: Result | undefined;
    await pulumi.runtime.runInPulumiStack(async () => {
        pulumi.runtime.registerStackTransformation((resource) => {
            options.set(`${resource.type}::${resource.name}`, resource.opts);
            return undefined;
        });
        result = await program();
    });
    await pulumi.runtime.disconnect();
    const resources = [...registered.entries()].map(([key, resource]) => {
        const own = (options.get(key) ?? {}) as Registered["options"];
        const parent = own.parent && "__name" in own.parent ? String(own.parent.__name) : undefined;
        return { ...resource, options: own, ...(parent === undefined ? {} : { parent }) };
    });
    const all = (type: string) => resources.filter((resource) => resource.type === type);
    const one = (type: string, name?: string) => {
        const found = all(type).filter((resource) => name === undefined || resource.name === name);
        if (found.length === 1) return found[0]!;
        throw new Error(`${found.length} resources of type ${type}${name ? ` named ${name}` : ""}: ${all(type).map((r) => r.name)}`);
    };
    return { resources, invokes, result: result as Result, one, all };
}

/** A value without Pulumi's wrapping of secrets. @throws Error where it is not secret. */
export function unwrapSecret(value: unknown): unknown {
    const wrapped = value as { value?: unknown } | undefined;
    if (typeof wrapped !== "object" || wrapped === null || !("4dabf18193072939515e22adb298388d" in wrapped))
        throw new Error("the value is not a secret");
    return wrapped.value;
}
