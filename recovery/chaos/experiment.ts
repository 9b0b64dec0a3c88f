import { setTimeout as sleep } from "node:timers/promises";
import { faultSlack, feltIn, reasonsAgainst, recoveryLimit, type ChaosRecord, type Felt, type Look } from "../../model/chaos.ts";
import type { Estate } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { names } from "../../model/names.ts";
import type { Readiness } from "../../model/readiness.ts";
import { formatDuration, seconds, type Seconds } from "../../model/units.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import { httpsStatus } from "../steps/verify.ts";
import { claimExperiment } from "./record.ts";
import type { ChaosSite, PodFacts } from "./site.ts";

export interface ExperimentOptions {
    estate: Estate;
    bucket: CoordinationBucket;
    cluster: ChaosSite;
    wanted: Pick<ChaosRecord, "experiment" | "site" | "target" | "reason">;
    /** How long the fault lasts; 0 for a pod's death. */
    span: Seconds;
    /** Arguments of `lifeboat` in the fault's Job. */
    faultArguments(servers: readonly string[], port: number): string[];
    readiness(): Promise<Readiness>;
    /** Asks a URL for its status. @default httpsStatus */
    status?: typeof httpsStatus;
    /** From 0 to 1: which pod of several. */
    draw: () => number;
    note: (line: string) => void;
    signal: AbortSignal;
}

export interface Outcome {
    experiment: ChaosRecord;
    beganAt: string;
    endedAt: string;
    /** What the fault's own program counted. */
    fault: Record<string, unknown>;
    /** What users met from its beginning until they were served again. */
    felt: Felt;
    /** From the pod's death, or the fault's end. Null where it was not so within the limit. */
    recovered: { served: Seconds | null; protected: Seconds | null };
}

/** In ms. */
const limits = { start: 60_000, recovery: recoveryLimit * 1000, pause: 500 };

/**
 * Runs one experiment: claims the right to it, breaks what is to be broken, watches what users meet, and times how long it takes until they are served and the
 * replicas have caught up again. Whatever ends it, it cleans up; where it is killed, the fault ends by itself and `lifeboat chaos clean` takes the rest away.
 * @throws Failure "refused" while another experiment is under way
 */
export async function runExperiment(options: ExperimentOptions): Promise<Outcome> {
    const { bucket, cluster, wanted, span, note, signal } = options;
    const pods = await cluster.podsOf(wanted.target);
    const before = new Set(reasonsAgainst(await options.readiness()));
    if (pods.length === 0) throw new Failure("refused", `no pod of ${wanted.target} runs in the ${wanted.site}`, "lifeboat status");
    const held = await claimExperiment(bucket, wanted, span);
    const watch = watchUsers(options);
    try {
        const fault = wanted.experiment === "pod" ? await killOne(options, pods) : await runFault(options, held.record.id, pods);
        note(`the fault is over after ${formatDuration(seconds((fault.endedAt - fault.beganAt) / 1000))}; waiting until all is well again`);
        const since = wanted.experiment === "pod" ? fault.beganAt : fault.endedAt;
        const served = await until(limits.recovery, signal, async () => {
            const now = await cluster.podsOf(wanted.target);
            const whole = now.filter(({ ready, uid }) => ready && uid !== fault.killed).length >= pods.filter(({ ready }) => ready).length;
            return whole && watch.servedSince(since);
        });
        const looks = watch.looks().filter(({ at, ms }) => at + ms >= fault.beganAt);
        if (served !== undefined) note(`served again after ${formatDuration(seconds((served - since) / 1000))}`);
        // What was wrong before the experiment is not its doing.
        const caughtUp = await until(limits.recovery, signal, async () =>
            reasonsAgainst(await options.readiness()).every((reason) => before.has(reason)),
        );
        const after = (at: number | undefined) => (at === undefined ? null : seconds(Math.max(0, at - since) / 1000));
        return {
            experiment: held.record,
            beganAt: new Date(fault.beganAt).toISOString(),
            endedAt: new Date(fault.endedAt).toISOString(),
            fault: fault.said,
            felt: feltIn(looks),
            recovered: { served: after(served), protected: after(caughtUp) },
        };
    } finally {
        await watch.stop();
        await cluster.clean(held.record.id);
        await held.end();
    }
}

interface Fault {
    beganAt: number;
    endedAt: number;
    said: Record<string, unknown>;
    /** Uid of the pod that was killed. */
    killed?: string;
}

async function killOne({ cluster, draw, note }: ExperimentOptions, pods: readonly PodFacts[]): Promise<Fault> {
    const pod = pods[Math.min(Math.floor(draw() * pods.length), pods.length - 1)]!;
    const beganAt = Date.now();
    await cluster.deletePod(pod);
    note(`deleted ${pod.name}, one of ${pods.length}`);
    return { beganAt, endedAt: Date.now(), said: { pod: pod.name, of: pods.length }, killed: pod.uid };
}

async function runFault(options: ExperimentOptions, id: string, pods: readonly PodFacts[]): Promise<Fault> {
    const { cluster, wanted, span, faultArguments, note, signal } = options;
    const { labels, port } = await cluster.serviceOf(wanted.target);
    const args = faultArguments(
        pods.filter(({ ready }) => ready).map(({ address }) => `${address}:${port}`),
        port,
    );
    await cluster.startJob({
        id,
        args,
        span,
        ...(wanted.experiment === "connections" ? { passwordsOf: wanted.target } : { joins: { labels, port } }),
    });
    let last: Awaited<ReturnType<ChaosSite["jobState"]>> = { state: "starting" };
    const is = async (...states: (typeof last.state)[]) => states.includes((last = await cluster.jobState(id)).state);
    const beganAt = await until(limits.start, signal, () => is("running", "over", "gone"));
    if (beganAt === undefined || last.state === "gone")
        throw new Failure("unavailable", `the fault did not start: ${last.why ?? last.state}`, `kubectl --context ${wanted.site} get pods`);
    note(`${wanted.experiment} of ${wanted.target} began; it ends by itself in ${formatDuration(span)}`);
    const endedAt = await until((span + faultSlack) * 1000 + limits.start, signal, () => is("over", "gone"));
    const said = (await cluster.jobLog(id)).trim();
    if (endedAt === undefined || last.why !== undefined)
        throw new Failure(
            "unavailable",
            `the fault did not end well: ${last.why ?? last.state}: ${said.split("\n")[0]}`,
            "lifeboat chaos clean",
        );
    return { beganAt, endedAt, said: counted(said) };
}

/** The one document that the fault's program printed. */
function counted(said: string): Record<string, unknown> {
    try {
        return JSON.parse(said.slice(said.indexOf("{"))) as Record<string, unknown>;
    } catch (error) {
        throw new Failure("unavailable", `the fault did not say what it did: ${said.slice(-200)}`, "repeat the experiment", {
            cause: error,
        });
    }
}

/** When it first holds, ms since 1970; undefined where it does not within `limit` ms. @throws what `signal` was aborted with */
async function until(limit: number, signal: AbortSignal, holds: () => Promise<boolean>): Promise<number | undefined> {
    for (const end = Date.now() + limit; Date.now() < end; await sleep(limits.pause, undefined, { signal }).catch(() => undefined)) {
        signal.throwIfAborted();
        if (await holds()) return Date.now();
    }
    return undefined;
}

/** Asks the services that the target carries, under the names that users know, again and again. */
function watchUsers({ estate, wanted, status = httpsStatus, signal }: ExperimentOptions) {
    const host = names(estate, "").serviceHost;
    const urls = Object.entries(estate.services)
        .filter(([service, { needs }]) => service === wanted.target || needs.includes(wanted.target))
        .map(([service, { healthPath }]) => `https://${host(service)}${healthPath}`);
    const looks: Look[] = [];
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    const ask = async (url: string) => (await status(url, ended).catch(() => 0)) === 200;
    const watching = (async () => {
        while (!ended.aborted) {
            const at = Date.now();
            const ok = (await Promise.all(urls.map(ask))).every(Boolean);
            if (!ended.aborted) looks.push({ at, ok, ms: Date.now() - at });
            await sleep(limits.pause / 2, undefined, { signal: ended }).catch(() => undefined); // the loop's own condition tells
        }
    })();
    return {
        looks: (): readonly Look[] => looks,
        /** Whether the newest look began after this moment and was answered well. */
        servedSince: (moment: number): boolean => looks.at(-1)?.ok === true && looks.at(-1)!.at >= moment,
        stop: () => {
            over.abort();
            return watching;
        },
    };
}
