import { Failure } from "../../model/failure.ts";
import { promotable } from "../../model/promotion.ts";
import type { UndoableEffect } from "../activation.ts";
import type { Pulumi, StackState } from "../pulumi.ts";
import { freeStack } from "./free-stack.ts";

/** What a promotion aims at in a stack's state: whatever the promotion diff allows to change. Retained or pending-delete copies of a resource are not it. */
export const promotionTargets = (state: StackState): string[] =>
    state.deployment.resources
        .filter((resource) => Object.hasOwn(promotable, resource.type) && resource["delete"] !== true)
        .map(({ urn }) => urn);

/**
 * `pulumi up` of a site's stack, aimed at what a promotion changes. The program reads the epoch, so this scales it to active or to passive. A dead
 * update's lock is cancelled and what it left pending is dropped; neither refresh nor policies nor a preview are waited for.
 */
export function scaleStep(pulumi: Pulumi, stack: string): UndoableEffect {
    return {
        async apply({ signal, note }) {
            const { state, cancelledLock, droppedOperations } = await freeStack(pulumi, stack, { signal, note });
            const targets = promotionTargets(state);
            if (targets.length === 0)
                throw new Failure(
                    "refused",
                    `the stack ${stack} has nothing that a promotion could scale`,
                    `it was never brought up, or this is another estate's state: look at \`pulumi stack -s ${stack}\``,
                );
            const aims = targets.flatMap((urn) => ["--target", urn]);
            await pulumi.run(["up", "-s", stack, "--yes", "--skip-preview", "--suppress-outputs", ...aims], { signal, line: note });
            return { cancelledLock, droppedOperations, targets: targets.length };
        },
        /** By then the epoch is still the standby's, so an update would only scale it up again: capacity follows with the next one. */
        async undo(context) {
            const { cancelledLock, droppedOperations } = await freeStack(pulumi, stack, context);
            context.note(`capacity that was added stays until the next \`pulumi up -s ${stack}\`, which goes by the epoch`);
            return { cancelledLock, droppedOperations, capacity: `left to pulumi up -s ${stack}` };
        },
    };
}
