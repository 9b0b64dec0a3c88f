import { setTimeout as sleep } from "node:timers/promises";
import type { Estate } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import type { RecoveryPlan } from "../model/plan.ts";
import { ownSteps, type Effects } from "./activation.ts";
import { clusterOf } from "./cluster.ts";
import { coordinationOf, type CoordinationBucket } from "./coordination.ts";
import { readEpoch } from "./epoch.ts";
import { guardsIn, type Guard } from "./guard.ts";
import {
    findUnfinished,
    heartbeatEvery,
    newActivationId,
    openJournal,
    readJournal,
    type FoundJournal,
    type Journal,
} from "./journal/journal.ts";
import { pulumiIn, stackOf, type Pulumi } from "./pulumi.ts";
import { isAlive, operator } from "./runner.ts";
import { claimStep } from "./steps/claim.ts";
import { fenceStep } from "./steps/fence.ts";
import { latchStep } from "./steps/latch.ts";
import { promoteStep } from "./steps/promote.ts";
import { scaleStep } from "./steps/scale.ts";
import { verifyStep } from "./steps/verify.ts";

/** Without a sign of life for so long (ms) a runner on another machine counts as dead. */
export const silence = heartbeatEvery * 3;

export interface StartOptions {
    estate: Estate;
    account: string;
    bucket: CoordinationBucket;
    plan: RecoveryPlan;
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
    const who = `activation ${state.activation} was begun at ${state.openedAt} and is run by ${by} (pid ${pid} on ${host}), last heard at ${state.lastAt}`;
    if (state.left !== undefined || isAlive(state.runner) === "no")
        return new Failure("refused", `${who}; that run has ended`, "run `lifeboat activate --resume` to go on with it");
    return new Failure("refused", who, "speak with them; if that run is dead, `lifeboat activate --resume` goes on with it");
}

/**
 * Goes on with the newest unfinished activation, from this machine. A runner elsewhere that may still live is listened for first: no
 * clocks are compared.
 * @throws Failure "refused" where that runner lives, and where there is nothing to resume.
 */
export async function resumeActivation(
    bucket: CoordinationBucket,
    estate: Estate,
    note: (line: string) => void,
    signal: AbortSignal,
): Promise<Journal> {
    const found = await findUnfinished(bucket);
    if (!found)
        throw new Failure(
            "refused",
            "there is no unfinished activation",
            "run `lifeboat activate` to begin one, `lifeboat epoch` to see who is active",
        );
    const { activation, opened, runner, left } = found.state;
    if (opened.estate !== estate.name)
        throw new Failure(
            "refused",
            `activation ${activation} is of the estate ${opened.estate}, and this one is ${estate.name}`,
            "run it in that estate's checkout",
        );
    const dead = left !== undefined ? "no" : isAlive(runner);
    const lives = () =>
        new Failure(
            "refused",
            `activation ${activation} is being run by ${runner.by} (pid ${runner.pid} on ${runner.host})`,
            "leave it to them, or stop that process first and repeat this command",
        );
    if (dead === "yes") throw lives();
    if (dead === "cannot tell") {
        note(`${runner.by} (pid ${runner.pid} on ${runner.host}) ran it last; listening ${silence / 1000} s for a sign of life`);
        await sleep(silence, undefined, { signal });
        const now = await readJournal(bucket, activation);
        if (now.length !== found.length && now.state.left === undefined) throw lives();
        return now.takeOver();
    }
    return found.takeOver();
}

/** What the real effects work with. Finding it changes nothing, so it is found before anything begins. */
export interface Tools {
    estate: Estate;
    bucket: CoordinationBucket;
    guard: Guard;
    pulumi: Pulumi;
}

/**
 * The standby's bucket, cluster and stack, and nothing of any other region.
 * @param directory the checkout, where Pulumi.yaml lies
 * @throws Failure "prerequisite" or "usage" where this machine lacks the context `standby` or the project.
 */
export const toolsIn = (directory: string, estate: Estate, account: string): Tools => ({
    estate,
    bucket: coordinationOf(estate, account),
    guard: guardsIn(clusterOf("standby"), estate),
    pulumi: pulumiIn(directory, estate, account),
});

/** The real effects of an activation. */
export function realEffects({ estate, bucket, guard, pulumi }: Tools, journal: Journal): Effects {
    const { from, reason } = journal.state().opened;
    return {
        claim: claimStep({ bucket, activation: journal.activation, from, by: operator(), reason }),
        fence: fenceStep(bucket),
        promote: (store) => promoteStep(guard, store),
        scale: scaleStep(pulumi, stackOf.standby),
        verify: verifyStep(estate, guard),
        latch: latchStep(estate, bucket, from.epoch + 1),
    };
}
