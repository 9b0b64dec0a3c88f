import { createInterface } from "node:readline/promises";
import type { Plan } from "../model/plan.ts";
import { Failure } from "../model/failure.ts";
import { interruption } from "./interruption.ts";

/**
 * Asks a person to type the name of the site, or the region, that is to be active: `Type standby or us-west-2 to go on`.
 * @param what what it is that goes on then, as a sentence
 * @throws Failure "refused" for anything else
 */
export async function confirmSite(what: string, { active }: Pick<Plan, "active">, region: string): Promise<void> {
    const dialogue = createInterface({ input: process.stdin, output: process.stderr });
    try {
        const typed = (await dialogue.question(`\n${what} Type ${active} or ${region} to go on: `, { signal: interruption })).trim();
        if (typed !== active && typed !== region)
            throw new Failure(
                "refused",
                `"${typed}" is neither ${active} nor ${region}; nothing was done`,
                "repeat the command if you meant it",
            );
    } finally {
        dialogue.close();
    }
}
