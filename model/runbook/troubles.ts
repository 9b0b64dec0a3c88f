import { chapter, code, table } from "./markdown.ts";

/** What may be seen, and what to do. */
export type Trouble = readonly [seen: string, next: string];

const exitCodes =
    "Every message ends with `next:` and what to type. Exit codes: 1 the answer is no; 2 wrong command line; 3 this machine lacks something; 4 refused, it would make things worse; 5 something does not answer.";

export const troubleChapter = (troubles: readonly Trouble[]): string =>
    chapter("If something goes wrong", table(["what you see", "what to do"], troubles), exitCodes);

/** What may happen to any run that is journaled. `begin`: the command that executes the plan. */
export const runTroubles = (begin: string, withReason: string): readonly Trouble[] => [
    [
        "the command died, the laptop died, the network died",
        `${code(`${begin} --resume`)}, here or on another machine. What is done is not done twice`,
    ],
    [
        '"is being run by …" (exit 4)',
        `somebody else runs it: speak with them. If that run is dead: ${code(`${begin} --resume`)}; it listens for it first`,
    ],
    ["a step is repeated again and again", "it stops at its limit by itself and says why. Mend that, then resume"],
    ['"was given up … and undone"', `nothing has changed but the epoch's number. Mend what it says, then begin again: ${code(withReason)}`],
];
