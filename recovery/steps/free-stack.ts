import type { EffectContext } from "../activation.ts";
import type { Pulumi, StackState } from "../pulumi.ts";

/** Ends what is left of a dead update: its lock, and what it had pending. */
export async function freeStack(pulumi: Pulumi, stack: string, { signal, note }: EffectContext) {
    const cancelledLock = await pulumi.isLocked(stack);
    if (cancelledLock) {
        note("an update holds the stack; it cannot be alive, or must not be: its lock is cancelled");
        await pulumi.run(["cancel", stack, "--yes"], { signal });
    }
    const state = await pulumi.export(stack, { signal });
    const pending = state.deployment.pending_operations;
    if (pending.length > 0) {
        const left = pending.map(({ resource }) => resource.urn.split("::").at(-1));
        note(`what a dead update left pending is dropped: ${left.join(", ")}`);
        const { pending_operations: _, ...deployment } = state.deployment;
        await pulumi.import(stack, { ...state, deployment: { ...deployment } as StackState["deployment"] }, { signal });
    }
    return { state, cancelledLock, droppedOperations: pending.map(({ resource }) => resource.urn) };
}
