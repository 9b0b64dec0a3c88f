import { formatDuration, seconds } from "../../model/units.ts";
import { kinds, sums, total } from "./clock.ts";
import type { Evidence, Judgement } from "./evidence.ts";
import { lossInWords, lostAlone, uncountedInWords } from "./uncounted.ts";
import { watchedInWords } from "./watched.ts";
import { worstCase } from "./worst-case.ts";

const say = (value: number) => formatDuration(seconds(value));
const head = ["", "measured", "scaled", "modelled", "declared", "source"];

function table(rows: readonly (readonly string[])[]): string[] {
    const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    return rows.map((row) =>
        // Names and sources stand left, figures right.
        row
            .map((cell, column) =>
                column === 0 || column === head.length - 1 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
            )
            .join("  ")
            .trimEnd(),
    );
}

function objectiveLine(name: string, judgement: Judgement, evidence: Evidence): string {
    const { totalSeconds, objectiveSeconds, verdict } = judgement;
    const found = totalSeconds === null ? `never, ${watchedInWords(evidence, say)}` : `${say(totalSeconds)} found`;
    const worst = worstCase(judgement);
    return `${name}  ${found}${worst === null ? "" : `, at worst ${say(worst)}`}, objective ${say(objectiveSeconds)}: ${verdict}`;
}

function ordersLine(evidence: Evidence): string {
    const { acknowledged, survived, lost, torn, lostAfterTheLoss } = evidence.orders;
    const after = (lostAlone(evidence) ?? 0) + lostAfterTheLoss;
    return `orders: ${acknowledged} acknowledged, ${survived} survived, ${lost} lost (${torn} torn${after === 0 ? "" : `, ${after} after the ${lossInWords(evidence)}`})`;
}

/** A line for all tables that came through, and one for each that did not. */
function ownDataLines({ ownData }: Evidence): { line: string; verdict: "PASS" | "FAIL" }[] {
    if (!ownData) return [];
    const { file, store, tables } = ownData;
    const lost = tables.filter(({ same }) => !same);
    const rows = tables.reduce((sum, { loaded }) => sum + loaded.rows, 0);
    const verdict = lost.length === 0 ? "PASS" : "FAIL";
    const line = `${file} in ${store}: ${tables.length} tables, ${rows} rows; ${tables.length - lost.length} tables the same in the standby and in the restored point: ${verdict}`;
    return [{ line, verdict }, ...lost.map(({ name }) => ({ line: `  ${name} is not the same`, verdict: "FAIL" as const }))];
}

function writersLines({ writers }: Evidence): string[] {
    if (!writers) return [];
    const { acknowledged, unlawful, late, turns, tenures, silenceSeconds, alone, verdict } = writers;
    return [
        `writers: ${unlawful} acknowledgements by a site that did not hold the epoch, ${turns} turns for ${tenures.length} tenures; the primary acknowledged ` +
            `${acknowledged.primary}, the standby ${acknowledged.standby}${(silenceSeconds ?? -1) < 0 ? "" : `, ${say(silenceSeconds!)} of silence between them`}` +
            `${late.count > 0 ? `; ${late.count} answers came up to ${late.longestMs.toFixed(0)} ms after their tenure` : ""}: ${verdict}`,
        `acknowledged alone, after the cut and before the lease ended: ${alone.acknowledged} orders in ${say(alone.spanSeconds)}, ${alone.lost} of them not in the new history`,
    ];
}

function failbackLines({ failback }: Evidence): string[] {
    if (!failback) return [];
    const {
        seconds: whole,
        steps,
        switchSeconds,
        longestWaitSeconds,
        scaledSeconds,
        modelledSeconds,
        totalSeconds,
        boundSeconds,
    } = failback;
    const { acknowledged, lost, aside, verdict } = failback;
    const rows = aside.map(({ store, rows }) => `${store} ${rows}`).join(", ");
    return [
        `failback: ${say(whole)} on this machine (${steps.map(({ name, seconds: took }) => `${name} ${say(took)}`).join(", ")})`,
        `  the switch: ${switchSeconds === null ? "never" : say(switchSeconds)} without an acknowledgement; ${acknowledged.standby} orders acknowledged by the standby, then ${acknowledged.primary} by the primary, ${lost} lost: ${verdict}`,
        `  the longest that a customer waited: ${say(longestWaitSeconds)} measured, ${say(scaledSeconds)} of DNS multiplied back, ${say(modelledSeconds)} modelled; together ${say(totalSeconds)}, at most ${say(boundSeconds)} are expected`,
        `  held by the old primary alone and saved: ${rows || "nothing"}`,
    ];
}

/** The evidence for a person: clock, objectives, orders, calls, recovery points, what is modelled, and where the evidence lies. */
export function report(
    evidence: Evidence,
    path: string,
    paint: (text: string, verdict: "PASS" | "FAIL") => string = (text) => text,
): string {
    const { rto, rpo, calls, otherCalls, fast } = evidence;
    const cell = (value: number | undefined) => (value === undefined ? "" : say(value));
    const rows = [
        head,
        ...Object.entries(evidence.clock).map(([name, each]) => [name, ...kinds.map((kind) => cell(each[kind])), each.source]),
        ["sum", ...kinds.map((kind) => say(sums(evidence.clock)[kind])), `together ${say(total(sums(evidence.clock)))}`],
    ];
    const others = Object.entries(otherCalls.by)
        .filter(([, each]) => each.deadRegion + each.globalControlPlane > 0)
        .map(([who, each]) => `${who} ${each.deadRegion} + ${each.globalControlPlane}`);
    const uncounted = uncountedInWords(evidence, say);
    return [
        `${evidence.scenario} of ${evidence.service}, seed ${evidence.seed}${fast === 1 ? "" : `, sandbox clocks ${fast} times as fast (column "scaled" is multiplied back)`}`,
        "",
        ...table(rows),
        "",
        paint(objectiveLine("RTO", rto, evidence), rto.verdict),
        paint(objectiveLine("RPO", rpo, evidence), rpo.verdict),
        ...(uncounted === undefined ? [] : [`     ${uncounted}`]),
        ordersLine(evidence),
        `calls of the activation: ${calls.total}; to the lost region ${calls.deadRegion}, to global control planes ${calls.globalControlPlane}`,
        `calls of everybody else: ${otherCalls.total}; to the lost region ${otherCalls.deadRegion}, to global control planes ${otherCalls.globalControlPlane}${others.length > 0 ? ` (${others.join(", ")})` : ""}`,
        ...evidence.recoveryPoints.map((point) =>
            paint(
                `${point.store}: ${
                    point.point === null
                        ? "no verified recovery point"
                        : `${point.point}, ${point.bytes} bytes, ${say(point.ageSeconds ?? 0)} old at the loss, at worst ${say(point.boundSeconds)}, objective ${say(point.objectiveSeconds)}; ${
                              point.restored
                                  ? `restored in ${say(point.restoreSeconds ?? 0)} with ${point.restoredOrders} orders${typeof point.lostSeconds === "number" ? `, the last of them ${say(point.lostSeconds)} before the loss` : ""}`
                                  : "not restored"
                          }`
                }: ${point.verdict}`,
                point.verdict,
            ),
        ),
        ...ownDataLines(evidence).map(({ line, verdict }) => paint(line, verdict)),
        ...writersLines(evidence).map((line) => paint(line, evidence.writers!.verdict)),
        ...failbackLines(evidence).map((line) => paint(line, evidence.failback!.verdict)),
        ...(evidence.checks ?? []).map(({ what, holds, saw }) =>
            paint(`${what}: ${holds ? "yes" : "NO"}; ${saw}`, holds ? "PASS" : "FAIL"),
        ),
        "",
        "not measured:",
        ...evidence.modelled.map((line) => `  ${line}`),
        "",
        ...evidence.reasons.map((reason) => paint(`  ${reason}`, "FAIL")),
        paint(evidence.verdict, evidence.verdict),
        `evidence: ${path}`,
    ].join("\n");
}
