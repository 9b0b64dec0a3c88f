import { kindOf } from "../../stores/registry.ts";
import { createInterface } from "node:readline/promises";
import { Argument, Command, Option } from "commander";
import { experiments, faultSpans, reasonsAgainst, recoveryLimit, targetsOf, type Experiment } from "../../model/chaos.ts";
import { siteNames, type SiteName } from "../../model/estate.ts";
import { exitCodes, Failure } from "../../model/failure.ts";
import { judgeReadiness } from "../../model/readiness.ts";
import { names } from "../../model/names.ts";

import { formatDuration, parseDuration, seconds, type Seconds } from "../../model/units.ts";
import { accountNumber } from "../../recovery/account.ts";
import { holdConnections } from "../../recovery/chaos/connections.ts";
import { runExperiment, type Outcome } from "../../recovery/chaos/experiment.ts";
import { delayAnswers } from "../../recovery/chaos/latency.ts";
import { busy, lastExperiment, markOver } from "../../recovery/chaos/record.ts";
import { chaosSite } from "../../recovery/chaos/site.ts";
import { coordinationOf } from "../../recovery/coordination.ts";
import { gatherFacts, sourcesIn } from "../../recovery/facts.ts";
import { estate } from "../../stacks/estate.ts";
import { interruption, onInterruption } from "../interruption.ts";
import { note, print, show } from "../output.ts";
import { passwordOf } from "../servers.ts";

interface Options {
    site: SiteName;
    for?: string;
    yes?: boolean;
    force?: boolean;
    reason: string;
    json?: boolean;
}

/** The latency of the plan that the requirements quote: 200 +- 50 ms. */
const delay = { ms: 200, jitterMs: 50 };

const summaries: Readonly<Record<Experiment, string>> = {
    pod: "delete one pod of a service or a store, and time until another serves",
    latency: `let a service's or a store's answers come ${delay.ms} ms late (+- ${delay.jitterMs} ms), for new connections, of which a part meets it`,
    connections: "take all connections of a store as an ordinary client does, and hold them",
};
const details: Readonly<Record<Experiment, string>> = {
    pod: "It gets one second to end in. A store has one pod that may write: until it is back nobody can write.",
    latency:
        "A pod that delays joins those behind the Service; of N pods and itself 1 connection in N + 1 comes to it. What is connected already meets nothing, and\n" +
        "the pods' own network is left alone: that (tc netem) would need NET_ADMIN in production.",
    connections: "It has the password that the services have, and no privilege.",
};

export const command = new Command("chaos").description(
    "Breaks one thing in a running site on purpose, and times the recovery. One at a time, for the whole estate; with approval; the fault ends by itself\n" +
        "whoever dies (its own timer, and the cluster's deadline above it), and what a killed run leaves is found: `lifeboat chaos clean`. In staging first.",
);

for (const experiment of experiments) {
    const own = command
        .command(experiment)
        .summary(summaries[experiment])
        .description(
            `${sentence(summaries[experiment])}.\n${details[experiment]}\nEnds with 0 where all is as it was before, with 1 where it is not within ${formatDuration(recoveryLimit)}, with 4 where it may not be done now.`,
        )
        .addArgument(new Argument("<target>", "service or store").choices(targetsOf(estate, experiment)))
        .addOption(new Option("--site <site>", "where").choices(siteNames).default("primary"))
        .option("--yes", "do not ask to have the target's name typed; needs --reason")
        .option("--force", "also while a store is unprotected or the standby could not take over; needs --reason")
        .option("--reason <text>", "why, for the record", "")
        .option("--json", "print what was done and measured as JSON")
        .action((target: string, options: Options) => run(experiment, target, options));
    // A pod's death lasts no time.
    if (experiment !== "pod")
        own.option("--for <duration>", `how long the fault lasts, at most ${formatDuration(faultSpans.longest)}`, `${faultSpans.usual} s`);
}

command
    .command("clean")
    .summary("take away what a killed experiment left")
    .description("Takes away what a killed experiment left in either site. Refuses while one is under way.")
    .option("--json", "print what was found as JSON")
    .action(clean);

command
    .command("hold", { hidden: true })
    .description("The fault itself: what `lifeboat chaos` starts in the cluster as a Job.")
    .addOption(new Option("--latency <servers...>", "delay answers of these servers").conflicts("connections"))
    .option("--listen <port>", "where, for --latency", Number)
    .option("--connections <store>", "hold all connections of this store")
    .requiredOption("--for <duration>", "then it ends")
    .action(hold);

function sentence(text: string): string {
    return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function spanOf(text: string): Seconds {
    let span: Seconds;
    try {
        span = parseDuration(text);
    } catch (error) {
        throw new Failure("usage", (error as Error).message, 'write it as in --for "60 s"');
    }
    if (span >= 1 && span <= faultSpans.longest) return span;
    throw new Failure(
        "usage",
        `a fault may last from 1 s to ${formatDuration(faultSpans.longest)}, not ${text}`,
        'write it as in --for "60 s"',
    );
}

async function run(experiment: Experiment, target: string, options: Options): Promise<void> {
    const { site, reason } = options;
    const span = options.for === undefined ? seconds(0) : spanOf(options.for);
    if ((options.yes === true || options.force === true) && reason === "")
        throw new Failure("usage", "--yes and --force need a reason for the record", 'add --reason "…"');
    if (options.yes !== true && !process.stdin.isTTY)
        throw new Failure("usage", "nobody is there to approve the experiment", 'add --yes --reason "…"');
    const account = await accountNumber(estate.sites.standby.region);
    const readiness = async () => judgeReadiness(estate, await gatherFacts(sourcesIn(estate, account)));
    const against = reasonsAgainst(await readiness());
    if (against.length > 0 && options.force !== true)
        throw new Failure("refused", `nothing may be broken now:\n    ${against.join("\n    ")}`, 'mend that; or add --force --reason "…"');
    for (const each of against) note(`in spite of: ${each}`);
    const cluster = chaosSite(estate, account, site);
    if (options.yes !== true) await approve(experiment, target, site, span);
    const running = runExperiment({
        estate,
        bucket: coordinationOf(estate, account),
        cluster,
        wanted: { experiment, site, target, reason },
        span,
        faultArguments: (addresses, port) => [
            ...["chaos", "hold", "--for", `${span} s`],
            ...(experiment === "connections" ? ["--connections", target] : ["--listen", String(port), "--latency", ...addresses]),
        ],
        readiness,
        draw: Math.random,
        note,
        signal: interruption,
    });
    // Ctrl-C waits until the fault is taken away.
    using _ = onInterruption(async () => {
        const failure = await running.then(() => undefined).catch((error: unknown) => error as Error);
        if (failure !== undefined) note(failure.message);
    });
    const outcome = await running;
    if (options.json === true) print(outcome);
    else show(tell(outcome));
    if (outcome.recovered.served === null || outcome.recovered.protected === null) process.exitCode = exitCodes.no;
}

async function approve(experiment: Experiment, target: string, site: SiteName, span: Seconds): Promise<void> {
    const dialogue = createInterface({ input: process.stdin, output: process.stderr });
    try {
        note(
            `${experiment} of ${target} in the ${site} (${estate.sites[site].region})${experiment === "pod" ? "" : `, for ${formatDuration(span)}`}: ${summaries[experiment]}.`,
        );
        const typed = (await dialogue.question(`Type ${target} to go on: `, { signal: interruption })).trim();
        if (typed !== target)
            throw new Failure("refused", `"${typed}" is not ${target}; nothing was done`, "repeat the command if you meant it");
    } finally {
        dialogue.close();
    }
}

function tell({ experiment, fault, felt, recovered }: Outcome): string {
    const span = (value: Seconds | null) => (value === null ? `NOT within ${formatDuration(recoveryLimit)}` : formatDuration(value));
    const counted = Object.entries(fault).map(([name, value]) => `${name} ${String(value)}`);
    return [
        `${experiment.experiment} of ${experiment.target} in the ${experiment.site}: ${counted.join(", ")}`,
        `users      ${felt.asked} asked, ${felt.unanswered} without a good answer, longest ${formatDuration(felt.longestAway)}; slowest answer ${felt.slowestMs} ms`,
        `served     ${span(recovered.served)} after ${experiment.experiment === "pod" ? "its death" : "the fault's end"}`,
        `protected  ${span(recovered.protected)}: replicas caught up, the standby could take over`,
    ].join("\n");
}

async function clean({ json }: { json?: boolean }): Promise<void> {
    const account = await accountNumber(estate.sites.standby.region);
    const bucket = coordinationOf(estate, account);
    const last = await lastExperiment(bucket);
    if (last?.state === "under way") throw busy(last.record, "under way");
    const found: string[] = [];
    const unreachable: string[] = [];
    for (const site of siteNames)
        try {
            for (const job of await chaosSite(estate, account, site).clean()) found.push(`${site}/${job}`);
        } catch (error) {
            unreachable.push(`${site}: ${(error as Error).message}`);
        }
    // Where the faulty site does not answer nobody can say that it is clean.
    if (unreachable.length > 0)
        throw new Failure("unavailable", `not asked: ${unreachable.join("; ")}`, "repeat the command when it answers");
    if (last !== undefined) await markOver(bucket, last.record.id);
    if (json === true) print({ found });
    else show(found.length === 0 ? "nothing was left" : `taken away: ${found.join(", ")}`);
}

async function hold(options: { latency?: string[]; listen?: number; connections?: string; for: string }): Promise<void> {
    const span = spanOf(options.for);
    const { latency, listen, connections: store } = options;
    if (latency !== undefined && listen !== undefined)
        return print(await delayAnswers({ to: latency, listen, delay, span, draw: Math.random }, interruption));
    const declared = store === undefined ? undefined : estate.stores[store];
    if (store === undefined || declared === undefined)
        throw new Failure("usage", "name --latency with --listen, or a store of the estate", "lifeboat chaos --help");
    const kind = kindOf(declared);
    const { database } = declared;
    const server = {
        host: `${store}.${names(estate, "").namespace}.svc`,
        port: kind.server.port,
        user: "app",
        password: passwordOf(store, "app"),
        database,
    };
    print(await holdConnections(kind, server, span, interruption));
}
