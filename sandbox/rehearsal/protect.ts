import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { recoveryPoint, type RecoveryPoint } from "../../model/manifest.ts";
import { coordination, names } from "../../model/names.ts";
import type { SiteName } from "../../model/estate.ts";
import { sandboxAccount } from "../addresses.ts";
import type { Sandbox } from "../sandbox.ts";
import { inside } from "./harness.ts";
import { endpoints, healthChecks } from "./health.ts";
import type { JobResult } from "./inside/jobs.ts";

const own = (sandbox: Sandbox) => names(sandbox.estate, sandboxAccount);
const storesOf = (sandbox: Sandbox) => Object.keys(sandbox.estate.stores);

/**
 * Waits until both sites stand: each store's server in the primary is writable and its peer in the standby follows, and the checkers call the endpoint healthy.
 * @throws Error naming what is missing after `limitMs`.
 */
export async function untilProtected(sandbox: Sandbox, limitMs: number): Promise<void> {
    const end = performance.now() + limitMs;
    let missing: string[] = [];
    do {
        const [primary, standby, checks] = await Promise.all([
            inside(sandbox, "guards", { context: "primary", namespace: own(sandbox).namespace, stores: storesOf(sandbox) }),
            inside(sandbox, "guards", { context: "standby", namespace: own(sandbox).namespace, stores: storesOf(sandbox) }),
            healthChecks(sandbox),
        ]);
        const found = endpoints(checks);
        missing = [
            ...storesOf(sandbox).flatMap((store) => {
                const [here, there] = [primary.statuses[store], standby.statuses[store]];
                const maxLag = sandbox.estate.stores[store]!.replica.maxLag;
                return [
                    ...(here?.role === "writable" ? [] : [`${store} in the primary is ${here?.role ?? primary.failures[store]}`]),
                    ...(there?.role === "replica" && typeof there.lagSeconds === "number" && there.lagSeconds <= maxLag
                        ? []
                        : [
                              `${store} in the standby is ${there ? `${there.role}, ${there.lagSeconds ?? "unknown"} s behind` : standby.failures[store]}`,
                          ]),
                ];
            }),
            ...(found.length > 0 && found.every(({ healthy }) => healthy) ? [] : [`${found.length} endpoint checks, not all healthy`]),
        ];
        if (missing.length === 0) return;
        await sleep(500);
    } while (performance.now() < end);
    throw new Error(`the sites are not protected after ${limitMs / 1000} s: ${missing.join("; ")}`);
}

/** Makes a Job of each store's CronJob of a duty, in one site, and waits for all. */
export const jobsOf = (sandbox: Sandbox, site: SiteName, duty: "backup" | "verify" | "restore", limitMs: number): Promise<JobResult[]> =>
    inside(sandbox, "jobs", {
        context: site,
        namespace: own(sandbox).namespace,
        cronJobs: storesOf(sandbox).map((store) => `${duty}-${store}`),
        limitMs,
    });

const replicator = z.looseObject({ pending: z.number() });

/** Waits until the replicator has nothing left to copy. Gives false when it has after `limitMs`: a rehearsal goes on, and its verdict will show it. */
export async function untilCopied(sandbox: Sandbox, limitMs: number): Promise<boolean> {
    for (const end = performance.now() + limitMs; performance.now() < end; await sleep(200))
        if (replicator.parse(await sandbox.control("replicator", "GET", "/")).pending === 0) return true;
    return false;
}

/** Every verified recovery point in the catalog, by store, oldest first. */
export async function catalog(sandbox: Sandbox): Promise<Record<string, RecoveryPoint[]>> {
    const found: Record<string, RecoveryPoint[]> = {};
    await Promise.all(
        storesOf(sandbox).map(async (store) => {
            const records = await inside(sandbox, "objects", {
                region: sandbox.estate.sites.standby.region,
                bucket: own(sandbox).coordinationBucket,
                prefix: coordination.catalog(store, "").replace(/\.json$/, ""),
            });
            found[store] = Object.values(records)
                .map((text) => recoveryPoint.parse(JSON.parse(text)))
                .toSorted((a, b) => (a.manifest.point < b.manifest.point ? -1 : 1));
        }),
    );
    return found;
}
