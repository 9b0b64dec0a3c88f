import { rtoBounds, serviceRpoBounds, storeRpoBounds, type Bound } from "../../model/bounds.ts";
import { failbackPlan, switchBound } from "../../model/failback.ts";
import type { Estate, SiteName } from "../../model/estate.ts";
import type { RecoveryPoint } from "../../model/manifest.ts";
import { countByRegion, countCalls, separate, type Attempt, type AuditLine } from "./calls.ts";
import type { Timeline } from "./clock.ts";
import { compare, type Row } from "./comparison.ts";
import { evidence, type Check, type Evidence, type WritersEvidence } from "./evidence.ts";
import { judgeWayBack, type WayBack } from "./way-back.ts";
import type { JobResult } from "./inside/jobs.ts";
import { judgeCalls, judgePoint, judgeRpo, judgeRto } from "./judge.ts";
import { acknowledgments, attempts as attemptsOf, clockStep, type LedgerLine } from "./ledger.ts";
import type { OwnDataFound } from "./own-data/comparison.ts";
import { modelledSpans, type Recovery } from "./recover.ts";
import { pointFound } from "./restored.ts";
import { seriesOf, type LagReading } from "./series.ts";
import type { Stage } from "./stage.ts";
import { acknowledgementsIn, findWriters, judgeWriters, type Tenure } from "./writers.ts";

/** All that a rehearsal found. */
export interface Findings {
    /** Whose loss it was: the primary's, which the standby recovers from, or the standby's, which is to stop nobody. */
    lost: SiteName;
    lossAt: number;
    recovery: Recovery;
    tried: { audit: AuditLine[]; attempts: Attempt[] };
    ledger: LedgerLine[];
    rows: Record<string, Row[]>;
    points: Record<string, RecoveryPoint[]>;
    pointsNow: Record<string, RecoveryPoint[]>;
    restored: JobResult[];
    lag: readonly LagReading[];
    ownData?: OwnDataFound;
    /** Whose tenures are to be held against the acknowledgements: given where the old site lived on. */
    tenures?: readonly Tenure[];
    checks?: readonly Check[];
    wayBack?: WayBack;
}

type Context = Pick<Stage, "estate" | "scenario" | "service" | "seed" | "fast" | "startedAt" | "phases" | "problems">;

const boundOf = (bounds: readonly Bound[], of: string): number => bounds.find((bound) => bound.of === of)!.seconds;

/** Turns what was found into evidence and its verdict. */
export function assemble(context: Context, found: Findings): Evidence {
    const { estate, scenario, service, seed, fast, startedAt, phases, problems } = context;
    const { lost, lossAt, recovery, ledger, tried } = found;
    const { objective } = estate.services[service]!;
    const kept = acknowledgments(ledger);
    const comparison = compare(kept, new Set(attemptsOf(ledger).keys()), found.rows, lossAt, lost);
    // What customers are really answered with counts, whatever the estate declares.
    const ttl = Math.max(...ledger.map((line) => (line.kind === "looked-up" ? line.ttl * fast : 0)));
    const longer = Math.max(0, ttl - estate.traffic.ttl);
    // The model's worst cases are of the primary's loss. The standby's stops nobody, and no model says for how long at worst.
    const modelled = lost === "primary";
    const rto = judgeRto(
        recovery.clock,
        recovery.allServed,
        objective.rto,
        modelled ? boundOf(rtoBounds(estate), service) + longer : null,
        longer > 0 ? ` (customers are answered with a TTL of ${ttl} s, not the declared ${estate.traffic.ttl} s)` : "",
    );
    const rpo = judgeRpo(comparison, objective.rpo, modelled ? boundOf(serviceRpoBounds(estate), service) : null);
    const firstAt = Math.min(...recovery.served.map(({ servedAt }) => servedAt));
    const until = recovery.timeline.servedAt ?? Date.now();
    const between = [tried.audit, tried.attempts, { site: lost, region: estate.sites[lost].region }, lossAt, until] as const;
    const { calls, otherCalls } = separate(countCalls(...between));
    const recoveryPoints = Object.entries(estate.stores).map(([store, { objective }]) =>
        judgePoint(
            pointFound(
                store,
                { objectiveSeconds: objective.rpo, boundSeconds: boundOf(storeRpoBounds(estate), store) },
                found.points[store]?.at(-1),
                found.pointsNow[store] ?? [],
                found.restored.find(({ cronJob }) => cronJob === `restore-${store}`),
                ledger,
                { at: lossAt, site: lost },
            ),
            lossAt,
        ),
    );
    const writers = found.tenures && writersIn(ledger, found.tenures, lossAt, comparison.acknowledgedAlone);
    const expected = switchBound(failbackPlan(estate));
    const back =
        found.wayBack &&
        judgeWayBack(found.wayBack, ledger, comparison.lost, lossAt, {
            boundSeconds: expected.seconds,
            modelledSeconds: expected.modelled,
            scaledSeconds: estate.traffic.ttl - estate.traffic.ttl / fast,
        });
    const step = clockStep(ledger);
    const reasons = [
        ...problems,
        ...rto.reasons,
        ...rpo.reasons,
        ...judgeCalls(calls),
        ...recoveryPoints.flatMap((point) => point.reasons),
        ...(found.ownData?.reasons ?? []),
        ...(writers?.reasons ?? []),
        ...(back?.reasons ?? []),
        ...(found.checks ?? []).filter(({ holds }) => !holds).map(({ what, saw }) => `${what}: no; ${saw}`),
        ...(Math.abs(step) > 500
            ? [`clock: the machine's clock was set by ${step.toFixed(0)} ms during the rehearsal; nothing measured can be trusted`]
            : []),
    ];
    return evidence.parse({
        version: 1,
        scenario,
        service,
        seed,
        fast,
        startedAt: startedAt.toISOString(),
        lossAt: new Date(lossAt).toISOString(),
        verdict: reasons.length === 0 ? "PASS" : "FAIL",
        reasons,
        rto: rto.judgement,
        rpo: rpo.judgement,
        orders: {
            acknowledged: comparison.acknowledged,
            survived: comparison.survived,
            lost: comparison.lost.length,
            torn: comparison.torn.length,
            lostAfterTheLoss: comparison.lostAfterTheLoss.length,
            lostAlone: comparison.acknowledgedAlone.length,
            unknown: comparison.unknown.length,
            lostNumbers: comparison.lost.slice(0, 100),
            rows: Object.fromEntries(Object.entries(found.rows).map(([store, rows]) => [store, rows.length])),
        },
        clock: recovery.clock,
        firstCustomerWallSeconds: Number.isFinite(firstAt) ? (firstAt - lossAt) / 1000 : null,
        calls,
        otherCalls,
        callsByRegion: countByRegion(...between),
        attempts: tried.attempts,
        recoveryPoints,
        ...(found.ownData ? { ownData: found.ownData.evidence } : {}),
        ...(writers ? { writers: writers.evidence } : {}),
        ...(found.checks ? { checks: found.checks } : {}),
        ...(back ? { failback: back.evidence } : {}),
        modelled: modelledInWords(estate, lost, fast),
        phases: phases.seconds,
        series: seriesOf(happened(recovery), phases.spans, ledger, comparison.lost, found.lag),
    });
}

/** The instants of a recovery. One that never came has the instant at which it was given up in the place of the last ones, and did not pass them. */
function happened({ timeline, allServed }: Recovery): Timeline {
    if (allServed) return timeline;
    const { servedAt, lookedUpAt: _, latchSeenAt, ...before } = timeline;
    return latchSeenAt === undefined || latchSeenAt === servedAt ? before : { ...before, latchSeenAt };
}

/** Holds the acknowledgements of a ledger against the tenures, and tells apart what the first site acknowledged after it was cut off. */
function writersIn(ledger: readonly LedgerLine[], tenures: readonly Tenure[], cutAt: number, lostAlone: readonly number[]) {
    const acknowledgements = acknowledgementsIn(ledger);
    const found = findWriters(acknowledgements, tenures);
    const reasons = judgeWriters(found, tenures);
    const of = (site: SiteName) => acknowledgements.filter((each) => each.site === site).map(({ receivedAt }) => receivedAt);
    const alone = of("primary").filter((at) => at > cutAt);
    const [last, first] = [Math.max(...of("primary")), Math.min(...of("standby"))];
    return {
        reasons,
        evidence: {
            tenures: tenures.map(({ site, epoch, from }) => ({
                site,
                epoch,
                from: Number.isFinite(from) ? new Date(from).toISOString() : null,
            })),
            acknowledged: found.acknowledged,
            unlawful: found.unlawful.length,
            late: found.late,
            turns: found.turns,
            silenceSeconds: Number.isFinite(last) && Number.isFinite(first) ? (first - last) / 1000 : null,
            alone: {
                acknowledged: alone.length,
                lost: lostAlone.length,
                spanSeconds: alone.length === 0 ? 0 : (Math.max(...alone) - cutAt) / 1000,
                lostNumbers: lostAlone.slice(0, 100),
            },
            verdict: reasons.length === 0 ? "PASS" : "FAIL",
        } satisfies WritersEvidence,
    };
}

function modelledInWords(estate: Estate, lost: SiteName, fast: number): string[] {
    const always = [
        ...(fast === 1
            ? []
            : [`health checkers' intervals and the DNS TTL ran ${fast} times as fast; their spans are multiplied back ("scaled")`]),
        "resolvers that keep an answer longer than its TTL are not modelled",
        "AWS is a stand-in on this machine: its own failures under a region's loss (throttling, capacity) are not modelled",
    ];
    if (lost === "standby") return always;
    return [
        ...modelledSpans(estate).map(({ step, seconds, source }) => `${step}: ${seconds} s, modelled; ${source}`),
        `decide: ${estate.decision} s, declared by the estate and not waited for`,
        ...always,
        "scale runs beside fence and promotions: what they took together is counted once, in the step that ended first; of a node's boot, what passed until verify began is taken off",
        "the lease is waited out at its real pace, whatever --fast",
    ];
}
