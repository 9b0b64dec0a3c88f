import { setTimeout as sleep } from "node:timers/promises";
import type { UndoableEffect } from "../../activation.ts";
import { askStatus } from "../../guard.ts";
import { nothingToUndo } from "../nothing.ts";
import type { Side } from "./side.ts";

const pause = 1_000;
/** A replica that has not heard from its peer for so long (ms) is taken to be broken: it is copied anew. */
const silence = 15_000;

/** Makes a passive site's server of a store a replica of the active site's, and waits until it hears from it. */
export function rejoinStep(store: string, { guard, workloads }: Side): UndoableEffect {
    return {
        ...nothingToUndo,
        async apply({ signal, note }) {
            for (const since = performance.now(); ; await sleep(pause, undefined, { signal })) {
                const { role, lagSeconds } = await guard.status(store, signal);
                if (role === "replica" && typeof lagSeconds === "number") return { way: "followed already" };
                if (role !== "replica" || performance.now() - since > silence) break;
            }
            const { way, restart } = await guard.rejoin(store, signal);
            note(way === "copy" ? "copies the active site's data" : "goes on from where it stands");
            if (restart) await workloads.replacePod(`${store}-0`, signal);
            const began = performance.now();
            for (let told = ""; ; await sleep(pause, undefined, { signal })) {
                // Its pod may be on its way down or up, and its first copy may fail and be made again.
                const found = await askStatus(guard, store, signal);
                if (typeof found !== "string" && found.role === "replica" && typeof found.lagSeconds === "number")
                    return { way, seconds: (performance.now() - began) / 1000 };
                const why = typeof found === "string" ? found : (found.problem ?? `it is ${found.role}`);
                if (why !== told) note((told = why));
            }
        },
    };
}
