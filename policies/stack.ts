/** A value that is known only once the update has made it. */
export const unknown: unique symbol = Symbol("unknown until the update");

export type Plain = string | number | boolean | null | undefined | typeof unknown | readonly Plain[] | { readonly [key: string]: Plain };

/** A resource, as plain data: what a rule judges. */
export interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** As its provider tells of it: what was declared, and what the provider computed. */
    readonly props: { readonly [key: string]: Plain };
    /** As the program declares it. Undefined where that was not seen, as of a resource that is only read. */
    readonly declared?: { readonly [key: string]: Plain } | undefined;
    /** Property -> URNs of the resources that its value came from. */
    readonly from: Readonly<Record<string, readonly string[]>>;
}

/** All resources of one stack. */
export interface Stack {
    /** "prod" or "dr". */
    readonly name: string;
    readonly resources: readonly Resource[];
}

/** What a rule says of a resource. */
export type Answer = "holds" | "broken" | "not applicable" | "cannot tell yet";
export interface Verdict {
    readonly urn: string;
    readonly answer: Answer;
    /** Why, in words for whoever must mend it. */
    readonly because: string;
}

/** One thing that may not be merged. */
export interface Rule {
    /** That of its file. */
    readonly name: string;
    readonly description: string;
    judge(stack: Stack): Verdict[];
}

export const stackOf = (urn: string): string => urn.split("::")[0]?.split(":").at(-1) ?? "";

export const ofType = (stack: Stack, type: string): Resource[] => stack.resources.filter((resource) => resource.type === type);

/** Follows a path into a value. `unknown` where the path leads through something unknown. */
export function at(value: Plain, ...path: readonly (string | number)[]): Plain {
    let here = value;
    for (const step of path) {
        if (here === unknown) return unknown;
        if (typeof here !== "object" || here === null) return undefined;
        here = (here as { readonly [key: string | number]: Plain })[step];
    }
    return here;
}

/** Whether any part of a value is unknown. */
export const partlyUnknown = (value: Plain): boolean =>
    value === unknown || (typeof value === "object" && value !== null && Object.values(value).some(partlyUnknown));

export const holds = (resource: Resource, because = "as it should be"): Verdict => ({ urn: resource.urn, answer: "holds", because });
export const broken = (resource: Resource, because: string): Verdict => ({ urn: resource.urn, answer: "broken", because });
export const notApplicable = (resource: Resource, because: string): Verdict => ({ urn: resource.urn, answer: "not applicable", because });
export const cannotTell = (resource: Resource, because: string): Verdict => ({ urn: resource.urn, answer: "cannot tell yet", because });
