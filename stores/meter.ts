import { createHash } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";

/** What went through a meter. */
export interface Measure {
    /** Bytes. */
    bytes: number;
    /** Hexadecimal digits. */
    sha256: string;
}

/** Passes bytes on unchanged; counts and hashes them, and keeps the first and the last few. */
export class Meter extends Transform {
    readonly #hash = createHash("sha256");
    readonly #keep: number;
    #bytes = 0;
    #head: Buffer = Buffer.alloc(0);
    #tail: Buffer = Buffer.alloc(0);

    /** @param keep bytes of the beginning, and of the end, that are kept. Default 8 KiB. */
    constructor(keep = 8_192) {
        super();
        this.#keep = keep;
    }

    override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
        this.#hash.update(chunk);
        this.#bytes += chunk.length;
        if (this.#head.length < this.#keep) this.#head = Buffer.concat([this.#head, chunk.subarray(0, this.#keep - this.#head.length)]);
        // A copy: a view would keep every chunk's whole buffer alive.
        this.#tail =
            chunk.length >= this.#keep
                ? Buffer.from(chunk.subarray(-this.#keep))
                : Buffer.concat([this.#tail, chunk]).subarray(-this.#keep);
        done(null, chunk);
    }

    get head(): Buffer {
        return this.#head;
    }

    get tail(): Buffer {
        return this.#tail;
    }

    get bytes(): number {
        return this.#bytes;
    }

    /** Call once, when all has gone through. */
    measure(): Measure {
        return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
    }
}
