import { performance } from "node:perf_hooks";
import type { ReceivedFile } from "../../stores/physical.ts";
import { behindCursor, type Cursor } from "./cut.ts";

/** Above this many, arrivals are noted more coarsely: an outage may last days. */
const mostEntries = 4_096;

interface Arrival {
    readonly file: string;
    readonly bytes: number;
    readonly at: number;
}

/** When bytes that are not put yet arrived, as far as looking from time to time tells. */
export class Arrivals {
    readonly #clock: () => number;
    readonly #known = new Map<string, number>();
    #waiting: Arrival[] = [];
    #lastSeen: number;

    /** @param clock milliseconds that only grow */
    constructor(clock: () => number = () => performance.now()) {
        this.#clock = clock;
        this.#lastSeen = clock();
    }

    /** The receiver is at work. */
    seen(): void {
        this.#lastSeen = this.#clock();
    }

    arrived(files: readonly ReceivedFile[], cursor: Cursor): void {
        const at = this.#clock();
        for (const { file, bytes, from } of behindCursor(files, cursor)) {
            if (bytes <= Math.max(from, this.#known.get(file) ?? 0)) continue;
            this.#known.set(file, bytes);
            this.#waiting.push({ file, bytes, at });
        }
        if (this.#waiting.length > mostEntries) this.#thin();
    }

    #thin(): void {
        const kept: Arrival[] = [];
        for (const entry of this.#waiting) {
            const last = kept.at(-1);
            // The older time stands for both: a lag is never told too small.
            if (last?.file === entry.file && kept.length % 2 === 1) kept[kept.length - 1] = { ...entry, at: last.at };
            else kept.push(entry);
        }
        this.#waiting = kept;
    }

    put({ file, offset, ended }: Cursor): void {
        const reached = this.#waiting.findLastIndex((entry) => entry.file === file && (ended || entry.bytes <= offset));
        const begins = this.#waiting.findIndex((entry) => entry.file === file);
        const done = reached >= 0 ? reached + 1 : begins > 0 ? begins : 0;
        if (done > 0) this.#waiting.splice(0, done);
        if (ended) this.#known.delete(file);
    }

    /** Forgets what was received: another history begins. */
    clear(): void {
        this.#waiting = [];
        this.#known.clear();
    }

    /** Seconds that the oldest byte has waited; while nothing is received at least the time since. */
    age(receiving: boolean): number {
        const oldest = this.#waiting[0]?.at;
        const since = receiving ? (oldest ?? Infinity) : Math.min(oldest ?? Infinity, this.#lastSeen);
        return since === Infinity ? 0 : (this.#clock() - since) / 1000;
    }
}
