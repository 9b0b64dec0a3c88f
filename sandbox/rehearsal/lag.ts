import { setTimeout as sleep } from "node:timers/promises";
import { names } from "../../model/names.ts";
import { sandboxAccount } from "../addresses.ts";
import type { Sandbox } from "../sandbox.ts";
import { inside } from "./harness.ts";
import type { LagReading } from "./series.ts";

/** Pause between two readings, milliseconds: each takes a process in every replica's pod, which costs this machine more than it costs a cluster. */
const pauseMs = 2000;

/** Readings of the replicas' lag, while they are taken. Disposing of it ends the readings too, for a rehearsal that breaks off. */
export interface LagWatch extends Disposable {
    /** Ends the readings and gives them. @throws whatever ended them early */
    stop(): Promise<LagReading[]>;
}

/** Asks the standby's guards how far their replicas are behind, until it is stopped. A guard that does not say is null. */
export function watchLag(sandbox: Sandbox): LagWatch {
    const { promise: told, resolve: tell } = Promise.withResolvers<void>();
    let over = false;
    const end = () => {
        over = true;
        tell();
    };
    const stores = Object.keys(sandbox.estate.stores);
    const { namespace } = names(sandbox.estate, sandboxAccount);
    const watch = async (): Promise<LagReading[]> => {
        const readings: LagReading[] = [];
        while (!over) {
            const { statuses } = await inside(sandbox, "guards", { context: "standby", namespace, stores });
            const at = Date.now();
            for (const store of stores) readings.push({ store, at, lagSeconds: statuses[store]?.lagSeconds ?? null });
            await Promise.race([sleep(pauseMs, undefined, { ref: false }), told]);
        }
        return readings;
    };
    const watching = watch();
    watching.catch(end); // `stop` hands it on; a rehearsal that breaks off before has an error of its own
    return {
        [Symbol.dispose]: end,
        stop() {
            end();
            return watching;
        },
    };
}
