import type { Estate } from "./estate.ts";
import { regionLossPlan, type RecoveryPlan } from "./plan.ts";

/** Every scenario that has a plan. What is executed, printed and written into a runbook is made here. */
export const plans = { "region-loss": (estate: Estate) => regionLossPlan(estate) } as const satisfies Record<
    RecoveryPlan["scenario"],
    (estate: Estate) => RecoveryPlan
>;

export const scenarios = Object.keys(plans) as RecoveryPlan["scenario"][];
