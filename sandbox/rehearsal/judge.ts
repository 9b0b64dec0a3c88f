import { formatDuration, seconds } from "../../model/units.ts";
import type { Calls } from "./calls.ts";
import { sums, total, type Clock } from "./clock.ts";
import type { Comparison } from "./comparison.ts";
import type { Judgement, PointEvidence } from "./evidence.ts";

const say = (value: number) => formatDuration(seconds(value));

/** A judgement and, when it is FAIL, why. */
export interface Judged {
    judgement: Judgement;
    reasons: string[];
}

/**
 * Recovery time: the sum of all kinds, against the objective. It fails as well when customers were not served again (`served` false), or when the model's
 * worst case does not fit: a promise that only held because the rehearsal was lucky is none.
 * @param boundSeconds the worst case; null where no model gives one
 * @param because added to the worst case when that is told
 */
export function judgeRto(clock: Clock, served: boolean, objectiveSeconds: number, boundSeconds: number | null, because = ""): Judged {
    const by = sums(clock);
    const sum = total(by);
    const reasons: string[] = [];
    if (!served) reasons.push(`RTO: customers were not all served again within ${say(objectiveSeconds)}`);
    else if (sum > objectiveSeconds) {
        const longest = Object.entries(clock)
            .map(([name, each]) => ({ name, length: total(sums({ [name]: each })) }))
            .sort((a, b) => b.length - a.length)
            .slice(0, 2)
            .map(({ name, length }) => `${name} ${say(length)}`);
        reasons.push(`RTO: ${say(sum)} is over the objective of ${say(objectiveSeconds)}; longest: ${longest.join(", ")}`);
    }
    if (boundSeconds !== null && boundSeconds > objectiveSeconds)
        reasons.push(`RTO: the worst case of ${say(boundSeconds)}${because} is over the objective of ${say(objectiveSeconds)}`);
    return {
        judgement: {
            objectiveSeconds,
            ...by,
            totalSeconds: served ? sum : null,
            boundSeconds,
            verdict: reasons.length === 0 ? "PASS" : "FAIL",
        },
        reasons,
    };
}

/**
 * Data lost, against the objective. Orders lost although the other site acknowledged them after the loss, and rows that nobody ordered, fail it whatever the span.
 * @param boundSeconds the worst case; null where no model gives one
 */
export function judgeRpo(comparison: Comparison, objectiveSeconds: number, boundSeconds: number | null): Judged {
    const { rpoSeconds, lost, torn, lostAfterTheLoss, unknown } = comparison;
    const reasons: string[] = [];
    if (rpoSeconds > objectiveSeconds)
        reasons.push(
            `RPO: ${lost.length} acknowledged orders are lost (${torn.length} torn), the oldest ${say(rpoSeconds)} before the loss; the objective is ${say(objectiveSeconds)}`,
        );
    if (lostAfterTheLoss.length > 0)
        reasons.push(`RPO: ${lostAfterTheLoss.length} orders that the standby acknowledged after the loss are lost`);
    if (unknown.length > 0) reasons.push(`RPO: ${unknown.length} rows were ordered by nobody, so the comparison cannot be trusted`);
    if (boundSeconds !== null && boundSeconds > objectiveSeconds)
        reasons.push(`RPO: the worst case of ${say(boundSeconds)} is over the objective of ${say(objectiveSeconds)}`);
    return {
        judgement: {
            objectiveSeconds,
            measuredSeconds: rpoSeconds,
            scaledSeconds: 0,
            modelledSeconds: 0,
            declaredSeconds: 0,
            totalSeconds: rpoSeconds,
            boundSeconds,
            verdict: reasons.length === 0 ? "PASS" : "FAIL",
        },
        reasons,
    };
}

/** The law: at activation nothing may need the lost region or a global control plane. */
export function judgeCalls({ deadRegion, globalControlPlane }: Calls): string[] {
    return [
        ...(deadRegion > 0 ? [`calls: the activation called the lost region ${deadRegion} times`] : []),
        ...(globalControlPlane > 0 ? [`calls: the activation called global control planes ${globalControlPlane} times`] : []),
    ];
}

/** What is known of a store's newest recovery point. */
export interface PointFound {
    store: string;
    objectiveSeconds: number;
    boundSeconds: number;
    /** The newest that the catalog calls verified, with the start of its snapshot (milliseconds since 1970). */
    newest?: { point: string; bytes: number; startedAt: number; dumpBytes: number; backupSeconds: number };
    /** What the restore job said, absent when it failed; `failure` says why. A newer point than `newest` may have been made meanwhile. */
    restored?: { point: string; orders: number; seconds: number };
    failure?: string;
    /** Numbers of orders acknowledged before the restored point's snapshot began, and sent before it ended. */
    promised: number;
    sent: number;
    /** From the last acknowledged order that the restore brought back, copy and log, to the loss. */
    lostSeconds?: number;
}

/** A store's own promise: a point young enough at the loss, verified, and restored with every order that it must hold and none that nobody sent. */
export function judgePoint(found: PointFound, lossAt: number): PointEvidence {
    const { store, objectiveSeconds, boundSeconds, newest, restored, failure, promised, sent, lostSeconds } = found;
    const ageSeconds = newest ? (lossAt - newest.startedAt) / 1000 : null;
    const reasons: string[] = [];
    if (!newest) reasons.push(`${store}: no recovery point was verified before the loss`);
    else {
        if (ageSeconds! > objectiveSeconds)
            reasons.push(
                `${store}: the newest verified point was ${say(ageSeconds!)} old at the loss; the objective is ${say(objectiveSeconds)}`,
            );
        if (!restored) reasons.push(`${store}: the newest point was not restored: ${failure ?? "nobody tried"}`);
        else if (restored.point < newest.point)
            reasons.push(`${store}: ${restored.point} was restored, which is older than ${newest.point}`);
        else if (restored.orders < promised)
            reasons.push(`${store}: the restored point has ${restored.orders} orders; ${promised} were acknowledged before it began`);
        else if (lostSeconds !== undefined && lostSeconds > objectiveSeconds)
            reasons.push(
                `${store}: what the restore brought back ends ${say(lostSeconds)} before the loss; the objective is ${say(objectiveSeconds)}`,
            );
        else if (restored.orders > sent) reasons.push(`${store}: the restored point has ${restored.orders} orders; only ${sent} were sent`);
    }
    if (boundSeconds > objectiveSeconds)
        reasons.push(`${store}: the worst case of its backups, ${say(boundSeconds)}, is over the objective of ${say(objectiveSeconds)}`);
    return {
        store,
        point: newest?.point ?? null,
        bytes: newest?.bytes ?? null,
        dumpBytes: newest?.dumpBytes ?? null,
        backupSeconds: newest?.backupSeconds ?? null,
        verified: newest !== undefined,
        restored:
            restored !== undefined &&
            newest !== undefined &&
            restored.point >= newest.point &&
            restored.orders >= promised &&
            restored.orders <= sent,
        objectiveSeconds,
        ageSeconds,
        boundSeconds,
        lostSeconds: restored === undefined ? null : (lostSeconds ?? null),
        restoreSeconds: restored?.seconds ?? null,
        restoredOrders: restored?.orders ?? null,
        promisedOrders: newest ? promised : null,
        verdict: reasons.length === 0 ? "PASS" : "FAIL",
        reasons,
    };
}
