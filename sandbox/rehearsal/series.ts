import { z } from "zod";
import type { Timeline } from "./clock.ts";
import { acknowledgments, type LedgerLine } from "./ledger.ts";

/** How far a replica was behind its peer, by its own guard; null when it could not tell. */
const lagSample = z.strictObject({ store: z.string(), seconds: z.number(), lagSeconds: z.number().nullable() });

/**
 * What passed when, on this machine's wall clock, in seconds since the loss (before it they are negative). Nothing here is multiplied back or modelled:
 * what `--fast` shortened is short here.
 */
export const series = z.strictObject({
    /** Phases of the rehearsal, and steps of the activation by its journal; the two overlap. */
    spans: z.array(
        z.strictObject({ of: z.enum(["rehearsal", "activation"]), name: z.string(), startSeconds: z.number(), endSeconds: z.number() }),
    ),
    instants: z.array(z.strictObject({ name: z.string(), seconds: z.number() })),
    /** Customers' orders in each second from the first to the last; `second` 0 begins with the loss. Of the acknowledged, `lost` did not survive. */
    orders: z.array(z.strictObject({ second: z.int(), acknowledged: z.int(), lost: z.int(), failed: z.int() })),
    /** Replication lag before the loss. */
    lag: z.array(lagSample),
});
export type Series = z.output<typeof series>;

/** Wall time in milliseconds since 1970. */
export interface WallSpan {
    name: string;
    startedAt: number;
    finishedAt: number;
}
export interface LagReading {
    store: string;
    at: number;
    lagSeconds: number | null;
}

/** @param lost numbers of the orders that were acknowledged and did not survive */
export function seriesOf(
    timeline: Timeline,
    phases: readonly WallSpan[],
    ledger: readonly LedgerLine[],
    lost: readonly number[],
    lag: readonly LagReading[],
): Series {
    const since = (at: number) => Number(((at - timeline.lossAt) / 1000).toFixed(3));
    const spans = (of: "rehearsal" | "activation", all: readonly WallSpan[]) =>
        all.map(({ name, startedAt, finishedAt }) => ({ of, name, startSeconds: since(startedAt), endSeconds: since(finishedAt) }));
    const instants = {
        loss: timeline.lossAt,
        detected: timeline.detectedAt,
        "activation started": timeline.activation?.startedAt,
        "activation finished": timeline.activation?.finishedAt,
        "latch seen": timeline.latchSeenAt,
        "last customer has the address": timeline.lookedUpAt,
        "last customer served": timeline.servedAt,
    };
    return {
        spans: [...spans("rehearsal", phases), ...spans("activation", timeline.activation?.steps ?? [])],
        instants: Object.entries(instants).flatMap(([name, at]) => (at === undefined ? [] : [{ name, seconds: since(at) }])),
        orders: ordersBySecond(ledger, new Set(lost), timeline.lossAt),
        lag: lag.map(({ store, at, lagSeconds }) => ({ store, seconds: since(at), lagSeconds })),
    };
}

/** Orders acknowledged for the first time, those of them that were lost, and requests that failed, second by second without a gap. */
export function ordersBySecond(ledger: readonly LedgerLine[], lost: ReadonlySet<number>, lossAt: number): Series["orders"] {
    const secondOf = (at: number) => Math.floor((at - lossAt) / 1000);
    const acknowledged = [...acknowledgments(ledger).values()];
    const failed = ledger.filter((line) => line.kind === "failed");
    const seconds = [...acknowledged, ...failed].map(({ at }) => secondOf(at));
    if (seconds.length === 0) return [];
    const first = seconds.reduce((a, b) => Math.min(a, b));
    const found = Array.from({ length: seconds.reduce((a, b) => Math.max(a, b)) - first + 1 }, (_, index) => ({
        second: first + index,
        acknowledged: 0,
        lost: 0,
        failed: 0,
    }));
    for (const { at, order } of acknowledged) {
        const mine = found[secondOf(at) - first]!;
        mine.acknowledged++;
        if (lost.has(order)) mine.lost++;
    }
    for (const { at } of failed) found[secondOf(at) - first]!.failed++;
    return found;
}
