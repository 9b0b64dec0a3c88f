import type { Effect } from "../activation.ts";
import type { Guard } from "../guard.ts";

/** The point of no return: makes a store's replica writable, in place. The guard asks the epoch itself before it does. */
export function promoteStep(guard: Guard, store: string): Effect {
    return {
        async apply({ signal }) {
            return { ...(await guard.promote(store, signal)) };
        },
    };
}
