import { engineHere } from "../engines.ts";
import type { SiteName } from "../../model/estate.ts";
import { names } from "../../model/names.ts";
import { sandboxAccount } from "../addresses.ts";
import type { Attempt, Sandbox } from "../sandbox.ts";
import { auditLine, type AuditLine } from "./calls.ts";
import type { Row } from "./comparison.ts";
import type { Crowd } from "./crowd.ts";
import { inside } from "./harness.ts";
import type { JobResult } from "./inside/jobs.ts";
import type { LedgerLine } from "./ledger.ts";
import { tellJobs } from "./opening.ts";
import { jobsOf } from "./protect.ts";
import { journaledSteps, leftToActivate, modelledSpans, untilDetected, untilServed, type Recovery } from "./recover.ts";
import { limits, type Stage } from "./stage.ts";

export interface Takeover {
    recovery: Recovery;
    /** Who called whom from the loss until all were served again. */
    tried: { audit: AuditLine[]; attempts: Attempt[] };
    restored: JobResult[];
}

/** From a primary that nobody outside reaches any more to customers who are served by the standby; a restore drill runs beside it. */
export async function takeOver(stage: Stage, crowd: Crowd, lossAt: number): Promise<Takeover> {
    const { sandbox, estate, service, fast, problems, note } = stage;
    const { run } = stage.phases;
    const { objective } = estate.services[service]!;
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
        () => stage.activate(sandbox, note, leftToActivate(estate, objective.rto, before, fast)),
        ({ exitCode }) => (exitCode === 0 ? "the standby is active" : `FAILED with ${exitCode}`),
    );
    if (detectedAt === undefined) problems.push("detect: the health checks never called the lost endpoint unhealthy");
    if (activation.exitCode !== 0) problems.push(`activation: ended with ${activation.exitCode}: ${activation.said}`);

    const drill = jobsOf(sandbox, "standby", "restore", limits.jobs).catch((error: unknown) => error as Error);
    const steps = await journaledSteps(sandbox);
    const recovery = await run(
        "serve",
        sandbox,
        () =>
            untilServed(
                sandbox,
                crowd,
                { ...before, activation: { ...activation, steps } },
                {
                    fast,
                    decisionSeconds: estate.decision,
                    objectiveSeconds: objective.rto,
                    modelled: modelledSpans(estate),
                    activated: activation.exitCode === 0,
                },
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
    return { recovery, tried, restored: restored instanceof Error ? [] : restored };
}

/** Sends the customers home, and reads what they were promised and what the databases of sites have. The ledgers come as one, in order of time. */
export const collect = (
    { sandbox, service, phases: { run } }: Stage,
    crowds: readonly Crowd[],
    sites: readonly SiteName[] = ["standby"],
): Promise<{ ledger: LedgerLine[]; rows: Record<string, Row[]> }> =>
    run(
        "compare",
        sandbox,
        async () => {
            const ledgers = await Promise.all(crowds.map((crowd) => crowd.stop()));
            return { ledger: ledgers.flat().sort((a, b) => a.mono - b.mono), rows: await readRows(sandbox, service, sites) };
        },
        ({ rows }) =>
            Object.entries(rows)
                .map(([store, read]) => `${store} ${read.length} rows`)
                .join(", "),
    );

/** Who called whom so far: what came through the gate, and what vanished. */
export async function readCalls(sandbox: Sandbox): Promise<Takeover["tried"]> {
    const [audit, attempts] = await Promise.all([sandbox.control("gate", "GET", "/audit"), sandbox.attempts()]);
    return { audit: auditLine.array().parse(audit), attempts };
}

/** Rows by store; of several sites by "SITE STORE". */
async function readRows(sandbox: Sandbox, service: string, sites: readonly SiteName[]): Promise<Record<string, Row[]>> {
    const { estate } = sandbox;
    const own = names(estate, sandboxAccount);
    const stores = sites.flatMap((site) =>
        estate.services[service]!.needs.map((store) => {
            const declared = estate.stores[store]!;
            const kind = engineHere(declared);
            const { database } = declared;
            const name = sites.length > 1 ? `${site} ${store}` : store;
            return { store: name, kind, database, host: own.siteStoreHost(store, site), secret: own.storeSecret(store) };
        }),
    );
    return inside(sandbox, "rows", { region: estate.sites.standby.region, stores });
}
