import { setImmediate } from "node:timers/promises";
import { seconds, type Seconds } from "../model/units.ts";
import type { RunOptions } from "../recovery/activation.ts";
import type { ActivationState } from "../recovery/journal/state.ts";
import { interruption, onInterruption } from "./interruption.ts";
import { note, paint } from "./output.ts";

export type Run = (options: RunOptions) => Promise<ActivationState>;

export interface Attended extends Pick<RunOptions, "plan" | "journal" | "effects"> {
    /** The first line. */
    header: string;
    /** What stands in front of each line, by the time since the journal was opened. */
    clock(elapsed: Seconds): string;
}

/** Runs an activation before a person's eyes; Ctrl-C waits until the journal says where it stopped. */
export async function attended({ header, clock, ...what }: Attended, run: Run): Promise<ActivationState> {
    note(header);
    const since = Date.parse(what.journal.state().openedAt);
    const running = run({
        ...what,
        signal: interruption,
        note: (line) => note(`${paint("dim", clock(seconds((Date.now() - since) / 1000)), process.stderr)} ${line}`),
    });
    using _ = onInterruption(async () => {
        await Promise.allSettled([running]);
        await setImmediate(); // the command line tells the failure in this turn
    });
    return await running;
}
