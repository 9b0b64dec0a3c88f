import type { Estate } from "../estate.ts";
import type { FailbackStep } from "../failback.ts";
import { looks } from "./looks.ts";
import type { StepCommands } from "./steps.ts";

const resume = "lifeboat failback --resume";

/** The commands of a step of the way back. A new step does not compile before it has some. */
export function failbackCommands(estate: Estate, step: FailbackStep): StepCommands {
    const look = looks(estate);
    const [[users = ""], [primary = ""]] = [look.users, look.site("primary")];
    const [kind = "", store = ""] = step.split(":");
    switch (kind as KindOf<FailbackStep>) {
        case "check":
            return { command: resume, look: "lifeboat status" };
        case "rebuild":
            return { command: resume, look: `${look.kubectl("primary")} get pods` };
        case "aside":
            return { command: resume, look: "lifeboat journal" };
        case "rejoin":
        case "catch-up":
        case "promote":
            return { command: resume, look: look.guard("primary", store) };
        case "follow":
            return { command: resume, look: "lifeboat status" };
        case "claim":
            return { command: resume, look: "lifeboat epoch" };
        case "fence":
            return { command: resume, look: "lifeboat journal" };
        case "scale":
            return { command: resume, look: look.capacity("primary") };
        case "latch":
            return { command: resume, look: "lifeboat latch" };
        case "verify":
            return { command: resume, look: primary };
        case "dns":
            return { command: look.addresses[0] ?? "", look: look.siteAddresses("primary")[0] ?? "" };
        case "answer":
            return { command: users, look: "lifeboat status" };
        case "retire":
            return { command: resume, look: look.capacity("standby") };
        case "protect":
            return { command: resume, look: look.guard("standby", store) };
    }
}

/** "promote:orders-mysql" is of the kind "promote". */
type KindOf<Name extends string> = Name extends `${infer Kind}:${string}` ? Kind : Name;
