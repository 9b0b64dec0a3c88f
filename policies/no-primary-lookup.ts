import type { Estate } from "../model/estate.ts";
import { broken, cannotTell, holds, partlyUnknown, type Plain, type Resource, type Rule, type Verdict } from "./stack.ts";

/** Texts inside a value, however deep. */
function texts(value: Plain): string[] {
    if (typeof value === "string") return [value];
    return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

const awsProvider = "pulumi:providers:aws";

/**
 * What stack `dr` may not have, since it would ask the primary's region for something in the night that it is gone:
 * a provider that is set to it (every resource, look-up and import goes through one), a resource placed in it, an ARN in it, another stack's
 * outputs, the primary's cluster. Names that are derived are none of these: nobody is asked for them. The one thing that `dr` declares there
 * is the copy of a secret.
 */
export const noPrimaryLookup = (estate: Estate): Rule => {
    const { region } = estate.sites.primary;
    const arn = new RegExp(`arn:aws[a-z-]*:[a-z0-9-]+:${region}:`);
    const judge = (resource: Resource): Verdict => {
        const { type, props } = resource;
        if (type === "pulumi:pulumi:StackReference")
            return broken(resource, "reads another stack; what is shared is published by the standby");
        if (type === awsProvider && props["region"] === undefined)
            return broken(resource, "has no region of its own, so it goes wherever the environment says; set it to the standby's");
        if (type === "pulumi:providers:kubernetes" && texts(props).some((text) => text === "primary" || text.includes(`.${region}.`)))
            return broken(resource, "is the primary's cluster");
        if (props["region"] === region) return broken(resource, `stands in ${region}, the primary's region`);
        const found = texts(props).find((text) => arn.test(text));
        if (found !== undefined) return broken(resource, `needs something of the primary's region: ${arn.exec(found)?.[0] ?? ""}…`);
        return partlyUnknown(props) ? cannotTell(resource, "a part of it is known only after the update") : holds(resource);
    };
    return {
        name: "no-primary-lookup",
        description: `Stack dr asks nothing of ${region}, the primary's region.`,
        judge: (stack) => (stack.name === "dr" ? stack.resources.map(judge) : []),
    };
};
