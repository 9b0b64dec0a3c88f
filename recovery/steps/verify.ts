import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Estate, SiteName } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { names } from "../../model/names.ts";
import type { Effect } from "../activation.ts";
import type { Guard } from "../guard.ts";

/** One answer is waited for so long (ms): a pod that starts refuses at once, a lost packet hangs. */
const answerLimit = 2_000;
const pause = 300;

/** The status that a URL answers, checked against the trusted authorities. @throws where it does not answer in time. */
export function httpsStatus(url: string, signal: AbortSignal): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(answerLimit)]);
    // A connection of its own each time: one that was kept may lead to a pod that is gone.
    request(url, { signal: limit, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
    })
        .on("error", reject)
        .end();
    return promise;
}

/** Asks until the answer is 200, or `signal` ends it. @returns how many times it asked. @throws Failure with the last answer. */
async function untilHealthy(url: string, signal: AbortSignal, status: typeof httpsStatus): Promise<number> {
    let last = "nothing was asked";
    for (let asked = 1; !signal.aborted; asked++) {
        try {
            const code = await status(url, signal);
            if (code === 200) return asked;
            last = `it answers ${code}`;
        } catch (error) {
            last = (error as Error).message;
        }
        await sleep(pause, undefined, { signal }).catch(() => undefined); // the loop's own condition tells
    }
    throw new Failure("unavailable", `${url} is not healthy: ${last}`, "look at the pods of the service in that site's cluster");
}

/** Whether a site can serve: each service answers its health path under the site's own name, and each store that it needs is writable. */
export function verifyStep(estate: Estate, site: SiteName, guard: Guard, status: typeof httpsStatus = httpsStatus): Effect {
    const name = names(estate, "");
    return {
        async apply({ signal }) {
            const stores = [...new Set(Object.values(estate.services).flatMap(({ needs }) => needs))];
            const roles = stores.map(async (store) => {
                const { role } = await guard.status(store, signal);
                if (role !== "writable")
                    throw new Failure(
                        "unavailable",
                        `${store} is ${role}, not writable`,
                        `kubectl --context ${site} logs ${store}-0 -c guard`,
                    );
                return [store, role] as const;
            });
            const answers = Object.entries(estate.services).map(async ([service, { healthPath }]) => {
                const url = `https://${name.siteServiceHost(service, site)}${healthPath}`;
                return [service, { url, asked: await untilHealthy(url, signal, status) }] as const;
            });
            return { stores: Object.fromEntries(await Promise.all(roles)), services: Object.fromEntries(await Promise.all(answers)) };
        },
    };
}
