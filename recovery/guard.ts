import { z } from "zod";
import type { Estate } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import { serverRoles } from "../model/lease.ts";
import { names } from "../model/names.ts";
import { seedStates } from "./databases/marker.ts";
import { exitName, type Cluster } from "./cluster.ts";

const promoted = z.looseObject({ store: z.string(), promotedAt: z.string() });
const status = z.looseObject({
    role: z.enum(serverRoles),
    lagSeconds: z.number().nullable().optional(),
    heard: z.looseObject({ secondsAgo: z.number(), lagSeconds: z.number() }).optional(),
    /** Where its log stands: a GTID, or an LSN. */
    position: z.string().optional(),
    problem: z.string().optional(),
    /** What it holds that its replica does not. */
    unprotected: z.array(z.looseObject({ name: z.string(), why: z.string() })).optional(),
    /** What is known of the copy on its volume: see recovery/databases/marker.ts. */
    seed: z.enum(seedStates).optional(),
    lease: z
        .looseObject({
            state: z.enum(["unproven", "proven", "ceded"]),
            /** The highest that it was told of. */
            epoch: z.int(),
            secondsLeft: z.number(),
            silent: z.record(z.string(), z.string()),
        })
        .optional(),
});
const rejoined = z.looseObject({ way: z.enum(["followed already", "position", "copy"]), restart: z.boolean() });
export type Promoted = z.output<typeof promoted>;
export type GuardStatus = z.output<typeof status>;
export type Rejoined = z.output<typeof rejoined>;

/** The guard beside a store's server in one cluster, asked through the Kubernetes API. */
export interface Guard {
    /** Makes the replica writable. Harmless to repeat. @throws Failure "refused" where the guard's site is not the active one. */
    promote(store: string, signal: AbortSignal): Promise<Promoted>;
    status(store: string, signal: AbortSignal): Promise<GuardStatus>;
    /**
     * Makes the server a replica of the active site's. What it held alone is gone when it has to be copied. `restart`: its pod has to be replaced first.
     * @throws Failure "refused" where the guard's site is the active one, or its server is writable
     */
    rejoin(store: string, signal: AbortSignal): Promise<Rejoined>;
}

/** A guard is given so long (ms) to answer, where whoever asks goes on without the answer. */
const answerLimit = 5_000;

/** What a guard says, or why it says nothing. @throws what ends the signal */
export async function askStatus(guard: Guard, store: string, signal: AbortSignal): Promise<GuardStatus | string> {
    try {
        return await guard.status(store, AbortSignal.any([signal, AbortSignal.timeout(answerLimit)]));
    } catch (error) {
        signal.throwIfAborted();
        return (error as Error).message;
    }
}

/** The guards of an estate in a cluster: container `guard` of pod STORE-0. */
export function guardsIn(cluster: Cluster, estate: Estate): Guard {
    const namespace = names(estate, "").namespace;
    const ask = async <T>(store: string, flag: string, answer: z.ZodType<T>, signal: AbortSignal): Promise<T> => {
        const target = { namespace, pod: `${store}-0`, container: "guard" };
        const { code, stdout, stderr } = await cluster.execute(target, ["lifeboat", "guard", store, flag], signal);
        const next = `kubectl --context ${cluster.context} -n ${namespace} logs ${target.pod} -c guard`;
        if (code !== 0)
            throw new Failure(
                exitName(code),
                `the guard of ${store} says no to ${flag}: ${stderr.trim() || `it ended with ${code}`}`,
                next,
            );
        try {
            return answer.parse(JSON.parse(stdout));
        } catch (error) {
            throw new Failure("unavailable", `the guard of ${store} gave an answer that is none: ${stdout.trim().slice(0, 200)}`, next, {
                cause: error,
            });
        }
    };
    return {
        promote: (store, signal) => ask(store, "--promote", promoted, signal),
        status: (store, signal) => ask(store, "--status", status, signal),
        rejoin: (store, signal) => ask(store, "--rejoin", rejoined, signal),
    };
}
