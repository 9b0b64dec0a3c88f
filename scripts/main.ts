import { existsSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { EstateError } from "../model/estate.ts";
import { Failure, exitCodes } from "../model/failure.ts";
import { awsFailure, isCallToAws } from "../recovery/answers.ts";
import { commands, type CommandName } from "./commands.ts";
import { estateFailure } from "./estate-source.ts";
import { handleInterruption, interruption } from "./interruption.ts";
import { hasPrinted, note, paint, print } from "./output.ts";

const exitCodeHelp = `
Exit codes:
  0    done, and every objective holds
  1    it ran, and the answer is no
  2    the command line or the estate is wrong; nothing was touched
  3    something this machine needs is missing
  4    refused: going on would break a promise or make a second writer
  5    a region, server or service does not answer
  70   a fault in lifeboat itself
  130  stopped with Ctrl-C`;

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);

/** Gives a command, and those below it, the help and the errors that all share. */
function dress(command: Command): void {
    command.exitOverride().showSuggestionAfterError().addHelpText("after", exitCodeHelp);
    command.commands.forEach(dress);
}

/** The command line with the one command that is asked for; the others are there by name only. */
async function commandLine(argv: readonly string[]): Promise<Command> {
    const program = new Command("lifeboat")
        .description("Disaster recovery as code: declare a promise, protect it, and prove a recovery.")
        .version("0.1.0")
        .usage("COMMAND [options]");
    const asked = argv.find((argument) => !argument.startsWith("-"));
    const wanted = asked === "help" ? argv[argv.indexOf(asked) + 1] : asked;
    for (const [name, summary] of Object.entries(commands)) {
        const real = name === wanted && isCommand(name);
        program.addCommand(real ? await load(name) : new Command(name).description(summary));
    }
    dress(program);
    return program;
}

async function load(name: CommandName): Promise<Command> {
    const module = new URL(`commands/${name}.ts`, import.meta.url);
    if (!existsSync(module))
        throw new Failure(
            "prerequisite",
            `this installation has no \`${name}\``,
            "run it in a clone of the repository: images hold no sandbox",
        );
    const { command } = (await import(module.href)) as { command: Command };
    // One wording: the list's. A command's own page may say more.
    if (!command.summary()) command.summary(commands[name]);
    return command;
}

/** Says what went wrong and what to do next, and gives the exit code. */
function report(error: unknown, json: boolean): number {
    if (error instanceof CommanderError) {
        // Help and version end this way too. Commander has said what was wrong already.
        if (error.exitCode === 0) return exitCodes.ok;
        if (json && !hasPrinted()) print({ failure: { exit: "usage", message: error.message } });
        return exitCodes.usage;
    }
    // What a stopped child says of it is no news.
    if (interruption.aborted && !(error instanceof Failure && error.exit === "interrupted")) return exitCodes.interrupted;
    if (error instanceof EstateError) return say("usage", error.message, "correct stacks/estate.ts", json);
    if (error instanceof Failure) return say(error.exit, error.message, error.next, json, error);
    if (isCallToAws(error)) {
        const failure = awsFailure(error, "a call to AWS");
        return say(failure.exit, failure.message, failure.next, json);
    }
    const ofEstate = estateFailure(error);
    if (ofEstate) return say(ofEstate.exit, ofEstate.message, ofEstate.next, json);
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return say("fault", stack, "this is a fault in lifeboat: report it with the lines above", json);
}

function say(exit: keyof typeof exitCodes, message: string, next: string, json: boolean, error?: Error): number {
    note(`${paint("red", "lifeboat:", process.stderr)} ${message}`);
    const why = error?.cause instanceof Error ? error.cause.message : String(error?.cause ?? "");
    // Many a message ends in its cause's.
    if (!message.includes(why)) note(`  because ${why}`);
    note(`  next: ${next}`);
    if (json && !hasPrinted()) print({ failure: { exit, message, next } });
    return exitCodes[exit];
}

handleInterruption();
const argv = process.argv.slice(2);
const json = argv.includes("--json");
let code: number;
try {
    const program = await commandLine(argv);
    if (argv.length === 0) program.help({ error: true });
    await program.parseAsync(argv, { from: "user" });
    code = typeof process.exitCode === "number" ? process.exitCode : exitCodes.ok;
} catch (error) {
    code = report(error, json);
}
// An interruption ends the process itself, once the clean-ups are done.
if (!interruption.aborted) process.exit(code);
