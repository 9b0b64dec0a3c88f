import { Failure } from "../model/failure.ts";
import type { Moment } from "../model/moment.ts";

/** The options that say which moment is meant. */
export interface MomentOptions {
    at?: string;
    gtid?: string;
    position?: string;
    lsn?: string;
    beforeTransaction?: string;
    newest?: boolean;
}

/** An instant with its zone, as people and logs write it. */
export function instant(text: string): Date {
    const at = new Date(
        text
            .replace(/^(\d{4}-\d\d-\d\d) /, "$1T")
            .replace(/ ?(UTC)$/, "Z")
            .replace(/ (Z|[+-]\d\d:\d\d)$/, "$1"),
    );
    if (Number.isNaN(at.getTime()) || !/^\d{4}-\d\d-\d\d/.test(text))
        throw new Failure("usage", `"${text}" is not a moment`, 'write it as "2026-01-31 12:00:00Z"');
    // Without one it would mean another instant on each machine.
    if (/[T ]\d/.test(text) && !/(Z|UTC|[+-]\d\d:\d\d)$/.test(text))
        throw new Failure("usage", `"${text}" does not say its time zone`, `write "${text}Z" for UTC`);
    return at;
}

/** The moment that is meant. Default: the newest. @throws Failure("usage") for two of them, or one that is none */
export function momentOf(options: MomentOptions): Moment {
    const asked = (["at", "gtid", "position", "lsn", "beforeTransaction", "newest"] as const).filter((name) => options[name] !== undefined);
    const [name, other] = asked;
    const flag = (of: string) => `--${of.replace("T", "-t")}`;
    if (name !== undefined && other !== undefined)
        throw new Failure("usage", `${flag(name)} and ${flag(other)} each say a moment`, "give one of them");
    switch (name) {
        case "at":
            return { to: "time", at: instant(options.at!) };
        case "gtid":
        case "lsn":
            return { to: "position", position: options[name]! };
        case "beforeTransaction":
            return { to: "before", transaction: options.beforeTransaction! };
        case "position": {
            const [, file, offset] = /^([A-Za-z0-9_.-]+):(\d+)$/.exec(options.position!) ?? [];
            if (file === undefined)
                throw new Failure("usage", `"${options.position}" is no place in a log`, "write FILE:OFFSET, as in binlog.000007:4711");
            return { to: "place", file, offset: Number(offset) };
        }
        default:
            return { to: "newest" };
    }
}
