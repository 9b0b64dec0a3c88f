import { Failure } from "../../../model/failure.ts";
import type { UndoableEffect } from "../../activation.ts";
import { askStatus } from "../../guard.ts";
import { nothingToUndo } from "../nothing.ts";
import type { Side } from "./side.ts";

/**
 * Whether it makes sense to begin: the standby serves, the primary's cluster answers, and no server there takes writes. A server of the primary that does not answer yet is the
 * rebuilding's to bring up.
 * @throws Failure("refused") where the standby does not serve or a server of the primary is writable
 */
export function checkStep(stores: readonly string[], primary: Side, standby: Side): UndoableEffect {
    return {
        ...nothingToUndo,
        async apply({ signal, note }) {
            await primary.workloads.reach(signal);
            const there = await Promise.all(
                stores.map(async (store) => {
                    const { role } = await standby.guard.status(store, signal);
                    if (role !== "writable")
                        throw new Failure(
                            "refused",
                            `${store} in the standby is ${role}: the standby does not serve, so there is nothing to hand over`,
                            "run `lifeboat status`",
                        );
                    const old = await askStatus(primary.guard, store, signal);
                    if (typeof old === "string") {
                        note(`not there yet: ${old}`);
                        return [store, "silent"] as const;
                    }
                    if (old.role === "writable" || old.role === "half-open")
                        throw new Failure(
                            "refused",
                            `${store} in the primary is ${old.role}, though the standby is active`,
                            `see why its guard does not close it: kubectl --context ${primary.workloads.context} logs ${store}-0 -c guard`,
                        );
                    return [store, old.role] as const;
                }),
            );
            return { primary: Object.fromEntries(there) };
        },
    };
}
