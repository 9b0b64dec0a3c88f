import { setTimeout as sleep } from "node:timers/promises";
import type { Estate } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import { commandOf, runOf, type Plan } from "../model/plan.ts";
import { checkCanGoBack, ownSteps } from "./activation.ts";
import type { CoordinationBucket } from "./conditional-bucket.ts";
import { readEpoch } from "./epoch.ts";
import {
    findNewest,
    findUnfinished,
    heartbeatEvery,
    newActivationId,
    openJournal,
    readJournal,
    type FoundJournal,
    type Journal,
} from "./journal/journal.ts";
import type { ActivationState } from "./journal/state.ts";
import { isAlive } from "./runner.ts";

/** Without a sign of life for so long (ms) a runner on another machine counts as dead. */
export const silence = heartbeatEvery * 3;

export interface StartOptions {
    estate: Estate;
    account: string;
    bucket: CoordinationBucket;
    plan: Plan;
    reason: string;
}

/** Begins an activation: refused while another one is unfinished, or where the standby is active already. */
export async function startActivation({ estate, account, bucket, plan, reason }: StartOptions): Promise<Journal> {
    const [unfinished, { record }] = await Promise.all([findUnfinished(bucket), readEpoch(bucket)]);
    if (unfinished) throw alreadyBegun(unfinished);
    if (record.active === plan.active)
        throw new Failure(
            "refused",
            `the ${plan.active} is the active site already, since ${record.at} by ${record.by}`,
            "run `lifeboat epoch` to see the record",
        );
    return openJournal(bucket, newActivationId(), {
        kind: "opened",
        estate: estate.name,
        account,
        scenario: plan.scenario,
        from: record,
        reason,
        steps: ownSteps(plan),
    });
}

function alreadyBegun({ state }: FoundJournal): Failure {
    const { by, host, pid } = state.runner;
    const command = commandOf[state.opened.scenario];
    const who = `${runOf[state.opened.scenario]} ${state.activation} was begun at ${state.openedAt} and is run by ${by} (pid ${pid} on ${host}), last heard at ${state.lastAt}`;
    if (state.left !== undefined || isAlive(state.runner) === "no")
        return new Failure("refused", `${who}; that run has ended`, `run \`${command} --resume\` to go on with it`);
    return new Failure("refused", who, `speak with them; if that run is dead, \`${command} --resume\` goes on with it`);
}

export interface ResumeOptions {
    estate: Estate;
    bucket: CoordinationBucket;
    plan: Plan;
    note(line: string): void;
    signal: AbortSignal;
    /** @default silence */
    listenFor?: number;
}

/**
 * Goes on with the newest unfinished activation, from this machine. A runner elsewhere that may still live is listened for first: no
 * clocks are compared. Where the newest activation has ended, only its last entry was missed: its state is given.
 * @throws Failure "refused" where that runner lives, and where there is nothing to resume.
 */
export async function resumeActivation(options: ResumeOptions): Promise<{ journal: Journal } | { ended: ActivationState }> {
    const { estate, bucket, plan } = options;
    const begin = commandOf[plan.scenario];
    const found = (await findUnfinished(bucket)) ?? (await findNewest(bucket));
    if (!found)
        throw new Failure(
            "refused",
            "there is no activation to resume",
            `run \`${begin}\` to begin one, \`lifeboat epoch\` to see who is active`,
        );
    checkEstate(found.state, estate);
    checkScenario(found.state, plan);
    const { activation, outcome } = found.state;
    if (outcome === "active") return { ended: found.state };
    if (outcome !== undefined)
        throw new Failure(
            "refused",
            `the newest ${runOf[plan.scenario]}, ${activation}, was given up (${outcome})`,
            `run \`${begin}\` to begin another one`,
        );
    return { journal: await (await unheard(found, options)).takeOver() };
}

/**
 * Takes over the unfinished activation to give it up. A runner that lives is not interrupted from here.
 * @throws Failure "refused" where there is none, where its runner lives, and past the point of no return; nothing was written then.
 */
export async function takeOverToAbort(options: ResumeOptions): Promise<Journal> {
    const { estate, bucket, plan } = options;
    const found = await findUnfinished(bucket);
    if (!found) throw new Failure("refused", "there is no unfinished activation to abort", "run `lifeboat status` to see who is active");
    checkEstate(found.state, estate);
    checkScenario(found.state, plan);
    checkCanGoBack(plan, found.state);
    const silent = await unheard(found, options);
    // It may have gone on while it was listened for, and stopped then.
    checkCanGoBack(plan, silent.state);
    return silent.takeOver();
}

/** @throws Failure "refused" for another estate's journal. */
export function checkEstate({ activation, opened }: ActivationState, estate: Estate): void {
    if (opened.estate === estate.name) return;
    throw new Failure(
        "refused",
        `activation ${activation} is of the estate ${opened.estate}, and this one is ${estate.name}`,
        "run it in that estate's checkout",
    );
}

/** @throws Failure "refused" where the newest activation executes another plan. */
function checkScenario({ activation, opened: { scenario }, outcome }: ActivationState, plan: Plan): void {
    if (scenario === plan.scenario) return;
    throw new Failure(
        "refused",
        `the newest activation, ${activation}, is of the plan for ${scenario}, and has ${outcome === undefined ? "not ended" : "ended"}`,
        outcome === undefined
            ? `run \`${commandOf[scenario]} --resume\` to go on with it`
            : `run \`${commandOf[plan.scenario]}\` to begin another one`,
    );
}

/** The journal as it stands once its last runner is known to be gone. @throws Failure "refused" where that one lives. */
async function unheard(found: FoundJournal, { bucket, note, signal, listenFor = silence }: ResumeOptions): Promise<FoundJournal> {
    const { activation, runner, left } = found.state;
    const alive = left !== undefined ? "no" : isAlive(runner);
    const lives = () =>
        new Failure(
            "refused",
            `activation ${activation} is being run by ${runner.by} (pid ${runner.pid} on ${runner.host})`,
            "leave it to them, or stop that process first and repeat this command",
        );
    if (alive === "no") return found;
    if (alive === "yes") throw lives();
    note(`${runner.by} (pid ${runner.pid} on ${runner.host}) ran it last; listening ${listenFor / 1000} s for a sign of life`);
    await sleep(listenFor, undefined, { signal });
    const now = await readJournal(bucket, activation);
    if (now.entries.length !== found.entries.length && now.state.left === undefined) throw lives();
    return now;
}
