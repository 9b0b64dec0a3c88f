import { setTimeout as sleep } from "node:timers/promises";
import { checkOrder } from "../model/critical-path.ts";
import { Failure } from "../model/failure.ts";
import { formatDuration, seconds } from "../model/units.ts";
import { commandOf, forwardOnly, runOf, stepsOf, type Plan, type Step } from "../model/plan.ts";
import type { Journal } from "./journal/journal.ts";
import type { ActivationState, StepRecord } from "./journal/state.ts";

/** What an effect is given. */
export interface EffectContext {
    /** Aborted when the step's limit is over, or the run is stopped. */
    signal: AbortSignal;
    /** Tells a person how it goes. */
    note(line: string): void;
}
/** What an effect found out, for the journal: plain data, no secret. */
export type EffectResult = Record<string, unknown>;

/** The effect of one step. It may be applied again after a run that died in the middle: it finds what is done, and does the rest. */
export interface Effect {
    apply(context: EffectContext): Promise<EffectResult>;
}
/** Before the point of no return. `undo` is also called where `apply` may or may not have taken place. */
export interface UndoableEffect extends Effect {
    undo(context: EffectContext): Promise<EffectResult>;
}
/** The effects of a plan's steps, by name; "promote" stands for all that are named "promote:STORE", and is given the store. */
export type StepEffects = Readonly<Record<string, Effect | ((store: string) => Effect)>>;
/** The effects of the steps that an activation of the standby executes. */
export type Effects = {
    claim: UndoableEffect;
    fence: UndoableEffect;
    scale: UndoableEffect;
    promote(store: string): Effect;
    verify: Effect;
    latch: Effect;
};

export interface RunOptions {
    plan: Plan;
    journal: Journal;
    effects: StepEffects;
    /** Stops the run: what is under way is let go, and the journal says so. */
    signal: AbortSignal;
    note(line: string): void;
    /** Waiting times between attempts, in ms; the last one repeats. */
    backOff?: readonly number[];
}

const defaultBackOff = [500, 1_000, 2_000, 5_000, 10_000];
/** An undo is given up after so long (s). */
const undoLimit = 60;

/** The steps that an activation executes itself, by name. */
export const ownSteps = (plan: Plan): string[] =>
    stepsOf(plan)
        .filter(({ by }) => by === "lifeboat")
        .map(({ name }) => name);

/**
 * Carries an activation to its end from wherever its journal stands. Steps that wait for nothing of each other run side by side. Before
 * the first promotion a step that fails has what was begun undone, in reverse; after it there is only forward: each step is repeated
 * within its limit.
 * @returns the state of a journal that is closed, its outcome "active".
 * @throws Failure that says what happened and what to type; the journal is closed where everything was undone, else it can be resumed.
 */
export async function runActivation(options: RunOptions): Promise<ActivationState> {
    const { plan, journal, signal } = options;
    checkOrder(stepsOf(plan));
    checkPlan(plan, journal.state());
    using _ = journal.beat();
    try {
        if (!journal.state().undoing) {
            try {
                await goForward(options);
                await journal.append({ kind: "closed", outcome: "active" });
                return journal.state();
            } catch (error) {
                if (signal.aborted || journal.displaced() || !canGoBack(plan, journal.state())) throw error;
                await goBack(options);
                throw undoneBecause(error as Error, journal.state());
            }
        }
        await goBack(options);
        throw undoneBecause(undefined, journal.state());
    } catch (error) {
        throw await leave(error, options);
    }
}

/** Writes that this run ends here, where it may, and gives the failure that says how to go on. */
async function leave(error: unknown, options: RunOptions): Promise<unknown> {
    const { journal, signal } = options;
    if (journal.displaced() || journal.state().outcome !== undefined) return error;
    const why = signal.aborted ? "stopped" : (error as Error).message;
    // Where the journal itself cannot be written, what stands in it is enough to resume.
    await journal.append({ kind: "left", why }).catch(() => undefined);
    return resumable(error, options, signal.aborted);
}

/**
 * Gives up an activation on a person's word: undoes what was begun, in reverse. Resumed by anybody, it goes on undoing.
 * @returns the state of a journal that is closed, its outcome "undone".
 * @throws Failure "refused" past the point of no return, before anything is written; else as `runActivation` does.
 */
export async function abortActivation(options: RunOptions, reason: string): Promise<ActivationState> {
    const { plan, journal } = options;
    checkPlan(plan, journal.state());
    checkCanGoBack(plan, journal.state());
    using _ = journal.beat();
    try {
        await journal.append({ kind: "aborted", reason });
        await goBack(options);
    } catch (error) {
        throw await leave(error, options);
    }
    if (journal.state().outcome === "undone") return journal.state();
    throw undoneBecause(undefined, journal.state());
}

/** @throws Failure "refused" where a promotion has begun: there is only forward then. */
export function checkCanGoBack(plan: Plan, state: ActivationState): void {
    if (canGoBack(plan, state)) return;
    const begun = plan.forward.map(({ name }) => name).filter((name) => recordOf(state, name).state !== "waiting");
    throw new Failure(
        "refused",
        `activation ${state.activation} is past the point of no return (${begun.join(", ")} begun): a promoted database is not made a replica again`,
        `go on with it: \`${commandOf[plan.scenario]} --resume\`; the way to the other site is planned in calm, once the ${plan.active} serves`,
    );
}

function checkPlan(plan: Plan, { activation, opened }: ActivationState): void {
    const own = ownSteps(plan);
    if (own.join() === opened.steps.join()) return;
    throw new Failure(
        "refused",
        `activation ${activation} was begun with another plan (${opened.steps.join(", ")}; this one has ${own.join(", ")})`,
        "resume it with the release and the estate that began it",
    );
}

const recordOf = (state: ActivationState, name: string): StepRecord =>
    state.steps.find((record) => record.name === name) ?? { name, state: "waiting", attempts: 0 };

/** As long as no promotion has begun. */
const canGoBack = (plan: Plan, state: ActivationState): boolean =>
    plan.forward.every(({ name }) => recordOf(state, name).state === "waiting");

async function goForward(options: RunOptions): Promise<void> {
    const under = new Map<string, Promise<void>>();
    const givenUp = new AbortController();
    let first: { error: unknown } | undefined;
    for (const step of stepsOf(options.plan)) {
        const before = step.after.map((name) => under.get(name) ?? Promise.resolve());
        const run = Promise.all(before).then(() => perform(step, options, givenUp.signal));
        // Told below, once those beside it have ended too. While all can still be undone nobody waits for them to succeed.
        run.catch((error: unknown) => {
            first ??= { error };
            if (canGoBack(options.plan, options.journal.state())) givenUp.abort(new Error(`given up: ${(error as Error).message}`));
        });
        under.set(step.name, run);
    }
    await Promise.allSettled(under.values());
    if (first) throw first.error;
}

/** Repeats a step's effect until it succeeds, its limit is over, the run is stopped, or a step beside it makes the activation be given up. */
async function perform(step: Step<string>, options: RunOptions, givenUp: AbortSignal): Promise<void> {
    const { journal, effects, signal, note, backOff = defaultBackOff } = options;
    if (step.by !== "lifeboat") return;
    let attempts = recordOf(journal.state(), step.name).attempts;
    if (recordOf(journal.state(), step.name).state === "done") return;
    const deadline = performance.now() + step.limit * 1000;
    let lastSeen: string | undefined;
    for (let tries = 0; ; tries++) {
        signal.throwIfAborted();
        givenUp.throwIfAborted();
        attempts += 1;
        await journal.append({ kind: "begun", step: step.name, attempt: attempts });
        note(`${step.name}: ${tries === 0 ? step.does : `attempt ${attempts}`}`);
        const start = performance.now();
        const span = () => (performance.now() - start) / 1000;
        const limit = AbortSignal.timeout(Math.max(1, Math.ceil(deadline - start)));
        const context: EffectContext = { signal: AbortSignal.any([signal, limit, givenUp]), note: (line) => note(`${step.name}: ${line}`) };
        try {
            const result = await within(effectOf(step, effects).apply(context), context.signal);
            await journal.append({ kind: "done", step: step.name, seconds: span(), result });
            note(`${step.name}: done in ${formatDuration(seconds(span()))}`);
            return;
        } catch (error) {
            const why = limit.aborted && !signal.aborted ? overLimit(step, lastSeen) : (error as Error);
            if (signal.aborted) throw error;
            await journal.append({ kind: "failed", step: step.name, seconds: span(), why: why.message });
            const wait = backOff[Math.min(tries, backOff.length - 1)] ?? 0;
            const refused = error instanceof Failure && error.exit === "refused";
            if (refused || givenUp.aborted || performance.now() + wait >= deadline) throw why;
            lastSeen = why.message;
            note(`${step.name}: ${why.message}; again in ${formatDuration(seconds(wait / 1000))}`);
            await sleep(wait, undefined, { signal: AbortSignal.any([signal, givenUp]) });
        }
    }
}

/** An effect that does not heed its signal is let go all the same. */
function within<Result>(effect: Promise<Result>, signal: AbortSignal): Promise<Result> {
    const { promise, reject } = Promise.withResolvers<never>();
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    return Promise.race([effect, promise]).finally(() => signal.removeEventListener("abort", stop));
}

const overLimit = ({ name, limit }: Step<string>, lastSeen: string | undefined): Failure =>
    new Failure(
        "unavailable",
        `${name} was not done within its limit of ${formatDuration(limit)}${lastSeen === undefined ? "" : `; seen last: ${lastSeen}`}`,
        "mend what it waited for",
    );

/** Undoes what was begun, last first; an undo that fails is told, and those before it are undone all the same. */
async function goBack({ plan, journal, effects, signal, note }: RunOptions): Promise<void> {
    let complete = true;
    for (const step of [...plan.undoable].reverse()) {
        const record = recordOf(journal.state(), step.name);
        if (step.by !== "lifeboat" || record.state === "waiting" || record.state === "undone") continue;
        signal.throwIfAborted();
        await journal.append({ kind: "undoing", step: step.name });
        note(`undo ${step.name}: ${step.undo.how}`);
        const start = performance.now();
        const span = () => (performance.now() - start) / 1000;
        const limit = AbortSignal.any([signal, AbortSignal.timeout(undoLimit * 1000)]);
        try {
            const effect = effectOf(step, effects);
            if (!isUndoable(effect))
                throw new Failure("refused", `${step.name} cannot be undone`, "this is a fault in lifeboat: report it");
            const result = await within(effect.undo({ signal: limit, note }), limit);
            await journal.append({ kind: "undone", step: step.name, seconds: span(), result });
        } catch (error) {
            if (signal.aborted) throw error;
            const why = (error as Error).message;
            await journal.append({ kind: "undo failed", step: step.name, seconds: span(), why });
            note(`undo ${step.name} FAILED: ${why}`);
            complete = false;
        }
    }
    await journal.append({ kind: "closed", outcome: complete ? "undone" : "undone in part" });
}

function effectOf({ name }: Step<string>, effects: StepEffects): Effect {
    const [kind = "", store] = name.split(":");
    const effect = effects[kind];
    const found = store !== undefined && typeof effect === "function" ? effect(store) : effect;
    if (found === undefined || typeof found === "function")
        throw new Failure("refused", `the plan's step ${name} has no effect`, "this is a fault in lifeboat: report it");
    return found;
}

const isUndoable = (effect: Effect): effect is UndoableEffect => "undo" in effect;

function undoneBecause(error: Error | undefined, state: ActivationState): Failure {
    const failures = state.steps.filter((record) => record.state === "undo failed").map(({ name, why }) => `${name} (${why ?? "?"})`);
    const told = state.aborted ?? state.steps.find(({ why }) => why !== undefined)?.why;
    const because = error ?? new Error(told ?? "an earlier run gave it up");
    const exit = because instanceof Failure ? because.exit : "unavailable";
    const again = commandOf[state.opened.scenario];
    const what = runOf[state.opened.scenario];
    if (failures.length > 0)
        return new Failure(
            exit,
            `the ${what} was given up, and could not be undone whole: ${failures.join(", ")}`,
            "run `lifeboat epoch` to see who is active, and put right by hand what is listed",
            { cause: because },
        );
    return new Failure(
        exit,
        `the ${what} was given up before a database was promoted, and undone: ${because.message}`,
        because instanceof Failure
            ? `${because.next}; then begin again with \`${again}\``
            : `mend that, then begin again with \`${again}\``,
        { cause: because },
    );
}

/** Says where a run that did not end stands, and how to go on. */
function resumable(error: unknown, { plan, journal }: RunOptions, stopped: boolean): Failure {
    const state = journal.state();
    const done = state.steps.filter((record) => record.state === "done").map(({ name }) => name);
    const back = canGoBack(plan, state);
    // From its claim on the former site is closed, dead or alive, and the other one not open yet.
    const between = recordOf(state, "claim").state === "waiting" ? "" : ", and nobody serves users until it is done or undone";
    const stand =
        `done: ${done.join(", ") || "nothing"}; ` +
        (back ? `no database was promoted yet${between}` : `past the point of no return: undo is "${forwardOnly}"`);
    const exit = stopped ? "interrupted" : error instanceof Failure ? error.exit : "unavailable";
    const message = stopped ? "stopped" : (error as Error).message;
    const command = commandOf[plan.scenario];
    const resume = `run \`${command} --resume\`, here or on another machine${stopped && back ? `; to have it undone instead: \`${command} --abort\`` : ""}`;
    const next = error instanceof Failure && error.exit === "refused" ? `${error.next}; then, if it is to go on, ${resume}` : resume;
    return new Failure(exit, `${runOf[plan.scenario]} ${journal.activation} is not finished: ${message} (${stand})`, next, {
        cause: error,
    });
}
