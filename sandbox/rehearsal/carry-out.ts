import { setTimeout as sleep } from "node:timers/promises";
import type { RebuildStep } from "../../model/standby-rebuild.ts";
import { unattended, type Operated } from "./provision.ts";

/** A person looks again after so long, milliseconds. */
const pause = 1_000;

/**
 * Types a runbook's command, again and again where the runbook says so, until it ends with 0.
 * @param limitMs for a command that is repeated
 * @throws Failure with the end of what it said last
 */
export async function carryOut(
    sandbox: Operated,
    { command, repeated }: Pick<RebuildStep, "command" | "repeated">,
    limitMs: number,
): Promise<void> {
    for (const end = performance.now() + limitMs; ; await sleep(pause))
        try {
            await unattended(sandbox, command);
            return;
        } catch (error) {
            if (!repeated || performance.now() > end) throw error;
        }
}
