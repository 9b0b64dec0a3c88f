import { createHash } from "node:crypto";

const sumOf = (record: object): string => createHash("sha256").update(JSON.stringify(record)).digest("hex");

/** A small record with the SHA-256 of its own text, so that one changed bit of it shows, whatever it says. */
export const summed = <Content extends object>(record: Content): Content & { sum: string } => ({ ...record, sum: sumOf(record) });

/** The record as it was summed. @throws Error where it is not */
export function unsummed(record: unknown): object {
    const { sum, ...rest } = (record ?? {}) as { sum?: unknown };
    if (sum !== sumOf(rest)) throw new Error("it is not what was put there (its SHA-256 differs)");
    return rest;
}
