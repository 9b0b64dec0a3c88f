import { z } from "zod";
import { exitCodes, Failure, type ExitName } from "../../model/failure.ts";

/** What the archive answers to: method and path. */
export const requests = {
    backup: "POST /backup",
    copy: "GET /copy",
} as const;

/** Trailer with a copy's facts, as JSON: it comes behind the last byte and only there where the copy is whole. */
export const factsTrailer = "lifeboat-copy";
/** Trailer with what went wrong, as JSON. */
export const failureTrailer = "lifeboat-failure";

const failure = z.object({ exit: z.enum(Object.keys(exitCodes) as [ExitName, ...ExitName[]]), message: z.string(), next: z.string() });
export type Told = z.output<typeof failure>;

/** A line of the answer to a backup. The last one is a report or a failure; `alive` says that the work goes on. */
export const line = z.union([
    z.strictObject({ note: z.string() }),
    z.strictObject({ alive: z.literal(true) }),
    z.strictObject({ report: z.unknown() }),
    z.strictObject({ failure }),
]);

export const facts = z.object({
    bytes: z.int(),
    facts: z.object({
        version: z.string(),
        position: z.string(),
        log: z.object({ file: z.string(), offset: z.int() }).optional(),
        next: z.string().optional(),
    }),
});

/** An error in words that pass over the wire: headers take ASCII on one line. */
export function told(error: unknown): Told {
    if (error instanceof Failure) {
        const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
        return { exit: error.exit, message: error.message + cause, next: error.next };
    }
    const message = error instanceof Error ? error.message : String(error);
    return { exit: "no", message, next: "see the log of the container `archive`" };
}

export const failureOf = ({ exit, message, next }: Told): Failure => new Failure(exit, message, next);

/** JSON in ASCII: a header's or a trailer's value. */
export const asciiJson = (value: unknown): string =>
    JSON.stringify(value).replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

export function readFailure(text: string): Failure {
    try {
        return failureOf(failure.parse(JSON.parse(text)));
    } catch {
        return new Failure(
            "unavailable",
            `the archive answered ${JSON.stringify(text.slice(0, 200))}`,
            "see the log of the container `archive`",
        );
    }
}
