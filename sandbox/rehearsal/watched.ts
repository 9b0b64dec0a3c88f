import { sums, total } from "./clock.ts";
import type { Evidence } from "./evidence.ts";

/** Phases in which customers were waited for. */
const waiting = ["detect", "activate", "serve"];

/** For how long a recovery was watched that never came, in words: on the clock that is judged, and on this machine's. */
export function watchedInWords({ clock, phases }: Evidence, say: (seconds: number) => string): string {
    const [judged, here] = [total(sums(clock)), waiting.reduce((sum, name) => sum + (phases[name] ?? 0), 0)];
    const spans = [...(judged > 0 ? [`${say(judged)} on the recovery clock`] : []), ...(here > 0 ? [`${say(here)} on this machine`] : [])];
    return `within what was watched${spans.length > 0 ? ` (${spans.join(", ")})` : ""}`;
}
