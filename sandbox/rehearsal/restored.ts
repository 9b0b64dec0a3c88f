import { z } from "zod";
import type { SiteName } from "../../model/estate.ts";
import type { RecoveryPoint } from "../../model/manifest.ts";
import { lastLines } from "../last-lines.ts";
import type { JobResult } from "./inside/jobs.ts";
import type { PointFound } from "./judge.ts";
import { acknowledgments, attempts, type LedgerLine } from "./ledger.ts";

/** What `lifeboat restore STORE --to URL --json` prints. */
const restoreDocument = z.looseObject({
    store: z.string(),
    point: z.string(),
    tables: z.array(z.looseObject({ name: z.string(), rows: z.int() })),
    seconds: z.number(),
});

/** The last JSON document in a container's log, which has other lines too. @throws Error when there is none. */
export function lastDocument(log: string): unknown {
    const lines = log.trimEnd().split("\n");
    for (let start = lines.length - 1; start >= 0; start--) {
        if (!lines[start]!.startsWith("{")) continue;
        for (let end = lines.length; end > start; end--) {
            try {
                return JSON.parse(lines.slice(start, end).join("\n"));
            } catch {
                // not this one
            }
        }
    }
    throw new Error(`no JSON document in: ${log.slice(-300)}`);
}

/**
 * Holds what a restore job said against the ledger: every order that was acknowledged before the point's copy began must be in it, and none that nobody sent can be. How far the log
 * goes on behind the copy is measured: the last order before the loss that it brought back.
 * @param loss of the site that the point is to be of; of another site's point nothing can be said
 * @param points verified points of the store, oldest first, from the catalog after the restore
 */
export function pointFound(
    store: string,
    objective: { objectiveSeconds: number; boundSeconds: number },
    newest: RecoveryPoint | undefined,
    points: readonly RecoveryPoint[],
    job: JobResult | undefined,
    ledger: readonly LedgerLine[],
    loss: { at: number; site: SiteName },
): PointFound {
    const found: PointFound = {
        store,
        ...objective,
        ...(newest
            ? {
                  newest: {
                      point: newest.manifest.point,
                      bytes: newest.manifest.stored.bytes,
                      startedAt: Date.parse(newest.manifest.startedAt),
                      dumpBytes: newest.manifest.dump.bytes,
                      backupSeconds: (Date.parse(newest.manifest.finishedAt) - Date.parse(newest.manifest.startedAt)) / 1000,
                  },
              }
            : {}),
        promised: 0,
        sent: 0,
    };
    if (!job) return { ...found, failure: "no restore was tried" };
    if (!job.succeeded) return { ...found, failure: `${job.reason ?? "it failed"}; ${lastLines(job.log, 3).replaceAll("\n", " ")}` };
    const said = restoreDocument.safeParse(attempt(() => lastDocument(job.log)));
    const orders = said.data?.tables.find(({ name }) => name === "orders");
    if (!said.success || !orders) return { ...found, failure: `what it said is not understood: ${job.log.trim().slice(-300)}` };
    const manifest = points.find((point) => point.manifest.point === said.data.point)?.manifest;
    if (!manifest) return { ...found, failure: `it restored ${said.data.point}, which the catalog does not have` };
    const kept = [...acknowledgments(ledger).values()].map(({ at }) => at).filter((at) => at <= loss.at);
    const last = kept.sort((a, b) => a - b)[Math.min(orders.rows, kept.length) - 1];
    const count = (lines: ReadonlyMap<number, { at: number }>, before: string) =>
        [...lines.values()].filter(({ at }) => at < Date.parse(before)).length;
    return {
        ...found,
        restored: { point: said.data.point, orders: orders.rows, seconds: said.data.seconds },
        promised: count(acknowledgments(ledger), manifest.startedAt),
        sent: attempts(ledger).size,
        ...(last === undefined || manifest.site !== loss.site ? {} : { lostSeconds: (loss.at - last) / 1000 }),
    };
}

function attempt(read: () => unknown): unknown {
    try {
        return read();
    } catch {
        return undefined;
    }
}
