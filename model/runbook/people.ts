import type { Estate } from "../estate.ts";
import { boxes, chapter, literal, table } from "./markdown.ts";

/** What whoever is called does first, whatever has happened; then what this scenario asks for. */
export function firstActions({ contacts }: Estate, own: readonly string[], ...then: readonly string[]): string {
    const [decider] = contacts;
    return chapter(
        "First actions",
        boxes([
            "Write down the time (UTC): ____________. Open the incident channel and say: *I have it.*",
            decider === undefined
                ? "Call whoever decides. No contact is declared: write the name here: ____________"
                : `Call ${literal(decider.name)} (${literal(decider.role)}): ${literal(decider.reach)}`,
            ...own,
        ]),
        ...then,
    );
}

/** Whom to call, and when the next one. */
export function escalation({ contacts }: Estate, past = "Past the recovery time: all of them."): string {
    const blank = [1, 2, 3].map((index) => [String(index), "", "", ""]);
    const rows = contacts.map(({ name, role, reach }, index) => [String(index + 1), literal(name), literal(role), literal(reach)]);
    return chapter(
        "Escalation",
        rows.length > 0
            ? `Call in this order. No answer within 5 min: the next one. ${past}`
            : "No contacts are declared in the estate (`contacts`): fill in by hand, now, on paper.",
        table(["", "name", "role", "reach"], rows.length > 0 ? rows : blank),
    );
}
