import { at, unknown, type Plain, type Resource, type Stack } from "./stack.ts";

export interface KubernetesObject {
    readonly resource: Resource;
    readonly object: Plain;
    /** Whether it says only what it changes of an object that somebody else made. */
    readonly patch: boolean;
}

/**
 * Objects of a kind, in whichever version of its group ("batch", "apps") they are declared, whole, patched or in a list. Each version has a type of its own, and the API server takes them for the same.
 */
export const objectsOf = (stack: Stack, group: string, kind: string): KubernetesObject[] =>
    stack.resources.flatMap((resource): KubernetesObject[] => {
        const [, version, name] = /^kubernetes:(.+):([^:]+)$/.exec(resource.type) ?? [];
        if (version?.startsWith(`${group}/`) !== true) return [];
        if (name === kind || name === `${kind}Patch`) return [{ resource, object: resource.props, patch: name !== kind }];
        if (name !== `${kind}List`) return [];
        const items = at(resource.props, "items");
        const objects: readonly Plain[] = items === unknown ? [unknown] : Array.isArray(items) ? (items as readonly Plain[]) : [];
        return objects.map((object) => ({ resource, object, patch: false }));
    });
