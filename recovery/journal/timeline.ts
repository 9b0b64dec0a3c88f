import type { Entry, Event } from "./entries.ts";
import { replay } from "./state.ts";
import { formatDuration, seconds } from "../../model/units.ts";

/** A result's value is cut after so many letters: the journal itself has it whole. */
const longest = 160;

/**
 * A journal as plain text that can be pasted into an incident: one line an entry, all times UTC, each with the seconds since the start. Signs of life
 * are left out. It tells what the journal holds, and the journal holds no secret.
 * @param entries of one activation, from the first
 * @throws Failure where they cannot have been written by an activation
 */
export function tellJournal(entries: readonly Entry[]): string {
    const state = replay(entries);
    const { opened, activation, openedAt } = state;
    const end = state.outcome ?? (state.left === undefined ? `not finished; last heard at ${utc(state.lastAt)}` : `left: ${state.left}`);
    const span = formatDuration(since(openedAt, state.lastAt));
    const head = [
        `activation ${activation} of ${opened.estate} (account ${opened.account})`,
        `scenario   ${opened.scenario}`,
        `reason     ${flat(opened.reason)}`,
        `began      ${utc(openedAt)}, at epoch ${opened.from.epoch} with the ${opened.from.active} active`,
        `outcome    ${flat(end)}, after ${span}`,
        "times are UTC, each by the clock of the machine that wrote the line",
        "",
    ];
    let last = "";
    const lines = entries.flatMap(({ at, event, runner }): string[] => {
        const told = tellEvent(event);
        if (told === undefined) return [];
        const by = `${runner.by} (pid ${runner.pid} on ${runner.host})`;
        const who = by === last ? "" : `  [${by}]`;
        last = by;
        return [`${utc(at).slice(11, 23)}  ${`+${since(openedAt, at).toFixed(1)} s`.padStart(9)}  ${told}${who}`];
    });
    return [...head, ...lines].join("\n");
}

const since = (from: string, to: string) => seconds(Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000));
const utc = (at: string): string => new Date(at).toISOString().replace("T", " ");
const flat = (text: string): string => text.replaceAll(/\s*\p{Cc}+\s*/gu, " | ");

/** Undefined for what tells a reader nothing. */
function tellEvent(event: Event): string | undefined {
    switch (event.kind) {
        case "opened":
            return `opened: ${event.steps.join(", ")}`;
        case "heartbeat":
            return undefined;
        case "resumed":
            return "resumed";
        case "aborted":
            return `aborted: ${flat(event.reason)}`;
        case "begun":
            return `${event.step}: begun${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`;
        case "done":
            return `${event.step}: done in ${took(event)}${tellResult(event.result)}`;
        case "failed":
            return `${event.step}: FAILED after ${took(event)}: ${flat(event.why)}`;
        case "undoing":
            return `undo ${event.step}: begun`;
        case "undone":
            return `undo ${event.step}: done in ${took(event)}${tellResult(event.result)}`;
        case "undo failed":
            return `undo ${event.step}: FAILED after ${took(event)}: ${flat(event.why)}`;
        case "left":
            return `left: ${flat(event.why)}`;
        case "closed":
            return `closed: ${event.outcome}`;
        default:
            return event satisfies never;
    }
}

const took = ({ seconds: span }: { seconds: number }): string => formatDuration(seconds(span));

function tellResult(result: Record<string, unknown>): string {
    const parts = Object.entries(result).map(
        ([name, value]) => `${name} ${typeof value === "string" ? flat(value) : JSON.stringify(value)}`,
    );
    const text = parts.join(", ");
    return text === "" ? "" : `; ${text.length > longest ? `${text.slice(0, longest)}…` : text}`;
}
