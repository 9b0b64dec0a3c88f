import { randomInt } from "node:crypto";
import type { ResourceType } from "../provider.ts";
import { isUnknown, text, type Props } from "../values.ts";
import { wrongInputs } from "./inputs.ts";

const alphabets = {
    upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    lower: "abcdefghijklmnopqrstuvwxyz",
    numeric: "0123456789",
    special: "!@#$%&*()-_=+[]{}<>:?",
} as const;
type Class = keyof typeof alphabets;
const classes = Object.keys(alphabets) as Class[];
const minimum = { upper: "minUpper", lower: "minLower", numeric: "minNumeric", special: "minSpecial" } as const;

const defaults: Props = { upper: true, lower: true, numeric: true, special: true, minUpper: 0, minLower: 0, minNumeric: 0, minSpecial: 0 };

/** Characters of each class that the inputs allow. */
function allowed(inputs: Props): Record<Class, string> {
    const special = text(inputs["overrideSpecial"]) || alphabets.special;
    const on = (name: Class): boolean => inputs[name] !== false;
    return {
        upper: on("upper") ? alphabets.upper : "",
        lower: on("lower") ? alphabets.lower : "",
        numeric: on("numeric") ? alphabets.numeric : "",
        special: on("special") ? special : "",
    };
}

const draw = (characters: string): string => characters[randomInt(characters.length)]!;

/** A password: the minima first, the rest from all that is allowed, then shuffled. */
export function makePassword(inputs: Props): string {
    const of = allowed(inputs);
    const drawn = classes.flatMap((name) => Array.from({ length: Number(inputs[minimum[name]] ?? 0) }, () => draw(of[name])));
    const all = classes.map((name) => of[name]).join("");
    while (drawn.length < Number(inputs["length"])) drawn.push(draw(all));
    for (let last = drawn.length - 1; last > 0; last--) {
        const other = randomInt(last + 1);
        [drawn[last], drawn[other]] = [drawn[other]!, drawn[last]!];
    }
    return drawn.join("");
}

/**
 * A password from the system's cryptographic source; `result` is a secret. Any change of an input makes a new one. The official `bcryptHash` is not
 * made here: nothing in Node hashes with bcrypt, and no program of ours reads it.
 * Source: https://www.pulumi.com/registry/packages/random/api-docs/randompassword/
 */
export const randomPasswordType: ResourceType = {
    outputs: ["result", ...Object.keys(defaults), "number"],
    secrets: ["result"],
    check: (_subject, _olds, news) => {
        const failures = wrongInputs(news, {
            length: "number",
            ...(Object.fromEntries(
                classes.flatMap((name) => [
                    [name, "flag"],
                    [minimum[name], "number"],
                ]),
            ) as Record<string, "flag" | "number">),
            number: "flag",
            overrideSpecial: "text",
            keepers: "map",
        });
        const inputs = news["number"] !== undefined && news["numeric"] === undefined ? { ...news, numeric: news["number"] } : news;
        const { length } = inputs;
        const minima = classes.reduce((sum, name) => sum + Number(inputs[minimum[name]] ?? 0), 0);
        if (length === undefined) failures.push({ property: "length", reason: "length is required" });
        else if (!isUnknown(length) && (Number(length) < 1 || Number(length) < minima))
            failures.push({ property: "length", reason: `length must be 1 or more, and at least ${minima}, the sum of the minima` });
        const of = allowed(inputs);
        if (Object.values(of).every((characters) => characters === ""))
            failures.push({ property: "numeric", reason: "one of upper, lower, numeric and special must be on" });
        for (const name of classes)
            if (of[name] === "" && Number(inputs[minimum[name]] ?? 0) > 0)
                failures.push({ property: minimum[name], reason: `${minimum[name]} asks for characters that "${name}" forbids` });
        return { inputs, failures };
    },
    replaces: () => true,
    deletesFirst: () => false,
    create: async (_subject, inputs) => {
        const complete = { ...defaults, ...inputs };
        return { id: "none", state: { ...complete, number: complete["numeric"], result: makePassword(complete) } };
    },
    /** Imported by the password itself. */
    read: async (_subject, id, inputs, state) => {
        if (state) return { id, inputs: inputs ?? {}, state };
        const imported = { length: id.length };
        return { id: "none", inputs: imported, state: { ...defaults, ...imported, number: true, result: id } };
    },
    update: () => Promise.reject(new Error("a RandomPassword is never updated")),
    delete: () => Promise.resolve(),
};
