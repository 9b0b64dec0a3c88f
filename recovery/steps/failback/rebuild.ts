import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../../model/failure.ts";
import type { UndoableEffect } from "../../activation.ts";
import type { Pulumi } from "../../pulumi.ts";
import { askStatus } from "../../guard.ts";
import { hasEndedHere } from "../../runner.ts";
import { freeStack } from "../free-stack.ts";
import { nothingToUndo } from "../nothing.ts";
import type { Side } from "./side.ts";

/**
 * `pulumi up` of the returned site's whole stack, then waits until the guard of each store answers. The program reads the epoch: the site stays passive.
 * Unlike an activation it leaves locks alone: there is time to ask who holds them. But for the one that this very step left when it was killed: a resumed run, on the same machine,
 * sees that its process is gone.
 * @param begunBefore whether a run before this one may have been in the middle of it
 * @throws Failure("refused") while somebody holds the stack
 */
export function rebuildStep(
    pulumi: Pulumi,
    stack: string,
    stores: readonly string[],
    { guard }: Side,
    begunBefore: boolean,
): UndoableEffect {
    return {
        ...nothingToUndo,
        async apply({ signal, note }) {
            const lock = await pulumi.lock(stack);
            if (lock && !(begunBefore && hasEndedHere(lock)))
                throw new Failure(
                    "refused",
                    `an update holds the stack ${stack}: ${lock.by} on ${lock.host}, process ${lock.pid}, since ${lock.since}`,
                    `wait for it; where it is dead, \`pulumi cancel ${stack}\`, and \`pulumi refresh -s ${stack}\` for what it left half done`,
                );
            if (lock) await freeStack(pulumi, stack, { signal, note });
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
