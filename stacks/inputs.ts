import { z } from "zod";
import { siteNames } from "../model/estate.ts";
import { epochRecord } from "../model/epoch.ts";
import { Failure } from "../model/failure.ts";
import { stackOf } from "../model/names.ts";

const text = z.string().min(1);
const list = z.array(text).min(1);

/** A supposed truth, for previews: only who is active, at which epoch. */
const assumedEpoch = epochRecord.pick({ epoch: true, active: true });
export type AssumedEpoch = z.output<typeof assumedEpoch>;

/** What a site's stack is told by configuration: what exists in its region before Lifeboat. */
const inputs = z.object({
    /** Which site this stack stands up. */
    site: z.enum(siteNames),
    /** Context in KUBECONFIG of the site's cluster. */
    kubeContext: text,
    /** Subnets that workload nodes are spread over. */
    subnetIds: list,
    securityGroupIds: list,
    /** ACM certificate of the region, for the services' names. */
    certificateArn: text,
    /** The cluster's OIDC provider in IAM, and its issuer without `https://`. */
    oidcProviderArn: text,
    oidcIssuer: text.refine((issuer) => !issuer.includes("://"), "is written without https://"),
    nodeImageId: text,
    nodeInstanceProfile: text,
    /** Base64 user data by which a node joins the cluster. @default none: the image joins by itself */
    nodeUserData: text.optional(),
    /** Preview only: suppose that the epoch record said this. @default what the record says */
    assumeEpoch: assumedEpoch.optional(),
});
export type Inputs = z.output<typeof inputs>;

/** Part of `pulumi.Config` that is read here. */
export interface Configuration {
    get(key: string): string | undefined;
    getObject<T>(key: string): T | undefined;
}

const objects: ReadonlySet<string> = new Set(["subnetIds", "securityGroupIds", "assumeEpoch"]);

/**
 * Reads a stack's configuration (namespace `lifeboat`).
 * @throws Failure "usage" naming every key that is missing or wrong, with the command that sets it.
 */
export function readInputs(config: Configuration, stack: string): Inputs {
    const given = Object.fromEntries(
        Object.keys(inputs.shape).map((key) => [key, (objects.has(key) ? config.getObject(key) : config.get(key)) ?? undefined]),
    );
    const result = inputs.safeParse(given);
    if (!result.success) {
        const faults = result.error.issues.map((issue) => `  lifeboat:${issue.path.join(".")}: ${issue.message}`);
        throw new Failure(
            "usage",
            `the configuration of stack ${stack} does not do:\n${faults.join("\n")}`,
            `set it with \`pulumi config set -s ${stack} lifeboat:KEY VALUE\` (lists: --path 'lifeboat:KEY[0]')`,
        );
    }
    const own = siteNames.find((site) => stackOf[site] === stack);
    if (own !== result.data.site)
        throw new Failure(
            "refused",
            `stack ${stack} ${own ? `stands up the ${own} site` : "is no stack of this estate"}, and its configuration says lifeboat:site ${result.data.site}`,
            "the stacks are prod (primary) and dr (standby), and a site stays what it was built as",
        );
    return result.data;
}
