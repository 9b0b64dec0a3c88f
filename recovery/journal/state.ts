import { Failure } from "../../model/failure.ts";
import { sameRunner, type Runner } from "../runner.ts";
import type { Entry, Opened, Outcome } from "./entries.ts";

/** Where a step stands. "begun": its effect may have taken place, or not, or in part. */
export type StepState = "waiting" | "begun" | "done" | "failed" | "undoing" | "undone" | "undo failed";

export interface StepRecord {
    name: string;
    state: StepState;
    attempts: number;
    /** Of the attempt that ended last. */
    seconds?: number;
    result?: Record<string, unknown>;
    why?: string;
}

/** All that a journal says. */
export interface ActivationState {
    activation: string;
    openedAt: string;
    opened: Opened;
    /** Who wrote last, and when by that machine's clock. */
    runner: Runner;
    lastAt: string;
    /** In the order of the plan. */
    steps: readonly StepRecord[];
    /** Set once it was aborted or an undo has begun: it only goes back from there. */
    undoing: boolean;
    /** Why a person gave it up. */
    aborted?: string;
    /** Set when the runner stopped in good order. */
    left?: string;
    outcome?: Outcome;
}

/** What went wrong in a step's life: each state and the events that may follow it. */
const allowed: Record<"begun" | "done" | "failed" | "undoing" | "undone" | "undo failed", readonly StepState[]> = {
    begun: ["waiting", "begun", "failed"],
    done: ["begun"],
    failed: ["begun"],
    undoing: ["begun", "done", "failed", "undoing", "undo failed"],
    undone: ["undoing"],
    "undo failed": ["undoing"],
};

/**
 * Gives the state that the entries lead to; the same entries give the same state on any machine.
 * @throws Failure "refused" where they cannot have been written by an activation.
 */
export function replay(entries: readonly Entry[]): ActivationState {
    const [first] = entries;
    if (first?.event.kind !== "opened") throw damaged(first?.activation ?? "?", "it does not begin with what it is to do");
    const steps = new Map(first.event.steps.map((name): [string, StepRecord] => [name, { name, state: "waiting", attempts: 0 }]));
    const state: ActivationState = {
        activation: first.activation,
        openedAt: first.at,
        opened: first.event,
        runner: first.runner,
        lastAt: first.at,
        steps: [],
        undoing: false,
    };
    for (const { event, runner, at, number } of entries.slice(1)) {
        const where = `entry ${number} (${event.kind})`;
        if (state.outcome !== undefined) throw damaged(state.activation, `${where} stands behind its end`);
        if (event.kind === "opened") throw damaged(state.activation, `${where} opens it a second time`);
        if (event.kind !== "resumed" && !sameRunner(runner, state.runner))
            throw damaged(state.activation, `${where} is by ${runner.by} (pid ${runner.pid}), who did not take it over`);
        state.runner = runner;
        state.lastAt = at;
        if (event.kind !== "heartbeat") delete state.left;
        switch (event.kind) {
            case "resumed":
            case "heartbeat":
                break;
            case "left":
                state.left = event.why;
                break;
            case "closed":
                state.outcome = event.outcome;
                break;
            case "aborted":
                state.undoing = true;
                state.aborted = event.reason;
                break;
            case "begun":
            case "done":
            case "failed":
            case "undoing":
            case "undone":
            case "undo failed": {
                const record = steps.get(event.step);
                if (!record) throw damaged(state.activation, `${where} names ${event.step}, which is not among its steps`);
                if (!allowed[event.kind].includes(record.state))
                    throw damaged(state.activation, `${where}: ${event.step} was ${record.state}`);
                if (event.kind === "begun" && state.undoing) throw damaged(state.activation, `${where} goes forward after an undo began`);
                record.state = event.kind;
                if (event.kind === "begun") record.attempts = event.attempt;
                if (event.kind === "undoing") state.undoing = true;
                if ("seconds" in event) record.seconds = event.seconds;
                if ("result" in event) record.result = event.result;
                if ("why" in event) record.why = event.why;
                else delete record.why;
                break;
            }
            default:
                event satisfies never;
        }
    }
    return { ...state, steps: [...steps.values()] };
}

export const damaged = (activation: string, what: string): Failure =>
    new Failure(
        "refused",
        `the journal of activation ${activation} is damaged or foreign: ${what}`,
        `look at the objects under journal/${activation}/ in the coordination bucket, and at their versions; nothing was done`,
    );
