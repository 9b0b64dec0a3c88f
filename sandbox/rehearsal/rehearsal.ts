import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Estate } from "../../model/estate.ts";
import { names } from "../../model/names.ts";
import { sandboxAccount } from "../addresses.ts";
import { startSandbox, type Attempt, type Sandbox } from "../sandbox.ts";
import { assemble } from "./assemble.ts";
import { auditLine, type AuditLine } from "./calls.ts";
import { sendCustomers, type Crowd } from "./crowd.ts";
import { draws } from "./draw.ts";
import type { Evidence } from "./evidence.ts";
import { inside } from "./harness.ts";
import type { JobResult } from "./inside/jobs.ts";
import { watchLag } from "./lag.ts";
import type { Dump } from "./own-data/dump.ts";
import { bringOwnData, checkOwnData, tellLoaded } from "./own-data/own-data.ts";
import { Phases, type Sabotage } from "./phases.ts";
import { catalog, jobsOf, untilCopied, untilProtected } from "./protect.ts";
import { provision } from "./provision.ts";
import { activate, journaledSteps, leftToActivate, modelledSpans, untilDetected, untilServed, type Activate } from "./recover.ts";

export const scenarios = ["region-loss"] as const;
export type ScenarioName = (typeof scenarios)[number];

export interface RehearsalOptions {
    scenario: ScenarioName;
    estate: Estate;
    /** The repository to rehearse: it is copied, and left as it is. */
    source: string;
    /** Name of the sandbox. @default "rehearsal" */
    name?: string;
    /** Divides the sandbox's own clocks. @default 1 */
    fast?: number;
    /** Repeats the draws, not the machine's timing. @default drawn */
    seed?: number;
    /** A user's own data, loaded into the primary before the first backup. */
    dump?: Dump;
    /** Leave the sandbox standing. @default false */
    keep?: boolean;
    /** Folder that the evidence is written to. */
    evidenceDirectory: string;
    note?: (line: string) => void;
    signal?: AbortSignal;
    /** For tests: steps in before a phase. */
    sabotage?: Sabotage;
    /** For tests: another way to run the activation. */
    activate?: Activate;
    /** For tests: told of the sandbox once it stands, and asked before it ends. */
    afterwards?: (sandbox: Sandbox, found: Evidence) => Promise<void>;
}

/** Longest that the phases may take before the rehearsal gives up, milliseconds. */
const limits = { protected: 90_000, jobs: 120_000, copied: 30_000 };

/**
 * Rehearses a scenario from an empty cloud to a verdict, and writes the evidence.
 * @throws Failure or Error when it could not be rehearsed; an objective that is missed is no error, but a verdict.
 */
export async function rehearse(options: RehearsalOptions): Promise<{ evidence: Evidence; path: string }> {
    const { estate, source, name = "rehearsal", fast = 1, keep = false, note = () => {}, signal } = options;
    const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
    const phases = new Phases(note, { sabotage: options.sabotage, signal });
    const startedAt = new Date();
    note(`rehearsing ${options.scenario}, seed ${seed}${fast === 1 ? "" : `, sandbox clocks ${fast} times as fast`}`);
    const sandbox = await phases.time(
        "sandbox",
        () => startSandbox({ name, estate, source, fast, detached: keep, ...(signal ? { signal } : {}) }),
        "two regions stand",
    );
    try {
        const found = await rehearseIn(sandbox, phases, { ...options, fast, seed, startedAt });
        mkdirSync(options.evidenceDirectory, { recursive: true });
        const path = join(options.evidenceDirectory, `${startedAt.toISOString().replace(/[:.]/g, "-")}-${options.scenario}-${seed}.json`);
        writeFileSync(path, `${JSON.stringify(found, undefined, 2)}\n`);
        await options.afterwards?.(sandbox, found);
        return { evidence: found, path };
    } finally {
        if (!keep) await sandbox.stop();
    }
}

interface Context extends RehearsalOptions {
    fast: number;
    seed: number;
    startedAt: Date;
}

async function rehearseIn(sandbox: Sandbox, phases: Phases, context: Context): Promise<Evidence> {
    const { estate, fast, seed, note = () => {} } = context;
    const draw = draws(seed);
    const service = Object.keys(estate.services)[0]!;
    const { objective } = estate.services[service]!;
    const problems: string[] = [];

    const { run } = phases;
    await run("provision", sandbox, () => provision(sandbox, note), "bootstrap, dr, prod, dr");
    await run("replicate", sandbox, () => untilProtected(sandbox, limits.protected), "replicas follow, the endpoint is healthy");
    const { dump } = context;
    const loaded = dump && (await run("load", sandbox, () => bringOwnData(sandbox, dump, limits.protected), tellLoaded));
    const crowd = await run("customers", sandbox, () => openShop(sandbox, service, seed), "customers are served");
    using lagWatch = watchLag(sandbox);
    const backups = await run("backup", sandbox, () => jobsOf(sandbox, "primary", "backup", limits.jobs), tellJobs);
    const verified = await run("verify", sandbox, () => verifyCopies(sandbox), tellJobs);
    for (const job of [...backups, ...verified]) if (!job.succeeded) problems.push(`${job.cronJob}: ${job.reason}; ${lastLine(job.log)}`);
    const points = await catalog(sandbox);
    const delay = 1 + draw() * 9;
    await run("wait", sandbox, () => sleep(delay * 1000), "until the moment that the seed drew");
    const lag = await lagWatch.stop();

    const loss = await run(
        "lose",
        sandbox,
        () => sandbox.lose("primary"),
        ({ at }) => `the primary is gone at ${at}`,
    );
    const lossAt = Date.parse(loss.at);
    const { interval, threshold } = estate.traffic.healthCheck;
    const detectedAt = await run(
        "detect",
        sandbox,
        () => untilDetected(sandbox, lossAt, (interval * threshold * 3 * 1000) / fast + 5000),
        (at) => (at === undefined ? "NOT detected" : `unhealthy after ${((at - lossAt) / 1000).toFixed(1)} s`),
    );
    const before = { lossAt, ...(detectedAt === undefined ? {} : { detectedAt }) };
    const activation = await run(
        "activate",
        sandbox,
        () => (context.activate ?? activate)(sandbox, note, leftToActivate(estate, objective.rto, before, fast)),
        ({ exitCode }) => (exitCode === 0 ? "the standby is active" : `FAILED with ${exitCode}`),
    );
    if (detectedAt === undefined) problems.push("detect: the health checks never called the lost endpoint unhealthy");
    if (activation.exitCode !== 0) problems.push(`activation: ended with ${activation.exitCode}: ${activation.said}`);

    const drill = jobsOf(sandbox, "standby", "restore", limits.jobs).catch((error: unknown) => error as Error);
    const steps = await journaledSteps(sandbox);
    const modelled = modelledSpans(estate);
    const recovery = await run(
        "serve",
        sandbox,
        () =>
            untilServed(
                sandbox,
                crowd,
                { ...before, activation: { ...activation, steps } },
                { fast, decisionSeconds: estate.decision, objectiveSeconds: objective.rto, modelled, activated: activation.exitCode === 0 },
            ),
        ({ served, allServed }) => (allServed ? "every customer is served again" : `only ${served.length} customers are served again`),
    );
    const tried = await readCalls(sandbox);
    const restored = await run(
        "restore",
        sandbox,
        () => drill,
        (jobs) => (jobs instanceof Error ? jobs.message : tellJobs(jobs)),
    );
    if (restored instanceof Error) problems.push(`restore: ${restored.message}`);
    const { ledger, rows } = await run(
        "compare",
        sandbox,
        async () => {
            const ledger = await crowd.stop();
            return { ledger, rows: await readRows(sandbox, service) };
        },
        ({ rows }) =>
            Object.entries(rows)
                .map(([store, read]) => `${store} ${read.length} rows`)
                .join(", "),
    );
    const jobs = restored instanceof Error ? [] : restored;
    return assemble(context, {
        service,
        problems,
        lossAt,
        recovery,
        tried,
        ledger,
        rows,
        points,
        pointsNow: await catalog(sandbox),
        restored: jobs,
        ...(loaded ? { ownData: await checkOwnData(sandbox, loaded, jobs) } : {}),
        phases,
        lag,
    });
}

/** Checks what has been copied to the standby. Nothing is checked while copies are missing: the catalog will show it. */
const verifyCopies = async (sandbox: Sandbox): Promise<JobResult[]> =>
    (await untilCopied(sandbox, limits.copied)) ? jobsOf(sandbox, "standby", "verify", limits.jobs) : [];

/** Sends customers, and waits until each of them has been served. */
async function openShop(sandbox: Sandbox, service: string, seed: number): Promise<Crowd> {
    const crowd = sendCustomers(sandbox, "customers", service, seed);
    for (const end = performance.now() + 30_000; performance.now() < end; await sleep(200))
        if (new Set(crowd.read().flatMap((line) => (line.kind === "acknowledged" ? [line.client] : []))).size >= 4) return crowd;
    const failures = crowd.read().flatMap((line) => ("reason" in line ? [line.reason] : []));
    throw new Error(`customers were not served before the loss: ${failures.at(-1) ?? "they did not even try"}`);
}

async function readCalls(sandbox: Sandbox): Promise<{ audit: AuditLine[]; attempts: Attempt[] }> {
    const [audit, attempts] = await Promise.all([sandbox.control("gate", "GET", "/audit"), sandbox.attempts()]);
    return { audit: auditLine.array().parse(audit), attempts };
}

function readRows(sandbox: Sandbox, service: string) {
    const { estate } = sandbox;
    const own = names(estate, sandboxAccount);
    return inside(sandbox, "rows", {
        region: estate.sites.standby.region,
        stores: estate.services[service]!.needs.map((store) => {
            const { kind, database } = estate.stores[store]!;
            return { store, kind, database, host: own.siteStoreHost(store, "standby"), secret: own.storeSecret(store) };
        }),
    });
}

const lastLine = (log: string) => log.trim().split("\n").at(-1) ?? "";
const tellJobs = (jobs: readonly JobResult[]) =>
    jobs.length === 0
        ? "the copies did not reach the standby"
        : jobs.map(({ cronJob, succeeded, seconds }) => `${cronJob} ${succeeded ? `${seconds.toFixed(1)} s` : "FAILED"}`).join(", ");
