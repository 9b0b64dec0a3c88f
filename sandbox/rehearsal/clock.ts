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

/** What the cloud would have added to a step, with its source: `modelledIn` of the plan. */
export interface ModelledSpan {
    step: string;
    seconds: number;
    source: string;
}

type TimedStep = NonNullable<Timeline["activation"]>["steps"][number];

/**
 * Shares the time from `from` to `to` out among steps, so that each instant counts once: where steps run side by side, in the one that ends first, because the others
 * went on without it. Steps of one name ("promote:a", "promote:b") are one.
 * @returns milliseconds by name, in the order in which steps ended; `rest`: when none ran
 */
function shared(steps: readonly TimedStep[], from: number, to: number): { shares: Map<string, number>; rest: number } {
    const byEnd = steps.toSorted((a, b) => a.finishedAt - b.finishedAt);
    const nameOf = ({ name }: TimedStep) => name.split(":")[0]!;
    const shares = new Map(byEnd.map((step) => [nameOf(step), 0]));
    let rest = 0;
    const instants = [...new Set([from, to, ...steps.flatMap(({ startedAt, finishedAt }) => [startedAt, finishedAt])])].toSorted(
        (a, b) => a - b,
    );
    for (const [index, start] of instants.slice(0, -1).entries()) {
        const end = instants[index + 1]!;
        const running = byEnd.find(({ startedAt, finishedAt }) => startedAt <= start && finishedAt >= end);
        if (running) shares.set(nameOf(running), shares.get(nameOf(running))! + end - start);
        else rest += end - start;
    }
    return { shares, rest };
}

/** Seconds from the end of `scale` to the step that waits for it: the fence and the promotions ran on beside a node that boots. */
function besideScale(steps: readonly TimedStep[]): number {
    const scale = steps.find(({ name }) => name === "scale");
    const verify = steps.find(({ name }) => name === "verify");
    return scale && verify ? Math.max(0, verify.startedAt - scale.finishedAt) / 1000 : 0;
}

/**
 * Turns instants into spans that leave no gap: measured seconds plus scaled seconds divided by `fast` are the time from the loss to the last instant there is.
 * What is modelled joins the step that it belongs to. The latch's delay in the cloud is longer than in the sandbox, and a node boots while
 * the fence is waited out: of the modelled span, what passed here is not counted twice.
 * @param fast what `--fast` was; at 1 the checkers' clocks ran at their own pace and count as measured
 */
export function recoveryClock(timeline: Timeline, fast: number, decisionSeconds: number, modelled: readonly ModelledSpan[]): Clock {
    const { lossAt, detectedAt, activation, latchSeenAt, lookedUpAt, servedAt } = timeline;
    const clock: Clock = {};
    const measured = (milliseconds: number, source: string): Span => ({ measuredSeconds: milliseconds / 1000, source });
    const sandboxClock = (milliseconds: number, source: string): Span => {
        if (fast === 1) return measured(milliseconds, source);
        const scaledSeconds = (milliseconds / 1000) * fast;
        return { scaledSeconds, source: `${source}; took ${(milliseconds / 1000).toFixed(1)} s at --fast ${fast}` };
    };

    if (detectedAt === undefined) return clock;
    clock["detect"] = sandboxClock(detectedAt - lossAt, "health check of the endpoint: loss to unhealthy");
    clock["decide"] = { declaredSeconds: decisionSeconds, source: "estate: decision" };
    if (!activation) return clock;

    const { steps } = activation;
    const beganAt = Math.min(activation.finishedAt, ...steps.map((step) => step.startedAt));
    clock["start"] = measured(beganAt - detectedAt, "unhealthy to the first step: start of the tool, plan and checks");
    const { shares, rest } = shared(steps, beganAt, activation.finishedAt);
    for (const [step, milliseconds] of shares) clock[step] = measured(milliseconds, "the activation's journal");
    clock["between steps"] = measured(rest, "the activation's process, less its steps");

    const seen = latchSeenAt === undefined ? undefined : Math.max(latchSeenAt, activation.finishedAt);
    if (seen !== undefined)
        clock["latch seen"] = sandboxClock(seen - activation.finishedAt, "health check of the latch: end of the activation to its change");
    for (const { step, seconds, source } of modelled) {
        const row = clock[step];
        if (!row) continue;
        const passed =
            step === "latch" ? total(sums({ seen: clock["latch seen"] ?? { source: "" } })) : step === "scale" ? besideScale(steps) : 0;
        const where = step === "latch" ? '"latch seen"' : "until verify began";
        row.modelledSeconds = (row.modelledSeconds ?? 0) + Math.max(0, seconds - passed);
        row.source += passed > 0 ? `; ${seconds} s, less what passed here (${where}), ${source}` : `; ${seconds} s ${source}`;
    }
    if (seen === undefined || lookedUpAt === undefined || servedAt === undefined) return clock;
    const lookedUp = Math.max(lookedUpAt, seen);
    clock["dns"] = sandboxClock(lookedUp - seen, "ledger: until the customer who was served last got the standby's address");
    clock["answer"] = measured(Math.max(servedAt, lookedUp) - lookedUp, "ledger: until its first order was acknowledged");
    return clock;
}
