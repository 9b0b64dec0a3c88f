import { createRequire } from "node:module";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

/** A property's value as the engine sends it. `undefined` and null both mean "not given". */
export type Value = string | number | boolean | null | undefined | Value[] | { [name: string]: Value };
export type Props = { [name: string]: Value };

// The generated stubs use the google-protobuf of @pulumi/pulumi; a second copy's messages would not be taken for its own.
const require = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"));
const { Struct: StructMessage } = require("google-protobuf/google/protobuf/struct_pb.js") as { Struct: typeof Struct };

/**
 * Sentinels and signatures of the wire format.
 * Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go and properties.go
 */
const unknowns = new Set([
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

export const isUnknown = (value: Value): boolean => typeof value === "string" && unknowns.has(value);
export const isRecord = (value: unknown): value is Props => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether the value, or anything in it, is not known yet. */
export function hasUnknown(value: Value): boolean {
    if (Array.isArray(value)) return value.some(hasUnknown);
    return isRecord(value) ? Object.values(value).some(hasUnknown) : isUnknown(value);
}

export const secret = (value: Value): Value => ({ [signature]: secretSignature, value });

/** The value without its wrappings, and without what is null. Assets are refused: no type of ours takes one. */
function plain(value: Value): Value {
    if (Array.isArray(value)) return value.map(plain);
    if (!isRecord(value)) return value;
    const wrapped = value[signature];
    if (wrapped === secretSignature) return plain(value["value"]);
    if (wrapped !== undefined)
        throw new Error(`a value of an unknown wire type (${String(wrapped)}): assets and archives are not supported`);
    return Object.fromEntries(
        Object.entries(value)
            .filter(([, inner]) => inner !== null && inner !== undefined)
            .map(([name, inner]) => [name, plain(inner)]),
    );
}

/** Reads a message of the engine. Secrets come wrapped in Configure whatever we accept, so they are unwrapped everywhere. */
export function decode(struct: Struct | undefined): Props {
    return struct ? (plain(struct.toJavaScript() as Props) as Props) : {};
}

/** @param secrets names of the top-level properties that the engine must keep encrypted */
export function encode(props: Props, secrets: readonly string[] = []): Struct {
    const defined = JSON.parse(JSON.stringify(props)) as Props;
    for (const name of secrets) if (defined[name] !== undefined) defined[name] = secret(defined[name]);
    return StructMessage.fromJavaScript(defined as Parameters<typeof Struct.fromJavaScript>[0]);
}

export const text = (value: Value): string =>
    typeof value === "string" ? value : value === undefined || value === null ? "" : String(value);
export const optionalText = (value: Value): string | undefined => (value === undefined || value === null ? undefined : String(value));
export const record = (value: Value): Props => (isRecord(value) ? value : {});
export const list = (value: Value): Value[] => (Array.isArray(value) ? value : []);
export const texts = (value: Value): string[] => list(value).map(text);
