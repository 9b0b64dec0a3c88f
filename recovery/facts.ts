import { Catalog } from "../backup/catalog.ts";
import { readRecord, troubleOf } from "../backup/log/record.ts";
import { siteNames, type Estate, type SiteName } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import type { LogRecord } from "../model/log-record.ts";
import type { RecoveryPoint } from "../model/manifest.ts";
import { coordination, names, witness as witnessKeys } from "../model/names.ts";
import type { Answer, Facts } from "../model/readiness.ts";
import { formatDuration, seconds } from "../model/units.ts";
import { clusterOf } from "./cluster.ts";
import type { CoordinationBucket } from "./conditional-bucket.ts";
import { coordinationOf, witnessOf } from "./coordination.ts";
import { parseEpoch, readEpoch } from "./epoch.ts";
import { guardsIn, type Guard } from "./guard.ts";
import { findUnfinished } from "./journal/journal.ts";
import { readLatch } from "./latch.ts";
import { isAlive } from "./runner.ts";
import { httpsStatus } from "./steps/verify.ts";

/** A question that has no answer after so long (ms) is shown as unanswered: a dead region keeps nobody waiting. */
export const answerLimit = 6_000;

/** Who is asked. Everything but a site's cluster and service, and the witness, is in the standby region. */
export interface Sources {
    estate: Estate;
    bucket: CoordinationBucket;
    witness: CoordinationBucket;
    /** The guards of a site. @throws Failure where this machine cannot reach its cluster at all. */
    guard(site: SiteName): Guard;
    newestPoint(store: string): Promise<RecoveryPoint | undefined>;
    /** What the verifier has seen of one history of a store's log; undefined where it has not looked yet. */
    log(store: string, history: string): Promise<LogRecord | undefined>;
    /** @default httpsStatus */
    status?: typeof httpsStatus;
}

/** The real ones: contexts `primary` and `standby` of the kubeconfig, and the standby's buckets. */
export function sourcesIn(estate: Estate, account: string): Sources {
    const catalog = new Catalog({ estate, account });
    return {
        estate,
        bucket: coordinationOf(estate, account),
        witness: witnessOf(estate, account),
        guard: (site) => guardsIn(clusterOf(site), estate),
        newestPoint: (store) => catalog.newest(store),
        log: (store, history) => readRecord({ estate, account, site: "standby" }, store, history),
    };
}

export interface GatherOptions {
    /**
     * Sites whose databases and services are asked.
     * @default both
     */
    sites?: readonly SiteName[];
    /**
     * In ms.
     * @default answerLimit
     */
    limit?: number;
}

/**
 * Asks everything that `judgeReadiness` needs, side by side, and is done within the limit whoever is dead: what was not answered says so.
 * Nothing is changed.
 * @example judgeReadiness(estate, await gatherFacts(sourcesIn(estate, account)))
 */
export async function gatherFacts(sources: Sources, { sites = siteNames, limit = answerLimit }: GatherOptions = {}): Promise<Facts> {
    const { estate, bucket, witness, guard, newestPoint, log, status = httpsStatus } = sources;
    const signal = AbortSignal.timeout(limit);
    const stores = Object.keys(estate.stores);
    const host = names(estate, "").siteServiceHost;
    const ask = <T>(question: () => Promise<T>) => answered(question, signal, limit);

    const databasesIn = (site: SiteName) =>
        byName(sites.includes(site) ? stores : [], (store) =>
            ask(async () => {
                const { role, lagSeconds, heard, lease, problem, unprotected = [] } = await guard(site).status(store, signal);
                return {
                    role,
                    lagSeconds: lagSeconds ?? null,
                    ...(heard === undefined ? {} : { heard }),
                    ...(lease === undefined ? {} : { lease }),
                    ...(problem === undefined ? {} : { problem }),
                    ...(unprotected.length === 0 ? {} : { unprotected }),
                };
            }),
        );
    const servicesIn = (site: SiteName) =>
        byName(sites.includes(site) ? Object.keys(estate.services) : [], (service) =>
            ask(() => status(`https://${host(service, site)}${estate.services[service]!.healthPath}`, signal)),
        );
    const built = (site: SiteName) => ask(async () => (await bucket.get(coordination.published(site))) !== undefined);
    const bySite = async <T>(of: (site: SiteName) => Promise<T>): Promise<Record<SiteName, T>> => {
        const [primary, standby] = await Promise.all([of("primary"), of("standby")]);
        return { primary, standby };
    };

    const [epoch, latch, fence, unfinished, sitesBuilt, databases, services, points] = await Promise.all([
        ask(async () => (await readEpoch(bucket)).record),
        ask(async () => (await readLatch(bucket)).record),
        ask(async () => {
            const stored = await witness.get(witnessKeys.fence);
            if (stored !== undefined) return parseEpoch(stored.text);
            throw new Failure("prerequisite", "it has no copy of the epoch record", "run `lifeboat bootstrap`");
        }),
        ask(async () => {
            const found = await findUnfinished(bucket);
            if (found === undefined) return undefined;
            const { activation, opened, runner, lastAt, left } = found.state;
            return { activation, scenario: opened.scenario, by: runner.by, lastAt, left: left !== undefined || isAlive(runner) === "no" };
        }),
        bySite(built),
        bySite(databasesIn),
        bySite(servicesIn),
        byName(stores, (store) =>
            ask(async () => {
                const found = await newestPoint(store);
                if (found === undefined) return undefined;
                const { manifest, copies } = found;
                const { point, startedAt } = manifest;
                const record = manifest.log && (await log(store, manifest.log.history));
                const logTrouble = manifest.log ? record && troubleOf(record, new Date()) : "does not go on from its newest point";
                return { point, startedAt, copies, ...(logTrouble === undefined ? {} : { logTrouble }) };
            }),
        ),
    ]);
    return { at: new Date().toISOString(), epoch, latch, witness: fence, unfinished, built: sitesBuilt, databases, services, points };
}

async function byName<T>(of: readonly string[], ask: (name: string) => Promise<T>): Promise<Record<string, T>> {
    return Object.fromEntries(await Promise.all(of.map(async (name): Promise<[string, T]> => [name, await ask(name)])));
}

/** The answer, or why there is none. Never later than the signal, whatever heeds it. */
async function answered<T>(question: () => Promise<T>, signal: AbortSignal, limit: number): Promise<Answer<T>> {
    const { promise, reject } = Promise.withResolvers<never>();
    const late = () =>
        reject(
            new Failure("unavailable", `no answer within ${formatDuration(seconds(limit / 1000))}`, "check the way there, then ask again"),
        );
    signal.addEventListener("abort", late, { once: true });
    try {
        return { value: await Promise.race([question(), promise]) };
    } catch (error) {
        if (error instanceof Failure) return { none: error.message, next: error.next };
        return { none: (error as Error).message, next: "check the way there, then ask again" };
    } finally {
        signal.removeEventListener("abort", late);
    }
}
