import { isUnknown, type Props, type Value } from "../values.ts";
import type { Failing } from "../provider.ts";

type Sort = "text" | "number" | "flag" | "map";
const fits: Record<Sort, (value: Value) => boolean> = {
    text: (value) => typeof value === "string",
    number: (value) => typeof value === "number" && Number.isInteger(value),
    flag: (value) => typeof value === "boolean",
    map: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

/** Names the inputs that are not in the table, or not of its sort. */
export function wrongInputs(inputs: Props, table: Readonly<Record<string, Sort>>): Failing[] {
    return Object.entries(inputs).flatMap(([property, value]) => {
        const sort = table[property];
        if (sort === undefined)
            return [{ property, reason: `the stand-in has no property "${property}" here; it has ${Object.keys(table).join(", ")}` }];
        return isUnknown(value) || fits[sort](value)
            ? []
            : [{ property, reason: `"${property}" must be a ${sort}, and is ${JSON.stringify(value)}` }];
    });
}
