import type { RunbookContents, RunbookOptions } from "./runbook/contents.ts";
import { failbackRunbook } from "./runbook/failback.ts";
import { partitionRunbook } from "./runbook/partition.ts";
import { regionLossRunbook } from "./runbook/region-loss.ts";
import { standbyLossRunbook } from "./runbook/standby-loss.ts";

/** Every scenario that has a runbook. Steps, estimates and undos are those of the plan that is executed, so that no page can say anything else. */
const runbooks = {
    "region-loss": regionLossRunbook,
    partition: partitionRunbook,
    "standby-loss": standbyLossRunbook,
    failback: failbackRunbook,
} as const satisfies Record<string, (options: RunbookOptions) => RunbookContents>;

export type RunbookScenario = keyof typeof runbooks;
export const scenarios = Object.keys(runbooks) as RunbookScenario[];

/**
 * The runbook of a scenario: its title, and its text as Markdown: detection, first actions, each step with its command and its undo, verification, escalation,
 * messages, and what comes after.
 * @example runbookText("region-loss", { estate, account: "123456789012" }).text
 */
export function runbookText(scenario: RunbookScenario, options: RunbookOptions): { title: string; text: string } {
    const { title, lead, chapters } = runbooks[scenario](options);
    return { title, text: [`# ${title}`, lead, ...chapters].join("\n\n") };
}
