import { isDeepStrictEqual } from "node:util";
import { isRecord, isUnknown, type Props, type Value } from "../values.ts";

/**
 * A property's form on both sides: the official provider's name and type, and the AWS API's. One description gives the check of a program's inputs,
 * the request, the reading back, and what counts as the same.
 */
export type Shape = Common &
    (
        | { kind: "text"; fold?: boolean }
        | { kind: "number" }
        | { kind: "flag" }
        /** A JSON document, compared by meaning. */
        | { kind: "json" }
        | { kind: "struct"; fields: Fields }
        | { kind: "list"; of: Shape; unordered: boolean }
        /** `{ key: value }` here; there a map, or a list of pairs with these names. */
        | { kind: "map"; pair?: readonly [string, string] }
    );
interface Common {
    /** The API's name; by default the property's, with a capital. */
    as?: string;
    /** What the API answers where nothing was given. */
    assumed?: Value;
    /** The API chooses a value when none is given: never a difference then. */
    computed?: boolean;
}
export type Fields = Readonly<Record<string, Shape>>;
type Options = Common;

export const words = (as?: string, options: Options & { fold?: boolean } = {}): Shape => ({
    kind: "text",
    ...(as !== undefined && { as }),
    ...options,
});
export const amount = (as?: string, options: Options = {}): Shape => ({ kind: "number", ...(as !== undefined && { as }), ...options });
export const flag = (as?: string, options: Options = {}): Shape => ({ kind: "flag", ...(as !== undefined && { as }), ...options });
export const json = (as?: string, options: Options = {}): Shape => ({ kind: "json", ...(as !== undefined && { as }), ...options });
export const struct = (fields: Fields, as?: string, options: Options = {}): Shape => ({
    kind: "struct",
    fields,
    ...(as !== undefined && { as }),
    ...options,
});
export const items = (of: Shape, as?: string, options: Options = {}): Shape => ({
    kind: "list",
    of,
    unordered: false,
    ...(as !== undefined && { as }),
    ...options,
});
export const setOf = (of: Shape, as?: string, options: Options = {}): Shape => ({
    kind: "list",
    of,
    unordered: true,
    ...(as !== undefined && { as }),
    ...options,
});
export const pairs = (key: string, value: string, as?: string): Shape => ({
    kind: "map",
    pair: [key, value],
    ...(as !== undefined && { as }),
});
export const tagMap = (as = "Tags"): Shape => pairs("Key", "Value", as);

/** `forceDestroy` and its like: they only steer the provider. */
export const steering = flag(undefined, { assumed: false });

const nameOf = (property: string, shape: Shape): string => shape.as ?? property.charAt(0).toUpperCase() + property.slice(1);

/** What is wrong with a program's value: names that are not in the table, and types that do not fit. Unknown values are taken on trust. */
export function* misfits(shape: Shape, value: Value, path: string): Generator<{ path: string; reason: string }> {
    if (value === undefined || value === null || isUnknown(value)) return;
    const wrong = (wanted: string) => ({ path, reason: `"${path}" must be ${wanted}, and is ${JSON.stringify(value)}` });
    switch (shape.kind) {
        case "text":
            if (typeof value === "object") yield wrong("a string");
            return;
        case "json":
            if (typeof value === "object") return;
            try {
                JSON.parse(String(value));
            } catch {
                yield wrong("a JSON document");
            }
            return;
        case "number":
            if (typeof value === "object" || Number.isNaN(Number(value))) yield wrong("a number");
            return;
        case "flag":
            if (typeof value !== "boolean" && value !== "true" && value !== "false") yield wrong("true or false");
            return;
        case "list":
            if (!Array.isArray(value)) yield wrong("a list");
            else for (const [index, item] of value.entries()) yield* misfits(shape.of, item, `${path}[${index}]`);
            return;
        case "map":
            if (!isRecord(value)) yield wrong("a map");
            else
                for (const [key, item] of Object.entries(value))
                    if (typeof item === "object" && item !== null) yield* misfits(words(), item, `${path}.${key}`);
            return;
        case "struct":
            if (!isRecord(value)) yield wrong("an object");
            else yield* misfitFields(shape.fields, value, path);
    }
}

export function* misfitFields(fields: Fields, value: Props, path = ""): Generator<{ path: string; reason: string }> {
    for (const [name, inner] of Object.entries(value)) {
        const at = path === "" ? name : `${path}.${name}`;
        const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (shape) yield* misfits(shape, inner, at);
        else yield { path: at, reason: `the stand-in has no property "${at}" here; it has ${Object.keys(fields).join(", ")}` };
    }
}

function valueToSdk(shape: Shape, value: Value): unknown {
    switch (shape.kind) {
        case "text":
            return String(value);
        case "json":
            return typeof value === "string" ? value : JSON.stringify(value);
        case "number":
            return Number(value);
        case "flag":
            return value === true || value === "true";
        case "list":
            return (value as Value[]).map((item) => valueToSdk(shape.of, item));
        case "map": {
            const { pair } = shape;
            const entries = Object.entries(value as Props).map(([key, item]) => [key, String(item)] as const);
            return pair ? entries.map(([key, item]) => ({ [pair[0]]: key, [pair[1]]: item })) : Object.fromEntries(entries);
        }
        case "struct":
            return toSdk(shape.fields, value as Props);
    }
}

/**
 * A program's properties as the API takes them; what is not given, or is an empty string, is left out. The caller names the command's input type: the
 * tests hold every name of the tables against the SDK's own schemas.
 */
export function toSdk<T>(fields: Fields, props: Props, only?: readonly string[]): T {
    const out: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(fields)) {
        const value = props[name];
        if (value === undefined || value === null || value === "" || (only && !only.includes(name))) continue;
        out[nameOf(name, shape)] = valueToSdk(shape, value);
    }
    return out as T;
}

function valueFromSdk(shape: Shape, value: unknown): Value {
    switch (shape.kind) {
        case "text":
            return value instanceof Date ? value.toISOString() : String(value);
        case "json": {
            const document = String(value);
            return document.startsWith("%7B") ? decodeURIComponent(document) : document;
        }
        case "number":
            return Number(value);
        case "flag":
            return value === true || value === "true";
        case "list":
            return (value as unknown[]).map((item) => valueFromSdk(shape.of, item));
        case "map": {
            const { pair } = shape;
            if (!pair) return value as Props;
            return Object.fromEntries((value as Record<string, string>[]).map((item) => [item[pair[0]]!, item[pair[1]]!]));
        }
        case "struct":
            return fromSdk(shape.fields, value);
    }
}

/** What the API answers, in the program's names. Absent and empty members stay out. */
export function fromSdk(fields: Fields, answer: unknown): Props {
    const source = (answer ?? {}) as Record<string, unknown>;
    const out: Props = {};
    for (const [name, shape] of Object.entries(fields)) {
        const value = source[nameOf(name, shape)];
        if (value === undefined || value === null) continue;
        const read = valueFromSdk(shape, value);
        if ((Array.isArray(read) && read.length === 0) || (isRecord(read) && Object.keys(read).length === 0 && shape.kind === "map"))
            continue;
        out[name] = read;
    }
    return out;
}

const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) {
        // IAM: one string and a list with this one string mean the same, and order in a list means nothing.
        const inner = value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
        return inner.length === 1 ? inner[0] : inner;
    }
    if (typeof value !== "object" || value === null) return typeof value === "boolean" ? String(value) : value;
    return Object.fromEntries(
        Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, sorted(inner)]),
    );
};
const nothing = (value: Value): boolean =>
    value === undefined ||
    value === null ||
    value === "" ||
    value === false ||
    (Array.isArray(value) && value.length === 0) ||
    (isRecord(value) && Object.values(value).every(nothing));

/** Whether what the service says means what the program said. */
export function same(shape: Shape, given: Value, live: Value): boolean {
    if (given === undefined || given === null) return shape.computed === true || nothing(live) || live === shape.assumed;
    if (live === undefined || live === null) return nothing(given) || given === shape.assumed;
    switch (shape.kind) {
        case "text":
            return shape.fold ? String(given).toLowerCase() === String(live).toLowerCase() : String(given) === String(live);
        case "number":
            return Number(given) === Number(live);
        case "flag":
            return String(given) === String(live);
        case "json": {
            const parse = (document: Value): unknown => sorted(typeof document === "string" ? JSON.parse(document) : document);
            return isDeepStrictEqual(parse(given), parse(live));
        }
        case "map":
            return isDeepStrictEqual(
                Object.fromEntries(
                    Object.entries(given as Props)
                        .map(([key, value]) => [key, String(value)])
                        .sort(),
                ),
                Object.fromEntries(
                    Object.entries(live as Props)
                        .map(([key, value]) => [key, String(value)])
                        .sort(),
                ),
            );
        case "list": {
            const [mine, theirs] = [given as Value[], [...(live as Value[])]];
            if (mine.length !== theirs.length) return false;
            if (!shape.unordered) return mine.every((item, index) => same(shape.of, item, theirs[index]));
            return mine.every((item) => {
                const found = theirs.findIndex((other) => same(shape.of, item, other));
                if (found >= 0) theirs.splice(found, 1);
                return found >= 0;
            });
        }
        case "struct":
            return Object.entries(shape.fields).every(([name, inner]) => same(inner, (given as Props)[name], (live as Props)[name]));
    }
}
