import { z } from "zod";

/**
 * A span of the recovery, in seconds by the kind of figure. A kind that is absent did not contribute.
 * measured: on this machine, at its own pace. scaled: a clock of the sandbox (health checkers, TTL) that ran N times too fast under `--fast N`, multiplied back.
 * modelled: what only a cloud can show, from a stated source. declared: said by the estate, not waited for.
 */
export const span = z.strictObject({
    measuredSeconds: z.number().optional(),
    scaledSeconds: z.number().optional(),
    modelledSeconds: z.number().optional(),
    declaredSeconds: z.number().optional(),
    /** Where the figure comes from, in words. */
    source: z.string(),
});
export type Span = z.output<typeof span>;
export const kinds = ["measuredSeconds", "scaledSeconds", "modelledSeconds", "declaredSeconds"] as const;
export type Kind = (typeof kinds)[number];
export type Sums = Record<Kind, number>;

/** A recovery clock: spans by name, in the order in which they pass. */
export type Clock = Record<string, Span>;

export function sums(clock: Clock): Sums {
    const add = (kind: Kind) => Object.values(clock).reduce((sum, each) => sum + (each[kind] ?? 0), 0);
    return {
        measuredSeconds: add("measuredSeconds"),
        scaledSeconds: add("scaledSeconds"),
        modelledSeconds: add("modelledSeconds"),
        declaredSeconds: add("declaredSeconds"),
    };
}

export const total = (by: Sums): number => kinds.reduce((sum, kind) => sum + by[kind], 0);

/** Instants of one rehearsal, wall time in milliseconds since 1970. What did not happen is absent, and so is all that would have followed. */
export interface Timeline {
    lossAt: number;
    /** The endpoint's health check called it unhealthy. */
    detectedAt?: number;
    activation?: {
        /** The process was started. */
        startedAt: number;
        finishedAt: number;
        steps: readonly { name: string; startedAt: number; finishedAt: number }[];
    };
    /** The health checkers took notice of the latch: from now on the resolver answers with the standby. */
    latchSeenAt?: number;
    /** Of the customer who was served last: when its look-up answered with the standby, and when its first order was acknowledged. */
    lookedUpAt?: number;
    servedAt?: number;
}

/** What the cloud would have added, with its source; a figure joins the clock after the step that it belongs to. */
export interface ModelledSpan {
    name: string;
    after: string;
    seconds: number;
    source: string;
}

/**
 * Turns instants into spans that leave no gap: measured seconds plus scaled seconds divided by `fast` are the time from the loss to the last instant there is.
 * @param fast what `--fast` was; at 1 the checkers' clocks ran at their own pace and count as measured
 */
export function recoveryClock(timeline: Timeline, fast: number, decisionSeconds: number, modelled: readonly ModelledSpan[]): Clock {
    const clock: Clock = {};
    const put = (name: string, value: Span) => {
        clock[name] = value;
        for (const each of modelled) if (each.after === name) put(each.name, { modelledSeconds: each.seconds, source: each.source });
    };
    const measured = (from: number, to: number, source: string): Span => ({ measuredSeconds: (to - from) / 1000, source });
    const sandboxClock = (from: number, to: number, source: string): Span =>
        fast === 1
            ? measured(from, to, source)
            : {
                  scaledSeconds: ((to - from) / 1000) * fast,
                  source: `${source}; took ${((to - from) / 1000).toFixed(1)} s at --fast ${fast}`,
              };
    const { lossAt, detectedAt, activation, latchSeenAt, lookedUpAt, servedAt } = timeline;

    if (detectedAt === undefined) return clock;
    put("detect", sandboxClock(lossAt, detectedAt, "health check of the endpoint: loss to unhealthy"));
    put("decide", { declaredSeconds: decisionSeconds, source: "the estate's decision time" });

    if (!activation) return clock;
    const first = activation.steps[0]?.startedAt ?? activation.finishedAt;
    put("start", measured(detectedAt, first, "unhealthy to the activation's first step: start of the tool, plan, checks"));
    let inSteps = 0;
    for (const step of activation.steps) {
        inSteps += step.finishedAt - step.startedAt;
        put(step.name, measured(step.startedAt, step.finishedAt, "the activation's journal"));
    }
    put("between steps", {
        measuredSeconds: (activation.finishedAt - first - inSteps) / 1000,
        source: "the activation's process, less its steps",
    });

    if (latchSeenAt === undefined) return clock;
    // The checkers may see the latch before the process that threw it has ended.
    const seen = Math.max(latchSeenAt, activation.finishedAt);
    put("latch seen", sandboxClock(activation.finishedAt, seen, "health check of the latch: end of the activation to its change"));
    if (lookedUpAt === undefined || servedAt === undefined) return clock;
    const lookedUp = Math.min(Math.max(lookedUpAt, seen), Math.max(servedAt, seen));
    put("dns", sandboxClock(seen, lookedUp, "ledger: until the customer who was served last got the standby's address"));
    put("first good answer", measured(lookedUp, Math.max(servedAt, lookedUp), "ledger: until its first order was acknowledged"));
    return clock;
}
