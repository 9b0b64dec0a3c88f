import { setTimeout as sleep } from "node:timers/promises";

const first = 250;

/** What goes wrong again and again: told once, tried again ever more slowly, and told when it is over. */
export class Troubles {
    readonly #note: (line: string) => void;
    readonly #longest: number;
    readonly #open = new Map<string, { words: string; delay: number; since: Date }>();

    /** @param longest wait between two tries, in milliseconds */
    constructor(note: (line: string) => void, longest: number) {
        this.#note = note;
        this.#longest = longest;
    }

    /** The newest one, in words. */
    get current(): string | undefined {
        return [...this.#open.values()].at(-1)?.words;
    }

    /** Notes it and waits before the next try. */
    async wait(what: string, error: unknown, signal: AbortSignal): Promise<void> {
        const words = `${what}: ${error instanceof Error ? error.message : String(error)}`;
        const known = this.#open.get(what);
        if (known?.words !== words) this.#note(`${words}; tried again until it works`);
        const delay = Math.min(known ? known.delay * 2 : first, this.#longest);
        this.#open.set(what, { words, delay, since: known?.since ?? new Date() });
        await sleep(delay, undefined, { signal }).catch(() => {});
    }

    over(what: string): void {
        const known = this.#open.get(what);
        if (!known) return;
        this.#open.delete(what);
        this.#note(`it works again after ${Math.round((Date.now() - known.since.getTime()) / 1000)} s (${known.words})`);
    }
}
