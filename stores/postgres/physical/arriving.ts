import { open } from "node:fs/promises";
import { basename } from "node:path";
import { walk, type Carry } from "./records.ts";
import { pageSize, segmentSize, type Segment } from "./segment.ts";

const step = 512 * 1024;

/** A file of the log that is being received. It has its full size from the beginning: behind what has arrived lie zeros. */
export class Arriving {
    readonly #path;
    readonly #segment;
    #buffer: Buffer | undefined;
    #carry: Carry | undefined;
    /** Up to which byte it holds whole records. */
    bytes = 0;
    whole = false;

    constructor(path: string, segment: Segment) {
        this.#path = path;
        this.#segment = segment;
    }

    /**
     * @param complete nothing will be added
     * @throws Error where it is complete, and damaged
     */
    async look(complete: boolean, before: Arriving | undefined): Promise<void> {
        if (this.whole) return;
        this.#buffer ??= Buffer.alloc(segmentSize);
        const filled = await this.#read();
        const walked = walk(this.#buffer.subarray(0, filled), this.#segment, {
            from: this.bytes,
            carry: this.bytes === 0 ? before?.carry : undefined,
        });
        if (walked.stopped === "end of file") {
            // The last record goes on in the next file, or the rest was left empty: whole once the receiver says so, and it does at once.
            if (!complete) return;
            this.#carry = walked.carry;
            this.bytes = segmentSize;
            this.whole = true;
            this.#buffer = undefined;
            return;
        }
        this.bytes = walked.end;
        // What looks damaged while it arrives is half a record.
        if (complete)
            throw new Error(
                `${basename(this.#path)} was received whole, and is not: ${typeof walked.stopped === "object" ? walked.stopped.damage : `its records end at byte ${walked.end}`}`,
            );
    }

    get carry(): Carry | undefined {
        return this.#carry;
    }

    async #read(): Promise<number> {
        const buffer = this.#buffer!;
        const file = await open(this.#path, "r");
        try {
            let at = this.bytes - (this.bytes % pageSize);
            while (at < segmentSize) {
                const { bytesRead } = await file.read(buffer, at, Math.min(step, segmentSize - at), at);
                at += bytesRead;
                if (bytesRead === 0 || isZero(buffer.subarray(Math.max(0, at - pageSize), at))) break;
            }
            return at;
        } finally {
            await file.close();
        }
    }
}

const zeros = Buffer.alloc(pageSize);
const isZero = (page: Buffer): boolean => page.equals(zeros.subarray(0, page.length));
