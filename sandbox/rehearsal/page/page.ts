import { readFileSync } from "node:fs";
import type { Evidence, Judgement, PointEvidence, Verdict } from "../evidence.ts";
import type { Past } from "../trend.ts";
import { lossInWords, lostAlone, uncountedInWords } from "../uncounted.ts";
import { watchedInWords } from "../watched.ts";
import { worstCase } from "../worst-case.ts";
import { callsTable } from "./calls-table.ts";
import { checksSection } from "./checks.ts";
import { clockChart, clockTable } from "./clock-chart.ts";
import { courseChart } from "./course-chart.ts";
import { facts } from "./facts.ts";
import { say, saySize, unbroken } from "./figures.ts";
import { markup, nothing, Markup } from "./markup.ts";
import { ownDataTable } from "./own-data-table.ts";
import { trendChart } from "./trend-chart.ts";
import { wayBackSection } from "./way-back.ts";
import { writersSection } from "./writers.ts";

/** Where the evidence lies that a page shows, and who vouches for it. */
export interface Filed {
    /** File name, beside the page. */
    file: string;
    /** SHA-256 of its bytes, hex. */
    sha256: string;
    /** Fingerprint of the key that signed it. */
    fingerprint: string;
}

/** What the page compares its rehearsal with. */
export interface Trend {
    /** Rehearsals of the same scenario up to this one, oldest first; at least one. */
    past: readonly Past[];
    /** Evidence that does not count, with why. */
    leftOut: readonly string[];
}

const style = new Markup(readFileSync(new URL("style.css", import.meta.url), "utf8"));

/** The command that repeats a rehearsal's draws. */
export const repeatCommand = ({
    scenario,
    seed,
    fast,
    ownData,
    failback,
}: Pick<Evidence, "scenario" | "seed" | "fast" | "ownData" | "failback">): string =>
    `./lifeboat rehearse ${scenario}${failback ? " --failback" : ""}${fast === 1 ? "" : ` --fast ${fast}`} --seed ${seed}${ownData ? ` --load ${ownData.file}` : ""}`;

/**
 * One rehearsal as one HTML document that needs nothing else: no script, no picture, no font, no network. It holds what the evidence says and adds nothing.
 */
export function page(evidence: Evidence, filed: Filed, { past, leftOut }: Trend): string {
    const { scenario, service, verdict, reasons, series, recoveryPoints } = evidence;
    return `<!doctype html>
${
    markup`<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${verdict}: ${scenario} of ${service}, ${evidence.startedAt.slice(0, 16)}</title>
<style>${style}</style></head><body>
<header class="${verdict}"><p class="verdict">${verdict}</p><div><h1>${scenario} of ${service}</h1>
<p>${tellStart(evidence)}</p><p class="command"><code>${repeatCommand(evidence)}</code></p></div></header>
<main>
${reasons.length === 0 ? nothing : markup`<section><h2>Why it failed</h2><ul class="reasons">${reasons.map((reason) => markup`<li>${unbroken(reason)}</li>`)}</ul></section>`}
<section><h2>Promised and found</h2><div class="tiles">${rtoTile(evidence)}${rpoTile(evidence)}${ordersTile(evidence)}${callsTile(evidence)}</div></section>
${writersSection(evidence.writers)}${evidence.failback ? wayBackSection(evidence) : checksSection(evidence.checks)}
<section><h2>The recovery clock</h2>${clockChart(evidence)}${clockTable(evidence)}</section>
<section><h2>As it happened here</h2><p>The wall clock of this machine, from the first order to the last${evidence.fast === 1 ? "" : `; the sandbox's health checkers and DNS ran ${evidence.fast} times as fast`}. Instant 1 is the loss.</p>
${series ? courseChart(series) : markup`<p class="aside">This evidence is older than the record of what happened when.</p>`}</section>
<section><h2>Calls by region</h2>${callsTable(evidence)}</section>
<section><h2>Recovery points</h2><div class="tiles">${recoveryPoints.map(pointTile)}</div></section>
${evidence.ownData ? markup`<section><h2>Own data</h2>${ownDataTable(evidence.ownData)}</section>` : nothing}
<section><h2>Not measured</h2><ul>${evidence.modelled.map((line) => markup`<li>${unbroken(line)}</li>`)}</ul></section>
<section><h2>Rehearsals of ${scenario}</h2>${trendChart(past)}${leftOut.length === 0 ? nothing : markup`<p class="aside">Not counted:</p><ul class="aside">${leftOut.map((line) => markup`<li>${line}</li>`)}</ul>`}</section>
</main>
<footer><p>Evidence: <code>${filed.file}</code><br>SHA-256 <code>${filed.sha256}</code><br>signed by <code>${filed.fingerprint}</code></p>
<p>This page shows the evidence and is not signed itself: <code>./lifeboat evidence --verify ${filed.file}</code> checks what is.</p></footer>
</body></html>`.text
}
`;
}

function tellStart({ startedAt, lossAt, seed, fast }: Evidence): string {
    const at = (instant: string) => instant.replace("T", " ").replace(/\.\d+Z$/, " UTC");
    return `Started ${at(startedAt)}${lossAt === null ? "" : `, loss at ${at(lossAt)}`}. Seed ${seed}${fast === 1 ? ", in real time" : `, sandbox clocks ${fast} times as fast`}.`;
}

const badge = (verdict: Verdict) => markup`<b class="badge ${verdict}">${verdict}</b>`;

function tile(name: string, meaning: string, judgement: Judgement, note: Markup = nothing): Markup {
    const { totalSeconds, objectiveSeconds, verdict } = judgement;
    const worst = worstCase(judgement);
    return markup`<article><h3>${name} ${badge(verdict)}</h3><p class="big">${totalSeconds === null ? "never" : say(totalSeconds)}</p><p class="aside">${meaning}</p>
${note}<dl><dt>objective</dt><dd>${say(objectiveSeconds)}</dd>${worst === null ? nothing : markup`<dt>at worst (model)</dt><dd>${say(worst)}</dd>`}</dl></article>`;
}

const rtoTile = (evidence: Evidence): Markup =>
    tile("RTO", evidence.rto.totalSeconds === null ? watchedInWords(evidence, say) : "until every customer was served again", evidence.rto);

/** What the RPO does not count stands on its card: whoever reads no further must not take 0 s for "nothing is gone". */
function rpoTile(evidence: Evidence): Markup {
    const uncounted = uncountedInWords(evidence, say);
    return tile(
        "RPO",
        `from the oldest lost acknowledgment to the ${lossInWords(evidence)}`,
        evidence.rpo,
        uncounted === undefined ? nothing : markup`<p class="note">${uncounted[0]!.toUpperCase()}${uncounted.slice(1)}</p>\n`,
    );
}

/** The lost orders by when they were acknowledged, and by whom, as far as the evidence tells them apart. */
function lostFacts(evidence: Evidence): Markup {
    const { lost, lostAfterTheLoss } = evidence.orders;
    const alone = lostAlone(evidence);
    const loss = lossInWords(evidence);
    const found: [string, number][] =
        alone === undefined
            ? [[`lost after the ${loss}, by the surviving site`, lostAfterTheLoss]]
            : [
                  [`lost from before the ${loss}`, lost - alone - lostAfterTheLoss],
                  [`lost after the ${loss}`, alone + lostAfterTheLoss],
                  ["of these acknowledged by the surviving site", lostAfterTheLoss],
              ];
    return facts(found);
}

function ordersTile(evidence: Evidence): Markup {
    const { acknowledged, survived, lost, torn, unknown, lostNumbers } = evidence.orders;
    const first = lostNumbers.slice(0, 12);
    const rest = lost > first.length ? `, and ${lost - first.length} more: see the evidence` : "";
    const listed = lost === 0 ? nothing : markup`<p class="aside">lost: ${first.join(", ")}${rest}</p>`;
    return markup`<article><h3>Orders</h3><p class="big">${lost} lost</p><p class="aside">of ${acknowledged} acknowledged</p>
<dl><dt>survived</dt><dd>${survived}</dd><dt>torn between databases</dt><dd>${torn}</dd>${lostFacts(evidence)}<dt>ordered by nobody</dt><dd>${unknown}</dd></dl>${listed}</article>`;
}

function callsTile({ calls }: Evidence): Markup {
    return markup`<article><h3>Calls of the activation</h3><p class="big">${calls.deadRegion} to the lost region</p><p class="aside">of ${calls.total} in all</p>
<dl><dt>to global control planes</dt><dd>${calls.globalControlPlane}</dd></dl></article>`;
}

function pointTile(point: PointEvidence): Markup {
    const { store, verdict, ageSeconds, backupSeconds, restoreSeconds, dumpBytes, restoredOrders, promisedOrders } = point;
    const rate = (seconds: number | null | undefined) =>
        typeof dumpBytes === "number" && typeof seconds === "number" && seconds > 0 ? `${saySize(dumpBytes / seconds)}/s` : "";
    const size = (value: number | null | undefined) => (typeof value === "number" ? saySize(value) : "");
    const span = (value: number | null | undefined) => (typeof value === "number" ? say(value) : "");
    const found = Object.entries({
        "age at the loss": span(ageSeconds),
        objective: say(point.objectiveSeconds),
        "at worst (model)": say(point.boundSeconds),
        dump: size(dumpBytes),
        stored: size(point.bytes),
        "backup took": span(backupSeconds),
        "backup rate": rate(backupSeconds),
        "last order in it": typeof point.lostSeconds === "number" ? `${say(point.lostSeconds)} before the loss` : "",
        "restore took": point.restored ? span(restoreSeconds) : "not restored",
        "restore rate": rate(restoreSeconds),
        "orders in it": restoredOrders === null ? "" : String(restoredOrders),
        "orders promised": promisedOrders === null ? "" : String(promisedOrders),
    }).filter(([, fact]) => fact !== "");
    return markup`<article><h3>${store} ${badge(verdict)}</h3><p class="aside">${point.point ?? "no verified recovery point"}${point.verified ? ", verified" : ""}</p>
<dl>${facts(found)}</dl></article>`;
}
