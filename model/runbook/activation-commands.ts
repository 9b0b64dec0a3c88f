import type { Estate } from "../estate.ts";
import type { StepName } from "../plan.ts";
import { looks } from "./looks.ts";
import type { StepCommands } from "./steps.ts";

const resume = "lifeboat activate --resume";

/** The commands of a step. A new step does not compile before it has some. */
export function activationCommands(estate: Estate, step: StepName): StepCommands {
    const look = looks(estate);
    const [[users = ""], [standby = ""]] = [look.users, look.site("standby")];
    if (step.startsWith("promote:")) return { command: resume, look: look.guard("standby", step.slice("promote:".length)) };
    switch (step as Exclude<StepName, `promote:${string}`>) {
        case "detect":
            return { command: "lifeboat status", look: users };
        case "decide":
            return { command: "lifeboat activate --plan" };
        case "claim":
            return { command: resume, look: "lifeboat epoch" };
        case "fence":
            return { command: resume, look: "lifeboat journal" };
        case "scale":
            return { command: resume, look: look.capacity("standby") };
        case "verify":
            return { command: resume, look: standby };
        case "latch":
            return { command: resume, look: "lifeboat latch" };
        case "dns":
            return { command: look.addresses[0] ?? "", look: look.siteAddresses("standby")[0] ?? "" };
        case "answer":
            return { command: users, look: "lifeboat status" };
    }
}
