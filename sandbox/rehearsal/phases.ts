import type { Sandbox } from "../sandbox.ts";
import type { WallSpan } from "./series.ts";

/** The parts of a rehearsal, in order. A test may step in before any of them. */
export const phaseNames = [
    "provision",
    "replicate",
    "load",
    "customers",
    "backup",
    "verify",
    "wait",
    "lose",
    "detect",
    "activate",
    "serve",
    "restore",
    "together",
    "heal",
    "return",
    "alone",
    "rebuild",
    "witness",
    "failback",
    "settle",
    "compare",
] as const;
export type PhaseName = (typeof phaseNames)[number];

/** Steps in before a phase, inside the sandbox's own checkout and through its own controls: how tests break a rehearsal on purpose. */
export type Sabotage = (phase: PhaseName, sandbox: Sandbox) => Promise<void>;

/** What came of a phase, in words. */
type Tell<T> = string | ((result: T) => string);

/** Tells how a rehearsal goes, one line a phase with its time, and keeps the times. */
export class Phases {
    readonly seconds: Record<string, number> = {};
    readonly spans: WallSpan[] = [];
    readonly #note: (line: string) => void;
    readonly #sabotage: Sabotage | undefined;
    readonly #signal: AbortSignal | undefined;

    constructor(note: (line: string) => void, options: { sabotage?: Sabotage | undefined; signal?: AbortSignal | undefined }) {
        this.#note = note;
        this.#sabotage = options.sabotage;
        this.#signal = options.signal;
    }

    /** Times `work`; `tell` says what came of it. @throws whatever the signal was aborted with, before anything is started. */
    readonly run = async <T>(name: PhaseName, sandbox: Sandbox, work: () => Promise<T>, tell: Tell<T>): Promise<T> => {
        this.#signal?.throwIfAborted();
        await this.#sabotage?.(name, sandbox);
        return this.time(name, work, tell);
    };

    /** As `run`, for what comes before there is a sandbox. */
    async time<T>(name: string, work: () => Promise<T>, tell: Tell<T>): Promise<T> {
        const start = performance.now();
        const startedAt = Date.now();
        const result = await work();
        const seconds = (performance.now() - start) / 1000;
        this.seconds[name] = Number(seconds.toFixed(3));
        this.spans.push({ name, startedAt, finishedAt: startedAt + seconds * 1000 });
        this.#note(`${name.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s  ${typeof tell === "string" ? tell : tell(result)}`);
        this.#signal?.throwIfAborted();
        return result;
    }
}
