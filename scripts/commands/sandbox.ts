import { existsSync, writeFileSync } from "node:fs";
import { constants, homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { siteNames } from "../../model/estate.ts";
import { Failure, exitCodes } from "../../model/failure.ts";
import { places, type Place } from "../../sandbox/addresses.ts";
import { actorsWithNamespace } from "../../sandbox/network.ts";
import { attach, startSandbox, type ExecOptions, type Sandbox, type SandboxStatus } from "../../sandbox/sandbox.ts";
import { estate } from "../../stacks/estate.ts";
import { interruption, leaveInterruptsToChild } from "../interruption.ts";
import { note, paint, print, show } from "../output.ts";
import { ensureSetup } from "../setup/setup.ts";

const source = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

const factor = (text: string): number => {
    const value = Number(text);
    if (!(value >= 1 && value <= 60)) throw new InvalidArgumentError("it is a number from 1 to 60");
    return value;
};
const nameOption = () => new Option("--name <name>", "name of the sandbox; several may stand at once").default("default");
const jsonOption = () => new Option("--json", "print a JSON document on stdout");
const actorOption = () =>
    new Option("--as <actor>", "whose address the command's calls come from").choices(actorsWithNamespace).default("operator");

const suffix = (name: string) => (name === "default" ? "" : ` --name ${name}`);

const up = new Command("up")
    .description("Start two empty regions: AWS, a Kubernetes cluster a site, names; and leave them standing.")
    .addOption(nameOption())
    .option("--fast <factor>", "divide the intervals of health checkers and the TTL of DNS answers", factor, 1)
    .addOption(jsonOption())
    .action(async ({ name, fast, json }: { name: string; fast: number; json?: boolean }) => {
        await ensureSetup(note);
        const began = performance.now();
        const sandbox = await startSandbox({
            name,
            estate,
            source,
            fast,
            detached: true,
            note: (line) => note(`  ${line}`),
            signal: interruption,
        });
        note(`sandbox ${name} is up after ${((performance.now() - began) / 1000).toFixed(1)} s`);
        if (json) return print(document(sandbox, await sandbox.status()));
        show(
            [
                `primary  ${estate.sites.primary.region}   standby  ${estate.sites.standby.region}`,
                `checkout ${sandbox.checkout}`,
                "",
                "next:",
                `  ./lifeboat sandbox shell${suffix(name)}                 # in it: aws, kubectl, pulumi, dig, lifeboat`,
                `  ./lifeboat sandbox exec${suffix(name)} -- lifeboat bootstrap`,
                `  ./lifeboat sandbox exec${suffix(name)} -- pulumi up -s dr`,
                `  ./lifeboat sandbox exec${suffix(name)} -- kubectl --context primary get pods -A`,
                `  ./lifeboat sandbox down${suffix(name)}`,
            ].join("\n"),
        );
    });

const down = new Command("down")
    .description("End a sandbox and every process in it. Its logs stay until the next one of the name.")
    .addOption(nameOption())
    .addOption(jsonOption())
    .action(async ({ name, json }: { name: string; json?: boolean }) => {
        const sandbox = attach(name);
        await sandbox.stop();
        if (json) print({ name, phase: "down", directory: sandbox.directory });
        else show(`sandbox ${name} is down; its logs: ${join(sandbox.directory, "logs")}`);
    });

const status = new Command("status")
    .description("Show what runs in a sandbox. Exit code 1 when a daemon of a standing site has ended, 5 when there is no such sandbox.")
    .addOption(nameOption())
    .addOption(jsonOption())
    .action(async ({ name, json }: { name: string; json?: boolean }) => {
        const sandbox = attach(name);
        const state = await sandbox.status();
        if (json) print(document(sandbox, state));
        else show(table(state));
        const ended = state.daemons.some(
            (daemon) => daemon.state === "ended" && (!daemon.site || state.sites[daemon.site].state === "standing"),
        );
        process.exitCode = ended || state.phase === "failed" ? exitCodes.no : exitCodes.ok;
    });

/** A command that does something to a place of a sandbox, and tells when it was done. */
const disaster = <Where extends Place>(
    verb: string,
    where: readonly Where[],
    become: string,
    description: string,
    work: (sandbox: Sandbox, where: Where) => Promise<{ at: string }>,
): Command =>
    new Command(verb)
        .description(description)
        .addArgument(new Argument("<place>").choices(where))
        .addOption(nameOption())
        .addOption(jsonOption())
        .action(async (place: Where, { name, json }: { name: string; json?: boolean }) => {
            const { at } = await work(attach(name), place);
            if (json) print({ name, place, [verb]: at });
            else show(`${place}: ${become} since ${at}`);
        });

const lose = disaster(
    "lose",
    siteNames,
    "lost",
    "Take a region away: its packets vanish, then its processes are frozen and killed. Its disks stay.",
    (sandbox, site) => sandbox.lose(site),
);
const restore = disaster(
    "restore",
    siteNames,
    "back",
    "Bring a lost region back, with the disks that it had. Ends when its cluster serves again.",
    (sandbox, site) => sandbox.restore(site),
);
const cut = disaster(
    "cut",
    places,
    "cut off from everything else",
    "Cut a place off from all others, alive: what is inside goes on, and a site's own customers still reach it.",
    (sandbox, place) => sandbox.cut(place),
);
const heal = disaster("heal", places, "reached again", "End the cut of a place.", (sandbox, place) => sandbox.heal(place));

const exec = new Command("exec")
    .description(
        "Run a command in a sandbox: plain aws, kubectl, pulumi, dig, mariadb and lifeboat reach it with no endpoint setting.\n" +
            "The exit code is the command's. It runs in the sandbox's checkout, where this one's files are as they were at `up`.",
    )
    .usage("[options] -- COMMAND [ARGUMENTS...]")
    .argument("<command...>")
    .addOption(nameOption())
    .addOption(actorOption())
    .passThroughOptions()
    .action((command: string[], { name, as }: { name: string; as: Actor }) => attend(attach(name), command, as));

const shell = new Command("shell")
    .description("Open a shell in a sandbox (see exec).")
    .addOption(nameOption())
    .addOption(actorOption())
    .action(async ({ name, as }: { name: string; as: Actor }) => {
        const sandbox = attach(name);
        const rc = join(sandbox.directory, "bashrc");
        const own = join(homedir(), ".bashrc");
        const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
        // After the person's own settings, which may move PATH or choose another cluster.
        const settings = Object.entries(sandbox.env).map(([variable, value]) => `export ${variable}=${quote(value)}`);
        writeFileSync(
            rc,
            [...(existsSync(own) ? [`. ${quote(own)}`] : []), ...settings, `PS1='[sandbox ${name}] \\w \\$ '`, ""].join("\n"),
        );
        await attend(sandbox, ["bash", "--rcfile", rc, "-i"], as);
    });

export const command = new Command("sandbox")
    .description(
        "A cloud on this machine: two regions of AWS, a Kubernetes cluster in each, DNS with health checks; all of it in namespaces of its own.",
    )
    .enablePositionalOptions()
    .addCommand(up)
    .addCommand(down)
    .addCommand(status)
    .addCommand(lose)
    .addCommand(restore)
    .addCommand(cut)
    .addCommand(heal)
    .addCommand(exec)
    .addCommand(shell);

type Actor = NonNullable<ExecOptions["actor"]>;

/** Hands the terminal to a command inside, and takes its exit code. */
async function attend(sandbox: Sandbox, line: readonly string[], actor: Actor): Promise<void> {
    using _interrupts = leaveInterruptsToChild();
    const child = sandbox.exec(line, { actor, execa: { stdio: "inherit", reject: false } });
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, () => child.kill(signal));
    const { exitCode, signal } = await child;
    if (exitCode === undefined && signal === undefined)
        throw new Failure(
            "unavailable",
            `sandbox ${sandbox.name} could not be entered`,
            `see \`./lifeboat sandbox status${suffix(sandbox.name)}\``,
        );
    // As a shell tells of a command that a signal ended.
    process.exitCode = exitCode ?? 128 + constants.signals[signal!];
}

/** What --json says of a sandbox. */
function document(sandbox: Sandbox, state: SandboxStatus) {
    return { ...state, directory: sandbox.directory, checkout: sandbox.checkout, environment: sandbox.env };
}

function table(state: SandboxStatus): string {
    const mark = (text: string) =>
        text === "ready" || text === "up" ? paint("green", text) : text === "starting" ? paint("yellow", text) : paint("red", text);
    const width = Math.max(...state.daemons.map(({ name }) => name.length), 10);
    return [
        `sandbox ${state.name} is ${mark(state.phase)} since ${state.startedAt}${state.error ? `: ${state.error}` : ""}`,
        ...siteNames.map(
            (site) =>
                `${site.padEnd(width)}  ${state.sites[site].state}${state.sites[site].state === "lost" ? ` since ${state.sites[site].lostAt}` : ""}`,
        ),
        ...Object.entries(state.cuts).map(([place, from]) => `${place.padEnd(width)}  cut off from ${from.join(", ")}`),
        ...state.daemons.map((daemon) => `${daemon.name.padEnd(width)}  ${mark(daemon.state)}${daemon.exit ? ` (${daemon.exit})` : ""}`),
    ].join("\n");
}
