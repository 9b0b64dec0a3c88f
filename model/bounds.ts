import { criticalPath } from "./critical-path.ts";
import type { Estate } from "./estate.ts";
import { estimateOf, regionLossPlan, type MeasuredSteps, type RecoveryPlan, type Source } from "./plan.ts";
import { formatDuration, seconds, type Seconds } from "./units.ts";

/** One span of a bound, with where it comes from. */
export interface Part {
    name: string;
    seconds: Seconds;
    sources: readonly Source[];
}

/** The worst that is expected, beside what was promised. */
export interface Bound {
    /** "orders", "orders-mysql" */
    of: string;
    objective: "RTO" | "RPO";
    /** Which way of recovery it bounds. */
    by: "plan" | "replica" | "log" | "backups";
    seconds: Seconds;
    promised: Seconds;
    holds: boolean;
    /** What it is made of, longest chain only; they add up to `seconds` ("replica": the largest of them). */
    parts: readonly Part[];
}

/** A verifier looks for new copies this often; a new point waits for its turn. */
export const verifyEvery = seconds(60);

const declared = (where: string): Source => ({ from: "declared", where });
const copySource: Source = {
    from: "published",
    says: "most objects are replicated in seconds (99.99 % within 15 min, with replication time control): 1 min is counted",
    url: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html",
};
const copySpan = seconds(60);

const total = (parts: readonly Part[]): Seconds => seconds(parts.reduce((sum, part) => sum + part.seconds, 0));
const bound = (of: string, objective: Bound["objective"], by: Bound["by"], promised: Seconds, parts: readonly Part[]): Bound => {
    const span = total(parts);
    return { of, objective, by, seconds: span, promised, holds: span <= promised, parts };
};

/** Time from the loss to the first good answer of each service: the critical path through the plan. */
export function rtoBounds(estate: Estate, plan: RecoveryPlan = regionLossPlan(estate)): Bound[] {
    const parts = criticalPath(plan).steps.map((step) => ({
        name: step.name,
        seconds: estimateOf(step),
        sources: step.estimate.map(({ source }) => source),
    }));
    return Object.entries(estate.services).map(([service, { objective }]) => bound(service, "RTO", "plan", objective.rto, parts));
}

/** Acknowledged writes that a service may lose with the primary: the lag that the furthest replica of its stores may have. */
export function serviceRpoBounds(estate: Estate): Bound[] {
    return Object.entries(estate.services).map(([service, { needs, objective }]) => {
        const lags = needs.flatMap((name): Part[] => {
            const store = estate.stores[name];
            return store === undefined
                ? []
                : [{ name, seconds: store.replica.maxLag, sources: [declared(`stores.${name}.replica.maxLag`)] }];
        });
        const worst = seconds(Math.max(0, ...lags.map((lag) => lag.seconds)));
        return {
            of: service,
            objective: "RPO",
            by: "replica",
            seconds: worst,
            promised: objective.rpo,
            holds: worst <= objective.rpo,
            parts: lags,
        };
    });
}

/** A piece of a store's log is put when its oldest byte has waited so long. */
export const shipEvery = seconds(1.5);

/**
 * Writes that a store may lose when only its vault is left and its log goes on from a verified point: what was not shipped yet, and not copied to the standby's vault.
 * Where no log goes on (a gap, or a new history that has no verified point yet), `storeRpoBounds` is the bound.
 */
export function storeLogBounds(estate: Estate): Bound[] {
    return Object.entries(estate.stores).map(([name, { objective }]) =>
        bound(name, "RPO", "log", objective.rpo, [
            { name: "ship", seconds: shipEvery, sources: [declared("model/bounds.ts: shipEvery")] },
            { name: "copy", seconds: copySpan, sources: [copySource] },
        ]),
    );
}

/**
 * Writes that a store may lose when only its full copies are left, and no log. The newest verified point is oldest just before the next one is verified:
 * one interval, and the time that a point takes from the start of its dump until it is verified.
 */
export function storeRpoBounds(estate: Estate): Bound[] {
    return Object.entries(estate.stores).map(([name, { backup, expected, objective }]) => {
        const path = `stores.${name}`;
        const rates = (rate: string) => [declared(`${path}.expected.data`), declared(`${path}.expected.${rate}`)];
        return bound(name, "RPO", "backups", objective.rpo, [
            { name: "interval", seconds: backup.every, sources: [declared(`${path}.backup.every`)] },
            { name: "dump", seconds: seconds(expected.data / expected.backupRate), sources: rates("backupRate") },
            { name: "copy", seconds: copySpan, sources: [copySource] },
            { name: "wait for the verifier", seconds: verifyEvery, sources: [declared("model/bounds.ts: verifyEvery")] },
            // Reading back, decrypting and hashing is at least as fast as a restore, which does that and imports.
            { name: "verify", seconds: seconds(expected.data / expected.restoreRate), sources: rates("restoreRate") },
        ]);
    });
}

/** Time to bring a store back from its newest recovery point, beside the lost one: decide, restore, check. */
export function storeRtoBounds(estate: Estate): Bound[] {
    return Object.entries(estate.stores).map(([name, { expected, objective }]) => {
        const path = `stores.${name}.expected`;
        const pass = seconds(expected.data / expected.restoreRate);
        const sources = [declared(`${path}.data`), declared(`${path}.restoreRate`)];
        return bound(name, "RTO", "backups", objective.rto, [
            { name: "decide", seconds: estate.decision, sources: [declared("decision")] },
            { name: "start a server", seconds: seconds(60), sources: [declared("model/bounds.ts: a pod with a new volume")] },
            { name: "restore", seconds: pass, sources },
            { name: "check", seconds: pass, sources },
        ]);
    });
}

/** Every bound of an estate. `measured`: see `regionLossPlan`. */
export const allBounds = (estate: Estate, measured?: MeasuredSteps): Bound[] => [
    ...rtoBounds(estate, regionLossPlan(estate, measured)),
    ...serviceRpoBounds(estate),
    ...storeRtoBounds(estate),
    ...storeLogBounds(estate),
    ...storeRpoBounds(estate),
];

/** Bounds in words: "orders: RTO bound 9 min 33 s within 10 min, because detect 30 s + decide 5 min + …". */
export function explain({ of, objective, by, seconds, promised, holds, parts }: Bound): string {
    const told = parts.map((part) => `${part.name} ${formatDuration(part.seconds)}`);
    const because = by === "replica" ? `the furthest replica may lag: ${told.join(", ")}` : told.join(" + ");
    const from = by === "backups" ? " from backups" : by === "log" ? " from backups and their log" : "";
    return `${of}: ${objective}${from} bound ${formatDuration(seconds)} ${holds ? "within" : "exceeds"} ${formatDuration(promised)}, because ${because}`;
}

/** A source in words. */
export function tellSource(source: Source): string {
    switch (source.from) {
        case "declared":
            return `declared in ${source.where}`;
        case "published":
            return `published: ${source.says} (${source.url})`;
        case "measured":
            return `measured: ${source.where}`;
    }
}
