import { existsSync, readFileSync } from "node:fs";

/** Where the signature of a file lies: beside it. */
export const signaturePath = (file: string): string => `${file}.sig`;

/** Text of the signature beside a file; undefined where there is none. */
export function readSignature(file: string): string | undefined {
    const path = signaturePath(file);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
