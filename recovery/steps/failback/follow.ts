import { setTimeout as sleep } from "node:timers/promises";
import type { Seconds } from "../../../model/units.ts";
import type { UndoableEffect } from "../../activation.ts";
import { nothingToUndo } from "../nothing.ts";
import type { Side } from "./side.ts";

/** Waits until every replica of a site is close behind its peer, all at once. */
export function followStep(stores: readonly string[], { guard }: Side, atMost: Seconds): UndoableEffect {
    return {
        ...nothingToUndo,
        async apply({ signal, note }) {
            for (let told = ""; ; await sleep(1_000, undefined, { signal })) {
                const found = await Promise.all(stores.map(async (store) => ({ store, ...(await guard.status(store, signal)) })));
                const behind = found.filter(
                    ({ role, lagSeconds }) => role !== "replica" || typeof lagSeconds !== "number" || lagSeconds > atMost,
                );
                if (behind.length === 0)
                    return { lagSeconds: Object.fromEntries(found.map(({ store, lagSeconds }) => [store, lagSeconds])) };
                const line = behind
                    .map(({ store, role, problem }) => `${store} is ${role}${problem === undefined ? " and behind" : `: ${problem}`}`)
                    .join("; ");
                if (line !== told) note((told = line));
            }
        },
    };
}
