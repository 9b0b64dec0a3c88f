import type { Estate } from "./estate.ts";
import { failbackPlan } from "./failback.ts";
import { regionLossPlan, type Plan, type PlannedScenario } from "./plan.ts";

/** Every scenario that has a plan. What is executed, printed and written into a runbook is made here. */
export const plans = {
    "region-loss": (estate: Estate) => regionLossPlan(estate),
    failback: failbackPlan,
} as const satisfies { [Scenario in PlannedScenario]: (estate: Estate) => Plan & { scenario: Scenario } };
