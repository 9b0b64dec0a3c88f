import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { z } from "zod";

/**
 * What customers did and were promised, one JSON document a line. `at` is wall time in milliseconds since 1970; `mono` is the machine's
 * monotonic clock in milliseconds, the same for all processes, so that a stepped wall clock can be told from an outage.
 */
const stamp = { at: z.number(), mono: z.number(), client: z.int().min(0) };
const order = { order: z.int().min(1), customer: z.string() };

export const ledgerLine = z.discriminatedUnion("kind", [
    /** The name server was asked; `ttl` is that of the service's own record, in seconds. */
    z.strictObject({ kind: z.literal("looked-up"), ...stamp, address: z.string(), ttl: z.number() }),
    z.strictObject({ kind: z.literal("lookup-failed"), ...stamp, reason: z.string() }),
    z.strictObject({ kind: z.literal("attempt"), ...stamp, ...order, attempt: z.int().min(1), address: z.string() }),
    /** The service answered 201: from now on the customer counts on it. */
    z.strictObject({ kind: z.literal("acknowledged"), ...stamp, ...order, attempt: z.int().min(1), address: z.string() }),
    z.strictObject({ kind: z.literal("failed"), ...stamp, ...order, attempt: z.int().min(1), address: z.string(), reason: z.string() }),
    /** Never acknowledged, and no longer tried: it may or may not be in the databases. */
    z.strictObject({ kind: z.literal("given-up"), ...stamp, ...order }),
]);
export type LedgerLine = z.output<typeof ledgerLine>;
export type Acknowledged = Extract<LedgerLine, { kind: "acknowledged" }>;

type WithoutStamp<Line> = Line extends unknown ? Omit<Line, "at" | "mono"> : never;

/** The machine's monotonic clock in milliseconds: the same for every process of a machine. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Appends lines to a ledger. Each line is one `write` to a file opened for appending, so lines never mix and a kill loses none that was returned from. */
export class LedgerWriter {
    readonly #file: number;
    constructor(path: string) {
        this.#file = openSync(path, "a", 0o644);
    }
    add(line: WithoutStamp<LedgerLine>): void {
        writeSync(this.#file, `${JSON.stringify({ ...line, at: Date.now(), mono: monotonic() })}\n`);
    }
    close(): void {
        closeSync(this.#file);
    }
}

/**
 * Reads a ledger that may still be growing: a last line without its line end is not there yet.
 * @throws Error naming the line that is not one of a ledger.
 */
export function parseLedger(text: string): LedgerLine[] {
    return text
        .slice(0, text.lastIndexOf("\n") + 1)
        .split("\n")
        .filter((line) => line !== "")
        .map((line, index) => {
            try {
                return ledgerLine.parse(JSON.parse(line));
            } catch (error) {
                throw new Error(`line ${index + 1} of the ledger: ${(error as Error).message}`, { cause: error });
            }
        });
}

export const readLedger = (path: string): LedgerLine[] => parseLedger(readFileSync(path, "utf8"));

/** The first acknowledgment of each order, by number. */
export function acknowledgments(lines: readonly LedgerLine[]): Map<number, Acknowledged> {
    const first = new Map<number, Acknowledged>();
    for (const line of lines) if (line.kind === "acknowledged" && !first.has(line.order)) first.set(line.order, line);
    return first;
}

/** The first attempt of each order, by number. */
export function attempts(lines: readonly LedgerLine[]): Map<number, Extract<LedgerLine, { kind: "attempt" }>> {
    const first = new Map<number, Extract<LedgerLine, { kind: "attempt" }>>();
    for (const line of lines) if (line.kind === "attempt" && !first.has(line.order)) first.set(line.order, line);
    return first;
}

/** Milliseconds by which the wall clock moved against the monotonic one between the first line and the last. */
export function clockStep(lines: readonly LedgerLine[]): number {
    const first = lines[0];
    const last = lines.at(-1);
    return first && last ? last.at - first.at - (last.mono - first.mono) : 0;
}
