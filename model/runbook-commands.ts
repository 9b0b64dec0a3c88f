import type { Estate } from "./estate.ts";
import { names } from "./names.ts";
import type { StepName } from "./plan.ts";

/** What a person types for a step: to have it done, and, where a command can show it, to see that it is done. */
export interface StepCommands {
    command: string;
    look?: string;
}

const resume = "lifeboat activate --resume";

/** The commands of a step. A new step does not compile before it has some. */
export function stepCommands(estate: Estate, step: StepName): StepCommands {
    const name = names(estate, "");
    const kubectl = `kubectl --context standby -n ${name.namespace}`;
    const [service = "", declared] = Object.entries(estate.services)[0] ?? [];
    const users = `https://${name.serviceHost(service)}${declared?.healthPath ?? "/"}`;
    const standby = `https://${name.siteServiceHost(service, "standby")}${declared?.healthPath ?? "/"}`;
    const ask = (url: string) => `curl -sS -o /dev/null -w '%{http_code}\\n' ${url}`;
    if (step.startsWith("promote:")) {
        const store = step.slice("promote:".length);
        return { command: resume, look: `${kubectl} exec ${store}-0 -c guard -- lifeboat guard ${store} --status` };
    }
    switch (step as Exclude<StepName, `promote:${string}`>) {
        case "detect":
            return { command: "lifeboat status", look: ask(users) };
        case "decide":
            return { command: "lifeboat activate --plan" };
        case "claim":
            return { command: resume, look: "lifeboat epoch" };
        case "fence":
            return { command: resume, look: "lifeboat journal" };
        case "scale":
            return { command: resume, look: `${kubectl} get deployments,cronjobs` };
        case "verify":
            return { command: resume, look: ask(standby) };
        case "latch":
            return { command: resume, look: "lifeboat latch" };
        case "dns":
            return { command: `dig +short ${name.serviceHost(service)}`, look: `dig +short ${name.siteServiceHost(service, "standby")}` };
        case "answer":
            return { command: ask(users), look: "lifeboat status" };
    }
}
