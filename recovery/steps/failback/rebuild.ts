import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../../model/failure.ts";
import type { UndoableEffect } from "../../activation.ts";
import type { Side } from "../../failback.ts";
import type { Pulumi } from "../../pulumi.ts";
import { askStatus } from "../../guard.ts";
import { nothingToUndo } from "../nothing.ts";

/**
 * `pulumi up` of the returned site's whole stack, then waits until the guard of each store answers. The program reads the epoch: the site stays passive.
 * Unlike an activation it leaves locks alone: there is time to ask who holds them.
 * @throws Failure("refused") while somebody holds the stack
 */
export function rebuildStep(pulumi: Pulumi, stack: string, stores: readonly string[], { guard }: Side): UndoableEffect {
    return {
        ...nothingToUndo,
        async apply({ signal, note }) {
            if (await pulumi.isLocked(stack))
                throw new Failure(
                    "refused",
                    `an update holds the stack ${stack}`,
                    `wait for it; where it is dead, \`pulumi cancel ${stack}\`, and \`pulumi refresh -s ${stack}\` for what it left half done`,
                );
            await pulumi.run(["up", "-s", stack, "--yes", "--skip-preview", "--suppress-outputs"], { signal, line: note });
            const roles = stores.map(async (store) => {
                for (let told = ""; ; await sleep(1_000, undefined, { signal })) {
                    const found = await askStatus(guard, store, signal);
                    if (typeof found !== "string") return [store, found.role] as const;
                    if (found !== told) note((told = found));
                }
            });
            return { roles: Object.fromEntries(await Promise.all(roles)) };
        },
    };
}
