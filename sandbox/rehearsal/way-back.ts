import { siteAt } from "../addresses.ts";
import type { Sandbox } from "../sandbox.ts";
import { crowdSize } from "./crowd.ts";
import type { FailbackEvidence } from "./evidence.ts";
import { acknowledgments, type LedgerLine } from "./ledger.ts";
import { longestSilence } from "./silence.ts";

/** The run of `lifeboat failback`, as far as it came. Wall milliseconds. */
export interface WayBack {
    startedAt: number;
    finishedAt: number;
    /** Those that were done, in the order of the plan. */
    steps: { name: string; seconds: number; result: Record<string, unknown> }[];
    /** When customers had been served by the primary for a while. */
    settledAt: number;
}

/** The run of `lifeboat failback`, and how it ended. */
interface Ran extends Omit<WayBack, "settledAt"> {
    /** Null when a signal ended it. */
    exitCode: number | null;
    /** The end of what it said on stderr. */
    said: string;
}
/** Runs the fail-back; a test that kills and resumes it brings its own. */
export type Failback = (sandbox: Sandbox, note: (line: string) => void) => Promise<Ran>;

const clients = Array.from({ length: crowdSize.clients }, (_, client) => client);

/**
 * Holds the way back against what it promises: no acknowledged write is lost, customers are served by the primary again, and nobody waits for longer than the model says.
 * @param lost numbers of the orders that were acknowledged at any time and are not in every database
 * @param expected what the plan expects, what of it is modelled, and what `--fast` took off the DNS TTL
 */
export function judgeWayBack(
    { startedAt, finishedAt, settledAt, steps }: WayBack,
    ledger: readonly LedgerLine[],
    lost: readonly number[],
    lossAt: number,
    expected: { boundSeconds: number; modelledSeconds: number; scaledSeconds: number },
): { evidence: FailbackEvidence; reasons: string[] } {
    const kept = acknowledgments(ledger);
    // What the primary acknowledged alone before it came back is the RPO's affair: the loss takes a moment, and a cut site goes on.
    const lostSince = lost.filter((number) => {
        const order = kept.get(number);
        return order !== undefined && order.at > lossAt && !(siteAt(order.address) === "primary" && order.at < startedAt);
    });
    const during = ledger.filter((line) => line.kind === "acknowledged" && line.at > startedAt && line.at < settledAt);
    const of = (site: "primary" | "standby") =>
        during.flatMap((line) => (line.kind === "acknowledged" && siteAt(line.address) === site ? [line.at] : []));
    const [before, after] = [of("standby"), of("primary")];
    const switchSeconds = before.length > 0 && after.length > 0 ? (Math.min(...after) - Math.max(...before)) / 1000 : null;
    const longestWaitSeconds = longestSilence(ledger, clients, startedAt, settledAt);
    const totalSeconds = longestWaitSeconds + expected.scaledSeconds + expected.modelledSeconds;
    const reasons = [
        ...(lostSince.length === 0
            ? []
            : [`failback: ${lostSince.length} orders that were acknowledged after the loss are not in every database of both sites`]),
        ...(after.length > 0 ? [] : ["failback: no order was acknowledged by the primary"]),
        ...(switchSeconds !== null && switchSeconds < 0
            ? [`failback: the primary acknowledged ${(-switchSeconds).toFixed(1)} s before the standby had ended`]
            : []),
        ...(totalSeconds <= expected.boundSeconds
            ? []
            : [
                  `failback: a customer waited ${totalSeconds.toFixed(1)} s, with what is scaled and modelled, and the plan expects ${expected.boundSeconds.toFixed(0)} s at most`,
              ]),
    ];
    const aside = steps
        .filter(({ name }) => name.startsWith("aside:"))
        .map(({ name, result }) => ({
            store: name.slice("aside:".length),
            rows: Number(result["rows"]),
            key: (result["saved"] as { key?: string } | undefined)?.key ?? null,
        }));
    return {
        reasons,
        evidence: {
            seconds: (finishedAt - startedAt) / 1000,
            steps,
            switchSeconds,
            longestWaitSeconds,
            ...expected,
            totalSeconds,
            acknowledged: { standby: before.length, primary: after.length },
            lost: lostSince.length,
            aside,
            verdict: reasons.length === 0 ? "PASS" : "FAIL",
        },
    };
}
