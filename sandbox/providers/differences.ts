import { isRecord, type Value } from "./values.ts";

/** One difference: where, and what happened there. */
export interface Difference {
    /** Pulumi's property path, like `rules[0].filter["a-b"]`. */
    path: string;
    kind: "add" | "delete" | "update";
}

/** One step of a property path: the name of a property, or the index of an item. */
const step = (path: string, key: string, inList: boolean): string => {
    if (inList) return `${path}[${key}]`;
    if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}["${key.replaceAll('"', '\\"')}"]`;
    return path === "" ? key : `${path}.${key}`;
};

/** Where two values differ, leaf by leaf. */
export function* differences(old: Value, now: Value, path = ""): Generator<Difference> {
    const both = (isRecord(old) && isRecord(now)) || (Array.isArray(old) && Array.isArray(now));
    if (both) {
        const before = old as Record<string, Value>;
        const after = now as Record<string, Value>;
        for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
            yield* differences(before[key], after[key], step(path, key, Array.isArray(old)));
    } else if ((old ?? undefined) !== (now ?? undefined)) {
        yield { path, kind: old === undefined || old === null ? "add" : now === undefined || now === null ? "delete" : "update" };
    }
}

/** A path's first name: `rules[0].id` is of `rules`. */
export const topOf = (path: string): string => /^\["((?:[^"\\]|\\.)*)"\]|^[^.[]+/.exec(path)?.[1] ?? /^[^.[]*/.exec(path)![0];

/** Whether `path` is `prefix` or lies in it. `*` in a prefix stands for any one step. */
export function within(path: string, prefix: string): boolean {
    const steps = (of: string): string[] => of.match(/\["(?:[^"\\]|\\.)*"\]|\[[^\]]*\]|[^.[\]]+/g) ?? [];
    const normal = (one: string): string => one.replace(/^\["?|"?\]$/g, "");
    const inner = steps(path).map(normal);
    const outer = steps(prefix).map(normal);
    return outer.length <= inner.length && outer.every((one, index) => one === "*" || one === inner[index]);
}
