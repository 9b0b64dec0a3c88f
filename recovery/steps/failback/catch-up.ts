import { setTimeout as sleep } from "node:timers/promises";
import type { StoreKind } from "../../../stores/kind.ts";
import type { UndoableEffect } from "../../activation.ts";
import { nothingToUndo } from "../nothing.ts";
import type { Side } from "./side.ts";

/**
 * Waits until the replica has applied everything that the closed server holds: its position, not its lag, which is zero whenever nothing arrives. Nothing that was acknowledged
 * lies behind that position, because the server took no write any more when it was asked.
 */
export function catchUpStep(store: string, kind: StoreKind, from: Side, to: Side): UndoableEffect {
    return {
        ...nothingToUndo,
        async apply({ signal, note }) {
            const closed = await from.guard.status(store, signal);
            // A writable server has no last position; the step is repeated until its limit, and the switch is undone.
            if (closed.role !== "read-only" || closed.position === undefined)
                throw new Error(`${store} in the ${from.site} is ${closed.role}, not closed`);
            for (let told = ""; ; await sleep(200, undefined, { signal })) {
                const { role, position, problem } = await to.guard.status(store, signal);
                if (role !== "replica") throw new Error(`${store} in the ${to.site} is ${role}, not a replica`);
                if (position !== undefined && kind.covers(position, closed.position))
                    return { closedAt: closed.position, appliedTo: position };
                if (problem !== undefined && problem !== told) note((told = problem));
            }
        },
    };
}
