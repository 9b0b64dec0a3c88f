import { estimateOf, forwardOnly, type Step } from "../plan.ts";
import { formatDuration } from "../units.ts";
import { chapter, sentence, shell } from "./markdown.ts";

/** What a person types for a step: to have it done, and, where a command can show it, to see that it is done. */
export interface StepCommands {
    command: string;
    look?: string;
}

/** How the steps of a plan are done by hand. */
export interface StepsOptions<Name extends string> {
    /** The plan's: those that can be undone, then those that cannot. */
    undoable: readonly Step<Name>[];
    forward: readonly Step<Name>[];
    commands: (step: Name) => StepCommands;
    /** The command that executes the plan, and gives it up. @default none: people do the steps one by one */
    executes?: string;
    /** What is to be known before the first step. */
    before: readonly string[];
}

/** Every step of a plan with what it does, how long, until when, what to type, and its undo. */
export function stepsChapter<Name extends string>(options: StepsOptions<Name>): string {
    const { undoable, forward, before, executes } = options;
    const told = [...undoable, ...forward].map((step, index) => {
        const barrier =
            index === undoable.length && executes !== undefined
                ? `> **Point of no return.** From here on nothing is undone. It is repeated until it is done: \`${executes} --resume\`.\n\n`
                : "";
        return barrier + tellStep(step, index + 1, options);
    });
    return chapter("The steps", ...before, ...told);
}

function tellStep<Name extends string>(step: Step<Name>, number: number, { commands, executes }: StepsOptions<Name>): string {
    const { command, look } = commands(step.name);
    const executed = step.by === "lifeboat" && executes !== undefined;
    const undo =
        step.undo === forwardOnly
            ? [`**Undo:** ${step.undo}.`]
            : [`**Undo:** ${step.undo.how}.`, ...(executed ? [shell(`${executes} --abort`)] : [])];
    return [
        `### ${number}. ${step.name} (${step.by})`,
        `${sentence(step.does)}.`,
        ...(step.decided === undefined ? [] : [`**Decided then:** ${step.decided}.`]),
        `**Expected:** ${formatDuration(estimateOf(step))}. **Given up after:** ${formatDuration(step.limit)}.`,
        executed ? `Done by \`${executes}\`. If it stopped here:` : "Type:",
        shell(command),
        ...(look === undefined ? [] : ["See that it is done:", shell(look)]),
        ...undo,
    ].join("\n\n");
}
