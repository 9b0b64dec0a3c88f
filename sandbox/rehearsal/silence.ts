import type { LedgerLine } from "./ledger.ts";

/**
 * The longest that any customer went without an acknowledgement between two instants, in seconds: from the first instant, or from its last acknowledgement, to its next one or the
 * end. A customer who got none at all was silent all the time.
 * @param from,to wall time, milliseconds since 1970
 * @param clients numbers of the customers
 */
export function longestSilence(lines: readonly LedgerLine[], clients: readonly number[], from: number, to: number): number {
    const longest = clients.map((client) => {
        const times = lines.flatMap((line) =>
            line.kind === "acknowledged" && line.client === client && line.at > from && line.at < to ? [line.at] : [],
        );
        return [...times, to].reduce((gap, at, index) => Math.max(gap, at - (times[index - 1] ?? from)), 0);
    });
    return Math.max(0, ...longest) / 1000;
}
