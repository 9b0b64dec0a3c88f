import { randomBytes } from "node:crypto";
import type { ResourceType } from "../provider.ts";
import { text, type Props } from "../values.ts";
import { wrongInputs } from "./inputs.ts";

const outputsOf = (bytes: Buffer, prefix: string): Props => ({
    b64Std: prefix + bytes.toString("base64"),
    b64Url: prefix + bytes.toString("base64url"),
    hex: prefix + bytes.toString("hex"),
    dec: prefix + BigInt(`0x${bytes.toString("hex")}`).toString(),
});

/**
 * `byteLength` random bytes in four spellings; a change of any input, `keepers` included, makes a new one.
 * Source: https://www.pulumi.com/registry/packages/random/api-docs/randomid/
 */
export const randomIdType: ResourceType = {
    outputs: ["b64Std", "b64Url", "dec", "hex"],
    check: (_subject, _olds, news) => {
        const failures = wrongInputs(news, { byteLength: "number", prefix: "text", keepers: "map" });
        const length = news["byteLength"];
        if (length === undefined || (typeof length === "number" && length < 1))
            failures.push({ property: "byteLength", reason: "byteLength must be 1 or more" });
        return { inputs: news, failures };
    },
    replaces: () => true,
    deletesFirst: () => false,
    create: async (_subject, inputs) => {
        const bytes = randomBytes(Number(inputs["byteLength"]));
        return { id: bytes.toString("base64url"), state: { ...inputs, ...outputsOf(bytes, text(inputs["prefix"])) } };
    },
    /** Imported as `[PREFIX,]B64URL`. */
    read: async (_subject, id, inputs, state) => {
        if (state) return { id, inputs: inputs ?? {}, state };
        const [encoded = "", prefix] = id.split(",").reverse();
        const bytes = Buffer.from(encoded, "base64url");
        const imported: Props = { byteLength: bytes.length, ...(prefix !== undefined && { prefix }) };
        return { id: encoded, inputs: imported, state: { ...imported, ...outputsOf(bytes, prefix ?? "") } };
    },
    update: () => Promise.reject(new Error("a RandomId is never updated")),
    delete: () => Promise.resolve(),
};
