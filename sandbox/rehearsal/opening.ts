import { setTimeout as sleep } from "node:timers/promises";
import type { RecoveryPoint } from "../../model/manifest.ts";
import type { Sandbox } from "../sandbox.ts";
import { crowdSize, sendCustomers, type Crowd, type CrowdName } from "./crowd.ts";
import type { JobResult } from "./inside/jobs.ts";
import { watchLag } from "./lag.ts";
import type { Loaded } from "./own-data/comparison.ts";
import { bringOwnData, tellLoaded } from "./own-data/own-data.ts";
import { catalog, jobsOf, untilCopied, untilProtected } from "./protect.ts";
import { provision } from "./provision.ts";
import type { LagReading } from "./series.ts";
import { limits, type Stage } from "./stage.ts";

/** Two sites that work, as they stand at the moment that the seed drew. */
export interface Opening {
    crowds: Crowd[];
    /** Verified recovery points, by store. */
    points: Record<string, RecoveryPoint[]>;
    lag: LagReading[];
    /** The user's own data, as the primary has it. */
    loaded?: Loaded;
}

/** From an empty cloud to the last moment before something happens: both sites stand, customers shop, and what was backed up is verified. */
export async function open(stage: Stage, crowdNames: readonly CrowdName[]): Promise<Opening> {
    const { sandbox, phases, note, draw, dump } = stage;
    const { run } = phases;
    await run("provision", sandbox, () => provision(sandbox, note), "bootstrap, dr, prod, dr");
    await run("replicate", sandbox, () => untilProtected(sandbox, limits.protected), "replicas follow, the endpoint is healthy");
    const loaded = dump && (await run("load", sandbox, () => bringOwnData(sandbox, dump, limits.protected), tellLoaded));
    const crowds = await run("customers", sandbox, () => openShops(stage, crowdNames), "customers are served");
    using lagWatch = watchLag(sandbox);
    await backUp(stage);
    const points = await catalog(sandbox);
    const delay = 1 + draw() * 9;
    await run("wait", sandbox, () => sleep(delay * 1000), "until the moment that the seed drew");
    return { crowds, points, lag: await lagWatch.stop(), ...(loaded ? { loaded } : {}) };
}

/** Backs every store up in the primary, and has the standby verify what was copied to it. */
export async function backUp({ sandbox, phases: { run }, problems }: Stage): Promise<void> {
    const backups = await run("backup", sandbox, () => jobsOf(sandbox, "primary", "backup", limits.jobs), tellJobs);
    const verified = await run("verify", sandbox, () => verifyCopies(sandbox), tellJobs);
    for (const job of [...backups, ...verified])
        if (!job.succeeded) problems.push(`${job.cronJob}: ${job.reason}; ${job.log.trim().split("\n").at(-1) ?? ""}`);
}

/** Checks what has been copied to the standby. Nothing is checked while copies are missing: the catalog will show it. */
const verifyCopies = async (sandbox: Sandbox): Promise<JobResult[]> =>
    (await untilCopied(sandbox, limits.copied)) ? jobsOf(sandbox, "standby", "verify", limits.jobs) : [];

/** Sends each crowd, and waits until all of its customers have been served. */
async function openShops({ sandbox, service, seed }: Stage, crowdNames: readonly CrowdName[]): Promise<Crowd[]> {
    const crowds = crowdNames.map((name) => sendCustomers(sandbox, name, service, seed));
    const isServed = (crowd: Crowd) =>
        new Set(crowd.read().flatMap((line) => (line.kind === "acknowledged" ? [line.client] : []))).size >= crowdSize.clients;
    for (const end = performance.now() + 30_000; performance.now() < end; await sleep(200)) if (crowds.every(isServed)) return crowds;
    const failures = crowds.flatMap((crowd) => crowd.read()).flatMap((line) => ("reason" in line ? [line.reason] : []));
    throw new Error(`customers were not served before the loss: ${failures.at(-1) ?? "they did not even try"}`);
}

/** What jobs came to, in words. */
export const tellJobs = (jobs: readonly JobResult[]) =>
    jobs.length === 0
        ? "the copies did not reach the standby"
        : jobs.map(({ cronJob, succeeded, seconds }) => `${cronJob} ${succeeded ? `${seconds.toFixed(1)} s` : "FAILED"}`).join(", ");
