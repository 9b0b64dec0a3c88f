import { siteNames, type SiteName } from "../../model/estate.ts";
import { siteAt } from "../addresses.ts";
import type { LedgerLine } from "./ledger.ts";

/**
 * One write that a site acknowledged. It was made at some instant from when the request was sent to when the answer was in hand, nobody outside can tell at which.
 * Milliseconds of one clock.
 */
export interface Acknowledgement {
    site: SiteName;
    sentAt: number;
    receivedAt: number;
    order: number;
}

/** From when a site may acknowledge: the old one's lease has run out, and the epoch names this one. It ends where the next one begins. */
export interface Tenure {
    site: SiteName;
    epoch: number;
    /** Milliseconds of the clock of the acknowledgements; the first one may begin at -Infinity. */
    from: number;
}

export interface Writers {
    acknowledged: Record<SiteName, number>;
    /** Acknowledgements that no instant of their own explains: their site held no epoch from sending to answer. Each is a second writer. */
    unlawful: Acknowledgement[];
    /** Sent before their site's tenure ended and answered after it: let out in time, as far as anybody can tell. Longest lateness in ms. */
    late: { count: number; longestMs: number };
    /**
     * How often writing must have passed from one site to the other, by the acknowledgements alone: the longest chain in which each was sent after the one before
     * it had been answered, by the other site. One writer at a time explains at most one link a tenure.
     */
    turns: number;
}

/**
 * Whether there was ever more than one writer. The rule is that of linearizability (Herlihy and Wing, 1990): an acknowledgement is lawful if some instant between its
 * request and its answer lies in a tenure of its site.
 * @param tenures in order of `from`
 */
export function findWriters(acknowledgements: readonly Acknowledgement[], tenures: readonly Tenure[]): Writers {
    const spans = tenures.map(({ site, from }, index) => ({ site, from, until: tenures[index + 1]?.from ?? Infinity }));
    const unlawful: Acknowledgement[] = [];
    const late = { count: 0, longestMs: 0 };
    const acknowledged: Record<SiteName, number> = { primary: 0, standby: 0 };
    for (const each of acknowledgements) {
        acknowledged[each.site]++;
        const own = spans.filter(({ site, from, until }) => site === each.site && each.sentAt < until && each.receivedAt >= from);
        const last = own.at(-1);
        if (last === undefined) unlawful.push(each);
        else if (each.receivedAt > last.until) {
            late.count++;
            late.longestMs = Math.max(late.longestMs, each.receivedAt - last.until);
        }
    }
    return { acknowledged, unlawful, late, turns: Math.max(...siteNames.map((first) => chain(acknowledgements, first))) };
}

/** Length of the longest alternating chain that `first` begins: to take the earliest answer each time leaves most room for the rest. */
function chain(acknowledgements: readonly Acknowledgement[], first: SiteName): number {
    const inOrder = acknowledgements.toSorted((a, b) => a.receivedAt - b.receivedAt);
    let turns = 0;
    let site = first;
    let since = -Infinity;
    for (const each of inOrder)
        if (each.site === site && each.sentAt > since) {
            turns++;
            since = each.receivedAt;
            site = site === "primary" ? "standby" : "primary";
        }
    return turns;
}

/** Every acknowledgement in a ledger, by wall time, with the site whose address answered. @throws Error for an address of no site */
export function acknowledgementsIn(lines: readonly LedgerLine[]): Acknowledgement[] {
    const sent = new Map<string, number>();
    const key = ({ order, attempt, client }: { order: number; attempt: number; client: number }) => `${client} ${order} ${attempt}`;
    const found: Acknowledgement[] = [];
    for (const line of lines) {
        if (line.kind === "attempt") sent.set(key(line), line.at);
        if (line.kind !== "acknowledged") continue;
        const site = siteAt(line.address);
        const sentAt = sent.get(key(line));
        if (site === undefined || sentAt === undefined)
            throw new Error(
                `order ${line.order} was acknowledged by ${line.address}, ${site === undefined ? "which is in no site" : "but never sent"}`,
            );
        found.push({ site, sentAt, receivedAt: line.at, order: line.order });
    }
    return found;
}

/** Why there was more than one writer; empty when there was one at any time. */
export function judgeWriters({ unlawful, turns }: Writers, tenures: readonly Tenure[]): string[] {
    const worst = unlawful[0];
    return [
        ...(worst === undefined
            ? []
            : [
                  `writers: ${unlawful.length} writes were acknowledged by a site that did not hold the epoch, as order ${worst.order} by the ${worst.site}, ` +
                      `sent at ${time(worst.sentAt)} and answered at ${time(worst.receivedAt)}`,
              ]),
        ...(turns > tenures.length
            ? [`writers: acknowledgements took turns ${turns} times between the sites, and the epoch names ${tenures.length} writers`]
            : []),
    ];
}

const time = (at: number) => new Date(at).toISOString();
